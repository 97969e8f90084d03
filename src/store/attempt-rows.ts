import { reputationBounds, reputationKeptMs } from '../engine/reputation.ts';
import type { Statement } from './driver.ts';
import { flag, sql } from './sql.ts';
import { type Compilers, type EffectOf, must, one } from './statement.ts';

type Attempt = Omit<EffectOf<'attempt.fail'>, 'kind'> & {
  readonly kind: 'attempt.fail' | 'attempt.succeed' | 'attempt.sign_up' | 'once';
};

/** What is counted: attempts within a window, and the reputation of those who sign in. */
export const attemptStatements: Compilers<Attempt['kind'] | 'reputation.add'> = {
  'attempt.fail': (effect) => [attempt(effect, 1)],
  'attempt.succeed': (effect) => [attempt(effect, 0, effect.keepsCount !== true)],
  'attempt.sign_up': (effect) => [attempt(effect, 1)],
  once: ({ kind, name, ...window }) => [attempt({ kind, bucket: `once:${name}`, limit: 1, ...window }, 1)],
  'reputation.add': ({ kind, subject, address, by, at }) => [
    one(
      kind,
      [`reputation:${subject}@${address}`],
      sql`INSERT INTO doorward_reputation (subject, address, score, updated_at) VALUES (${subject}, ${address}, ${by}, ${at})
        ON CONFLICT (subject, address) DO UPDATE SET updated_at = excluded.updated_at, score = CASE
          WHEN doorward_reputation.updated_at <= ${at - reputationKeptMs} THEN excluded.score
          WHEN doorward_reputation.score + excluded.score NOT BETWEEN ${reputationBounds.lowest} AND ${reputationBounds.highest}
            THEN doorward_reputation.score
          ELSE doorward_reputation.score + excluded.score END`,
    ),
  ],
};

/** The row is written, in a new window or below the limit, or the attempt is refused: one atomic statement. */
function attempt({ kind, bucket, limit, windowMs, at }: Attempt, counted: 0 | 1, clears = false): Statement {
  const expired = sql`doorward_attempt.expires_at <= excluded.window_start`;
  return must(
    { reason: kind === 'once' ? 'used' : 'limited', effect: kind },
    [`attempt:${bucket}`],
    sql`INSERT INTO doorward_attempt (bucket, window_start, count, expires_at)
      VALUES (${bucket}, ${at}, ${counted}, ${at + windowMs})
      ON CONFLICT (bucket) DO UPDATE SET
        count = CASE WHEN ${flag(clears)} = 1 THEN 0 WHEN ${expired} THEN excluded.count
          ELSE doorward_attempt.count + excluded.count END,
        window_start = CASE WHEN ${expired} THEN excluded.window_start ELSE doorward_attempt.window_start END,
        expires_at = CASE WHEN ${expired} THEN excluded.expires_at ELSE doorward_attempt.expires_at END
      WHERE doorward_attempt.count < ${limit} OR ${expired}`,
  );
}
