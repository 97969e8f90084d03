/**
 * Tells addresses of events. A message joins the very commit of its event, through the outbox; data goes in and comes
 * out, and nothing is sent here but by `deliveriesTo`.
 */
import * as z from 'zod';
import { sendWebhook, webhookKeys } from '../adapters/webhook.ts';
import type { Effect, NewEvent } from '../engine/effects.ts';
import type { Commit } from '../engine/ports.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken } from '../kernel/ids.ts';
import { isPlainObject, type JsonObject } from '../kernel/json.ts';
import type { OpenStore } from '../store/open.ts';
import type { Deliver } from './deliver.ts';

const webhookList = z.array(
  z.strictObject({
    url: z.string().refine(isWebAddress, 'must be an http or https address without a user name'),
    secret: z
      .string()
      .refine((secret) => webhookKeys(secret) !== null, 'must be whsec_ and base64 of 24 to 64 bytes')
      .describe('whsec_…'),
    events: z.array(z.string().min(1)).min(1).default(['user_write']),
  }),
);

/** Webhooks as they were configured, checked. */
export type Webhook = z.infer<typeof webhookList>[number];

/** @throws DoorwardError `configuration`, naming the member; never a secret */
export function webhooksOf(value: unknown): readonly Webhook[] {
  const parsed = webhookList.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = ['webhooks', ...(issue?.path ?? [])].join('.');
    throw new DoorwardError('configuration', `${where}: ${issue?.message ?? 'is not valid'}`);
  }
  const urls = parsed.data.map(({ url }) => url);
  const twice = urls.find((url, index) => urls.indexOf(url) !== index);
  if (twice !== undefined)
    throw new DoorwardError(
      'configuration',
      `webhooks: ${new URL(twice).origin} … is named twice; list its events once`,
    );
  return parsed.data;
}

/** The store, whose commits also leave a message for every webhook that wants one of their events. */
export function withWebhooks(store: OpenStore, webhooks: readonly Webhook[]): OpenStore {
  if (webhooks.length === 0) return store;
  return {
    ...store,
    async commit(commit) {
      const messages = await messagesFor(store, commit, webhooks);
      if (messages.length === 0) return store.commit(commit);
      return store.commit({ ...commit, effects: [...commit.effects, ...messages] });
    },
  };
}

/** How each webhook's messages are delivered, by channel. */
export function deliveriesTo(webhooks: readonly Webhook[], now: () => number): ReadonlyMap<string, Deliver> {
  return new Map(
    webhooks.map(({ url, secret }) => [
      channelOf(url),
      ({ uuid, payload }) => sendWebhook({ url, secret, id: uuid, at: now(), body: String(payload.body) }),
    ]),
  );
}

/** An address may hold a token, so what stands in the clear is its digest. */
function channelOf(url: string): string {
  return `webhook:${hashToken(url)}`;
}

async function messagesFor(store: OpenStore, { effects }: Commit, webhooks: readonly Webhook[]): Promise<Effect[]> {
  const messages: Effect[] = [];
  for (const effect of effects) {
    if (effect.kind !== 'event') continue;
    const { event } = effect;
    const wanting = webhooks.filter(({ events }) => events.includes(event.action));
    if (wanting.length === 0) continue;
    const body = JSON.stringify(await describe(store, event, effects));
    for (const { url } of wanting) {
      const payload = { url, body };
      const userId = subjectOf(event)?.pk ?? null;
      messages.push({
        kind: 'outbox',
        message: { kind: 'webhook', channel: channelOf(url), userId, payload, at: event.at },
      });
    }
  }
  return messages;
}

/** What a webhook says of an event: the event, whose values are masked already. */
async function describe(store: OpenStore, event: NewEvent, effects: readonly Effect[]): Promise<JsonObject> {
  const user = subjectOf(event);
  const uuid = user === null ? null : await uuidOf(store, user.pk, effects);
  return {
    type: event.action,
    timestamp: new Date(event.at).toISOString(),
    data: {
      ...event.context,
      user: user === null ? null : { pk: user.pk, username: user.username, uuid },
      ...(event.onBehalfOf === undefined || event.user === null ? {} : { impersonator: { ...event.user } }),
      flow: event.flow,
    },
  };
}

/** Whom an event is about: whoever was written, even while an administrator acts as somebody (UW-53). */
function subjectOf({ user, onBehalfOf, context }: NewEvent): NewEvent['user'] {
  const { user: written } = context;
  if (isPlainObject(written) && typeof written.pk === 'number' && typeof written.username === 'string')
    return { pk: written.pk, username: written.username };
  return onBehalfOf ?? user;
}

async function uuidOf(store: OpenStore, pk: number, effects: readonly Effect[]): Promise<string | null> {
  for (const effect of effects) {
    if (effect.kind === 'user.create' && effect.user.id === pk) return effect.user.uuid;
    if (effect.kind === 'hook.user_write' && effect.written.user.id === pk) return effect.written.user.uuid;
  }
  return (await store.read.user(pk))?.uuid ?? null;
}

function isWebAddress(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}
