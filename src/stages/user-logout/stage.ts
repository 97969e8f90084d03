import * as z from 'zod';
import { endSessions, eventActor } from '../../engine/acting.ts';
import { defineStage } from '../../engine/stage.ts';

/**
 * Ends the visitor's session and goes on; an anonymous visitor has none to end (LO-1). An administrator who acts as a
 * user is signed out altogether.
 */
export const userLogout = defineStage({
  kind: 'user_logout',
  model: 'authentik_stages_user_logout.userlogoutstage',
  component: 'ak-stage-user-logout-form',
  description: "Ends the visitor's session.",
  config: z.object({}),
  needs: [],
  gives: [],
  proof: () => ({ signsOut: true }),
  touchesBrowser: true,
  async enter(desk) {
    const { visitor, stage, flow, tools } = desk;
    const { user, session } = visitor;
    if (user === null || session === null) return { kind: 'pass' };
    return {
      kind: 'pass',
      session: { kind: 'end' },
      effects: [
        ...endSessions(desk),
        {
          kind: 'event',
          event: {
            action: 'logout',
            ...eventActor(visitor, user),
            context: { stage: { pk: stage.pk, name: stage.name } },
            address: visitor.address,
            requestId: visitor.requestId,
            flow: flow.slug,
            at: tools.now(),
          },
        },
      ],
    };
  },
});
