import type { Inspected } from '../../src/app/inspection.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';

/** A run under way, as the inspector shows it. */
export function inspectedSample(flow: CompiledFlow): Inspected {
  const place = (name: string, kind: string, state: Inspected['places'][number]['state']) => ({
    ...{ id: name, stage: { pk: name, name, kind, config: {} }, binding: null, declared: null, state },
  });
  return {
    flow,
    places: [
      place('sample-identification', 'identification', 'done'),
      place('sample-a-stage-with-a-rather-long-name-that-nobody-can-read-at-once', 'dummy', 'skipped'),
      place('sample-password', 'password', 'current'),
      place('sample-login', 'user_login', 'to_come'),
    ],
    context: {
      pending_user: { app: 'authentik_core', model_name: 'user', pk: 1, username: 'ada', name: 'Ada Lovelace' },
      prompt_data: { username: 'ada', password: '********************', 'attributes.hobby': 'x'.repeat(300) },
    },
    decisions: [
      { at: 'flow', stage: null, name: 'policy "office hours"', passing: true, failed: false, messages: [] },
      {
        ...{
          at: '2',
          stage: 'sample-a-stage-with-a-rather-long-name-that-nobody-can-read-at-once',
          name: 'group "staff"',
        },
        ...{ passing: false, failed: false, messages: ['Only for staff.'] },
      },
      { at: '3', stage: 'sample-password', name: 'policy "broken"', passing: false, failed: true, messages: [] },
    ],
    ...{ messages: [], ended: null, sessionHash: 'hash' },
  };
}
