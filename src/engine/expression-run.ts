/** One evaluation of an administrator's code: what it sees, what it may ask, and what it leaves behind. */
import type { Json, JsonObject } from '../kernel/json.ts';
import type { Effect } from './effects.ts';
import { accountFunctions, type HostFunction } from './expression-accounts.ts';
import { contextPatch } from './expression-context.ts';
import { ExpressionNotes } from './expression-notes.ts';
import { ExpressionReads, type ExpressionScene } from './expression-scene.ts';
import { Crossing } from './expression-values.ts';
import { contextVariable, otherVariables } from './expression-variables.ts';
import { webFunctions } from './expression-web.ts';
import { CodeException, type ExpressionLanguage } from './expressions.ts';
import type { PolicyVerdict } from './policy.ts';

export interface Code {
  readonly language: ExpressionLanguage;
  readonly source: string;
}

/** What an evaluation came to. */
export interface Evaluated {
  readonly result: Json;
  /** The code raised `SkipObject`. */
  readonly skipped: boolean;
  /** The texts of `ak_message`, in order. */
  readonly messages: readonly string[];
  /** What the code set in the plan context. */
  readonly contextPatch: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
  /** An event about whoever the code was about, masked as those that the code makes. */
  event(action: string, context: JsonObject): Promise<Effect>;
}

/**
 * Runs the code.
 *
 * @throws Error when it fails, in words that hold nothing of what a visitor typed
 */
export async function evaluateExpression(scene: ExpressionScene, code: Code): Promise<Evaluated> {
  const crossing = new Crossing();
  const reads = new ExpressionReads(scene, code.source, crossing);
  const notes = new ExpressionNotes(scene, reads, crossing);
  const called: Effect[] = [];
  const functions = {
    ...accountFunctions(scene, reads, crossing),
    ...notes.functions(),
    ...webFunctions(scene.tools.expressionHosts),
    ...callFunction(scene, crossing, called),
    ...refusedFunctions,
    ...(scene.call === undefined ? refusedInPrompts : {}),
    'http_request.build_absolute_uri': ([, path]: readonly Json[]) =>
      new URL(typeof path === 'string' ? path : '', `${scene.visitor.origin}/`).href,
  };
  try {
    const before = await contextVariable(scene.context, reads, crossing);
    const variables = await otherVariables(scene, before, reads, crossing);
    const answer = await scene.tools.expressions.evaluate({ ...code, variables, host: hostOf(functions) });
    const change = { context: scene.context, before, left: answer.variables, crossing, flow: scene.flow };
    return {
      ...{ result: crossing.shown(answer.result), skipped: answer.skipped === true },
      messages: answer.messages.map((message) => crossing.told(message)),
      contextPatch: answer.skipped === true ? {} : contextPatch(change),
      effects: [...called, ...notes.events],
      event: (action, context) => notes.event(action, context),
    };
  } catch (error) {
    throw new Error(crossing.logged(plainError(error, code.source)), { cause: 'an expression' });
  }
}

function hostOf(functions: Readonly<Record<string, HostFunction>>) {
  return async (name: string, args: readonly Json[], named: JsonObject): Promise<Json> => {
    const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (call === undefined) throw new CodeException('AttributeError', `there is no ${name} here`);
    return call(args, named);
  };
}

/** Another policy's word; what it sets in the context stays with it. */
function callFunction(
  { call }: ExpressionScene,
  crossing: Crossing,
  called: Effect[],
): Readonly<Record<string, HostFunction>> {
  return {
    async ak_call_policy([name], named) {
      if (call === undefined) throw new Error('ak_call_policy works in policies alone');
      if (typeof name !== 'string') throw new Error('ak_call_policy: the first argument is the name of a policy');
      const verdict: PolicyVerdict = await call(name, crossing.back(named) as Readonly<Record<string, unknown>>);
      called.push(...(verdict.effects ?? []));
      const messages = verdict.messages.map((one) => (typeof one === 'string' ? one : ''));
      return { $object: 'policy_result', passing: verdict.passing, messages };
    },
  };
}

const refusedFunctions: Readonly<Record<string, HostFunction>> = {
  ak_create_jwt: () => {
    throw new Error('ak_create_jwt: there are no providers here that could issue a token');
  },
  'Flow.objects.filter': () => {
    throw new Error('Flow.objects: expressions change no flows; say it in the blueprint of the flow');
  },
};

/** A form may be shown any number of times. */
const refusedInPrompts: Readonly<Record<string, HostFunction>> = {
  ak_create_event: () => {
    throw new Error('ak_create_event works in policies alone');
  },
};

/** Quoted parts of an error that do not stand in the code itself may be what somebody typed. */
function plainError(error: unknown, source: string): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.replaceAll(/(?<!\w)(['"`])(.*?)\1/g, (whole, quote: string, inner: string) =>
    source.includes(inner) ? whole : `${quote}…${quote}`,
  );
}
