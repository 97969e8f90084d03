import {
  type ExpressionAnswer,
  type ExpressionJob,
  type ExpressionLanguage,
  type Expressions,
  expressionLimitBytes,
} from '../../engine/expressions.ts';
import { named } from './names.ts';
import type { Pool } from './pool.ts';

const usualLimitMs = 100;

/**
 * Runs the code of administrators in processes of their own, which the first expression starts.
 *
 * @param usual milliseconds that code may take of its own; a check and what it asks of the server may take at least as long
 */
export function createExpressions(
  usual: number = usualLimitMs,
): Expressions & { close(): Promise<void>; pids(): readonly number[] } {
  const checkLimitMs = Math.max(1_000, usual);
  const hostLimitMs = Math.max(5_000, usual);
  let opening: Promise<Pool> | undefined;
  let pool: Pool | undefined;
  let closed = false;
  const opened = async (): Promise<Pool> => {
    if (closed) throw new Error('expressions no longer run: the server is ending');
    opening ??= import('./pool.ts').then(({ Pool }) => new Pool());
    pool = await opening;
    return pool;
  };
  return {
    async check(language, source) {
      const tooLong = sizeProblem(source);
      if (tooLong !== null) return tooLong;
      const work = { limitMs: checkLimitMs, hostLimitMs, host: noHost, message: checking(language, source) };
      return (await (await opened()).run(work)) as string | null;
    },
    async evaluate(job) {
      const tooLong = sizeProblem(job.source);
      if (tooLong !== null) throw new Error(tooLong);
      const { language, source, host, limitMs = usual } = job;
      const message = { type: 'evaluate', language, source, variables: named(source, job.variables), limitMs } as const;
      return (await (await opened()).run({ limitMs, hostLimitMs, host, message })) as ExpressionAnswer;
    },
    async close() {
      closed = true;
      await (await opening)?.close();
    },
    pids: () => pool?.pids ?? [],
  };
}

const noHost: ExpressionJob['host'] = async (name) => {
  throw new Error(`${name} is not called by a check`);
};

function checking(language: ExpressionLanguage, source: string) {
  return { type: 'check', language, source } as const;
}

function sizeProblem(source: string): string | null {
  const bytes = Buffer.byteLength(source);
  return bytes > expressionLimitBytes
    ? `it has ${bytes} bytes, at most ${expressionLimitBytes}: move what it computes into several expressions`
    : null;
}
