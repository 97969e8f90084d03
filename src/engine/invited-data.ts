import { type PlanContext, promptPairs } from './plan-context.ts';
import type { Origin } from './provenance.ts';

/** What of the answers an invitation says, and nobody else after it: it holds whoever goes on in the run. */
export function invitedData(context: PlanContext): Pick<PlanContext, 'prompt_data' | 'doorward/origins'> {
  const known = context['doorward/origins'] ?? [];
  const last = new Map<string, Origin>(known.flatMap(({ origin, keys }) => keys.map((key) => [key, origin] as const)));
  const isInvited = (key: string) => last.get(key)?.kind === 'invitation';
  const pairs = (promptPairs(context) ?? []).filter(([key]) => isInvited(key));
  if (pairs.length === 0) return {};
  const origins = known.filter(({ origin }) => origin.kind === 'invitation');
  return {
    prompt_data: pairs,
    'doorward/origins': origins.map(({ origin, keys }) => ({ origin, keys: keys.filter(isInvited) })),
  };
}
