import { afterAll } from 'vitest';
import type { ExpressionAnswer, ExpressionJob, ExpressionLanguage } from '../../engine/expressions.ts';
import type { Json } from '../../kernel/json.ts';
import { createExpressions } from './expressions.ts';

/** A call that reached the server. */
interface Call {
  readonly name: string;
  readonly args: readonly Json[];
  readonly named: Readonly<Record<string, Json>>;
}

/** Long enough that a busy machine never ends an expression that is well. */
const patientMs = 60_000;

/** One language in real runner processes, ended with the test file. */
export function rig(language: ExpressionLanguage) {
  const expressions = createExpressions(patientMs);
  afterAll(() => expressions.close());
  const evaluate = (
    source: string,
    variables: Readonly<Record<string, Json>> = {},
    more: Partial<ExpressionJob> = {},
  ): Promise<ExpressionAnswer> =>
    expressions.evaluate({ language, source, variables, host: async () => null, ...more });
  return {
    expressions,
    evaluate,
    /** What the code returns. */
    result: async (source: string, variables?: Readonly<Record<string, Json>>) =>
      (await evaluate(source, variables)).result,
    /** Why the code fails. */
    failure: async (source: string, variables?: Readonly<Record<string, Json>>, more?: Partial<ExpressionJob>) =>
      evaluate(source, variables, more).then(
        ({ result }) => `it answered ${JSON.stringify(result)}`,
        (error: Error) => error.message,
      ),
    check: (source: string) => expressions.check(language, source),
    /** Runs the code and tells what reached the server, which answers with `answers` in their order. */
    async asked(source: string, answers: readonly Json[] = [], variables?: Readonly<Record<string, Json>>) {
      const calls: Call[] = [];
      const host: ExpressionJob['host'] = async (name, args, named) => {
        calls.push({ name, args, named });
        return answers[calls.length - 1] ?? null;
      };
      return { ...(await evaluate(source, variables, { host })), calls };
    },
  };
}
