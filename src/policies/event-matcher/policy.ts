import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';
import { isPlainObject } from '../../kernel/json.ts';

const criterion = z.string().nullable().default(null);

/** Judges the event in the plan context, as rules of notification give it: all criteria that are set must match. */
export const eventMatcher = definePolicy({
  kind: 'event_matcher',
  model: 'authentik_policies_event_matcher.eventmatcherpolicy',
  component: 'ak-policy-event-matcher-form',
  description: 'Passes when an event is of this kind.',
  config: z.object({
    action: criterion.describe('Such as login_failed.'),
    client_ip: criterion.describe('The address that the event came from.'),
    app: criterion.describe('What raised the event.'),
    model: criterion.describe('What the event is about: authentik_core.user.'),
  }),
  async evaluate({ config, request }) {
    const { event } = request.context;
    if (!isPlainObject(event)) return { passing: false, messages: [] };
    const found: Readonly<Record<keyof typeof config, unknown>> = {
      action: event.action,
      client_ip: event.client_ip,
      app: event.app,
      model: modelOf(event.context),
    };
    const criteria = Object.entries(config).filter(([, wanted]) => wanted !== null && wanted !== '');
    const passing = criteria.every(([name, wanted]) => found[name as keyof typeof found] === wanted);
    return { passing, messages: [] };
  },
});

/** The event's `context.model`: `{ app, model_name }`. */
function modelOf(context: unknown): string | null {
  const model = isPlainObject(context) ? context.model : undefined;
  return isPlainObject(model) ? `${String(model.app)}.${String(model.model_name)}` : null;
}
