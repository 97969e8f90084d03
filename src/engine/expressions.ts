import type { Json, JsonObject } from '../kernel/json.ts';

export const expressionLanguages = ['python', 'javascript'] as const;
export type ExpressionLanguage = (typeof expressionLanguages)[number];

/** The most that one expression may have, in bytes of UTF-8; more is refused before anything parses it. */
export const expressionLimitBytes = 16 * 1024;

/** Code of an administrator, to be run apart from the server: in a process of its own, under limits of time and memory. */
export interface ExpressionJob {
  readonly language: ExpressionLanguage;
  /** The body of a function; at most 16 KB. */
  readonly source: string;
  /**
   * What the code may see, by name. Only what the source names crosses, as JSON. A value with a member
   * `$object: "user"` (any type name) is an object with attributes and methods. Whatever a visitor or somebody outside
   * may have written goes through `asData` first, or its author makes objects.
   *
   * `request.context`, the `context` of `flow_plan` and of `context.flow_plan` are the variable `context` itself, one and
   * the same: give it once. A list or dictionary that is a member of `context` by the same name is that member. `ak_client_ip` is a text, and an address for the code.
   */
  readonly variables: Readonly<Record<string, Json>>;
  /**
   * Answers the calls that only the server can answer (`ak_user_by`, …); counted apart from the code's own time. A method
   * arrives as `user.group_attributes` (the object's type and the method), with the object as the first argument; the
   * modules `requests` and `ak_logger` as `requests.get`, and as `ak_logger` with the level first. Objects are what the
   * code says that they are: look up by their key what matters, and believe nothing else of them. What it throws ends the
   * job, whatever the code catches; only a `CodeException` is raised in the code.
   */
  readonly host: (name: string, args: readonly Json[], named: Readonly<Record<string, Json>>) => Promise<Json>;
  /** Milliseconds of the code's own time; 100 by default. */
  readonly limitMs?: number;
}

/** What the code said. */
export interface ExpressionAnswer {
  /** What it returned; null for nothing. Objects have `$object`; `fromData` gives plain values back. */
  readonly result: Json;
  /** The texts of `ak_message`, in order. */
  readonly messages: readonly string[];
  /**
   * The variables afterwards, those that crossed and are lists or dictionaries (objects stay behind): what the code
   * changed in them is the caller's to take or leave.
   */
  readonly variables: Readonly<Record<string, Json>>;
  /** The code raised `SkipObject`: what it would map is to be left out. */
  readonly skipped?: boolean;
}

/** The adapter that runs expressions answers. */
export interface Expressions {
  /** Why the code could not run (syntax, size, an import that does not exist here), with its line; null when it can. */
  check(language: ExpressionLanguage, source: string): Promise<string | null>;
  /** @throws Error when the code fails, takes too long, wants too much memory, or there is no runner: its policy denies */
  evaluate(job: ExpressionJob): Promise<ExpressionAnswer>;
}

/** Thrown by a host, it is raised in the code, which may catch it: `new CodeException('ValueError', 'no such policy')`. */
export class CodeException extends Error {
  override readonly name = 'CodeException';
  /** Python's name of it; what Python does not know becomes a RuntimeError. */
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const objectMember = /^\$+object$/;

/** A value in which `$object` means nothing: for what somebody outside may have written. */
export function asData(value: Json): Json {
  return renamed(value, (name) => (objectMember.test(name) ? `$${name}` : name));
}

/** The value that `asData` was given; also what the code made of its own. */
export function fromData(value: Json): Json {
  return renamed(value, (name) => (objectMember.test(name) && name.startsWith('$$') ? name.slice(1) : name));
}

/** The value itself where no name changes. */
function renamed(value: Json, rename: (name: string) => string): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => renamed(item, rename));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value as JsonObject);
  const changed = entries.map(([name, item]) => [rename(name), renamed(item, rename)] as const);
  const same = changed.every(([name, item], index) => name === entries[index]?.[0] && item === entries[index]?.[1]);
  return same ? value : Object.fromEntries(changed);
}
