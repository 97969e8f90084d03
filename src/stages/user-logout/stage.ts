import { z } from 'zod';
import { defineStage } from '../../engine/stage.ts';

/** Ends the visitor's session and goes on; an anonymous visitor has none to end (LO-1). */
export const userLogout = defineStage({
  kind: 'user_logout',
  model: 'authentik_stages_user_logout.userlogoutstage',
  component: 'ak-stage-user-logout-form',
  description: "Ends the visitor's session.",
  config: z.object({}),
  needs: [],
  gives: [],
  touchesBrowser: true,
  async enter({ visitor, sessionHash, stage, flow, tools }) {
    const { user, impersonator, session } = visitor;
    if (user === null || session === null) return { kind: 'pass' };
    return {
      kind: 'pass',
      session: { kind: 'end' },
      effects: [
        { kind: 'session.end', tokenHash: sessionHash },
        {
          kind: 'event',
          event: {
            action: 'logout',
            user: { pk: user.id, username: user.username },
            ...(impersonator === null ? {} : { onBehalfOf: { pk: impersonator.id, username: impersonator.username } }),
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
