import type { Json } from '../../../../kernel/json.ts';
import type { HostCall } from '../../messages.ts';
import { ipAddress, ipNetwork, isInNetwork } from '../addresses.ts';
import { CodeError } from '../engine.ts';
import { slugify } from '../slugify.ts';
import { absencesOf, mayBeOfServer } from './absences.ts';
import { askedBy } from './asked.ts';
import { simpleMatch } from './simple-patterns.ts';
import { isPythonObject, toJson, toPython } from './values.ts';

type Named = Readonly<Record<string, unknown>>;

/** Modules of functions that the server answers: `requests.get(…)`. */
const hostModules = ['requests', 'ak_logger'];

const localFunctions: Readonly<
  Record<string, (args: readonly unknown[], named: Named, messages: string[]) => unknown>
> = {
  __say__: ([text], _, messages) => {
    messages.push(String(text));
    return null;
  },
  slugify: ([text]) => slugify(String(toJson(text))),
  ip_address: ([text]) => toPython(ipAddress(textOf(text))),
  ip_network: ([text, strict], named) => toPython(ipNetwork(textOf(text), (named.strict ?? strict) !== false)),
  __in_network__: ([one, network]) => isInNetwork(asObject(one), asObject(network)),
  __simple_match__: ([text, pattern]) => simpleMatch(text, pattern),
  __now__: ([zone], named) => now(named.tz ?? zone),
  __now_utc__: () => now({ offsetSeconds: 0 }),
  __today__: () => ({ __monty_type__: 'Date', ...dayOf(new Date()) }),
};

/** Names that stand for something besides variables: a name looked up without being called needs a value. */
export const helperNames: ReadonlyMap<string, unknown> = new Map([
  ...Object.keys(localFunctions).map((name) => [name, functionNamed(name)] as const),
  ...hostModules.map((name) => [name, toPython({ $object: name })] as const),
]);

/** Monty knows a function by its JavaScript name. */
function functionNamed(name: string): () => void {
  return Object.defineProperty(() => {}, 'name', { value: name });
}

/** The answer of a helper that needs nobody else; undefined when there is none of that name. */
export function local(
  name: string,
  args: readonly unknown[],
  named: object,
  messages: string[],
): { value: unknown } | undefined {
  if (!Object.hasOwn(localFunctions, name)) return undefined;
  return { value: localFunctions[name]?.(args, named as Named, messages) };
}

/**
 * A call that the server answers. A method comes as a function with its object first.
 *
 * @throws CodeError NameError where nothing has that name
 */
export function callOf(name: string, args: readonly unknown[], named: object): HostCall {
  const keywords = Object.fromEntries(Object.entries(named).map(([key, value]) => [key, toJson(value)]));
  const all = args.map((value) => toJson(value));
  const [self] = args;
  const host = askedBy(name);
  if (host !== undefined) return { name: host, args: all, named: keywords };
  if (!isPythonObject(self)) throw new CodeError('NameError', `name '${name}' is not defined`);
  if (self.name === 'ak_logger') return { name: 'ak_logger', args: [name, ...all.slice(1)], named: keywords };
  if (hostModules.includes(self.name)) return { name: `${self.name}.${name}`, args: all.slice(1), named: keywords };
  return { name: `${self.name}.${name}`, args: all, named: keywords };
}

/** What the server answered, as the code gets it: `__made__` completes it wherever the call passes through that. */
export function completable(name: string, self: unknown, named: object, answer: Json): unknown {
  const absences = absencesOf(answer);
  const ofRequests = isPythonObject(self) && self.name === 'requests';
  const isCompleted = askedBy(name) !== undefined || mayBeOfServer(name, Object.keys(named).length > 0, ofRequests);
  if (absences === null || !isCompleted) return toPython(answer);
  const fields = { __given__: toPython(answer), absences };
  return {
    __monty_type__: 'Dataclass',
    name: 'given',
    typeId: 1n,
    fieldNames: Object.keys(fields),
    fields,
    frozen: true,
  };
}

/** A variable as Python has it: the visitor's address is an address. */
export function inputOf(name: string, value: Json): unknown {
  return name === 'ak_client_ip' && typeof value === 'string' ? toPython(ipAddress(value)) : toPython(value);
}

function textOf(value: unknown): string {
  const text = toJson(value);
  if (typeof text === 'string') return text;
  throw new CodeError('ValueError', 'an address is given as a text');
}

function asObject(value: unknown) {
  if (!isPythonObject(value)) throw new CodeError('TypeError', 'only an address can be in a network');
  return value.fields as Readonly<Record<string, Json>>;
}

/** Now; without a time zone it is the time of UTC, as servers have it. */
function now(zone: unknown): object {
  const seconds = offsetOf(zone);
  const date = new Date(Date.now() + (seconds ?? 0) * 1000);
  return {
    ...{ __monty_type__: 'DateTime', ...dayOf(date), hour: date.getUTCHours(), minute: date.getUTCMinutes() },
    ...{ second: date.getUTCSeconds(), microsecond: date.getUTCMilliseconds() * 1000 },
    ...(seconds === null ? {} : { offsetSeconds: seconds }),
  };
}

function dayOf(date: Date): object {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function offsetOf(zone: unknown): number | null {
  if (typeof zone !== 'object' || zone === null || !('offsetSeconds' in zone)) return null;
  return Number(zone.offsetSeconds);
}
