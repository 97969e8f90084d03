/** Invitations: who may come into a flow, with what they cannot change. The secret is shown once and stored as its hash. */
import type { CompiledFlow } from '../engine/flow.ts';
import type { Invitation, InvitationChanges } from '../engine/invitation.ts';
import { mailEffect } from '../engine/mail.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { hashToken, newToken, newUuid } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Locale } from '../protocol/localize.ts';
import { isEmail } from '../stages/prompt/formats.ts';
import type { ListedInvitation } from '../store/invitation-rows.ts';
import type { OpenStore } from '../store/open.ts';
import { checkFixedData } from './fixed-data.ts';
import { type Actor, commitOrThrow } from './users.ts';

export type { Invitation, InvitationChanges, ListedInvitation };

/** Milliseconds. */
export const invitationLasts = { usual: 7 * 86_400_000, most: 3650 * 86_400_000 } as const;

/** An invitation to make. */
export interface NewInvitation {
  /** For lists, and where values came from: letters, digits, `-` and `_`. */
  readonly name: string;
  /** Slug (or pk) of the flow that it opens; null, or nothing, for any flow with an invitation stage. */
  readonly flow?: string | null;
  /** What the invited person cannot change, by the keys of prompt_data: `email`, `attributes.team`, … */
  readonly fixedData?: JsonObject;
  /** Good for one user. By default it is where it goes by mail, and is not otherwise. */
  readonly singleUse?: boolean;
  /** Milliseconds since the epoch; a week from now by default. */
  readonly expiresAt?: number;
  /** Sends it there by mail, in the same transaction. */
  readonly mail?: string;
  /** Language of that mail. */
  readonly locale?: Locale;
}

/** What is known of an invitation when it is made, and never again. */
export interface MadeInvitation {
  readonly invitation: ListedInvitation;
  /** To be passed on; null for one that is tied to no flow: then `?itoken=<secret>` goes behind a flow's address. */
  readonly address: string | null;
  readonly secret: string;
}

/** Which invitations to list. */
export interface InvitationList {
  /** In the name. */
  readonly search?: string;
  readonly name?: string;
  readonly flow?: string;
  /** From 1. */
  readonly page?: number;
  /** 100 by default. */
  readonly pageSize?: number;
}

/** Invitations, with their events. */
export interface Invitations {
  /** @throws DoorwardError `invalid_request`, `flow_not_found`, `refused` (the flow asks for none, or mail is refused) */
  create(input: NewInvitation, actor?: Actor): Promise<MadeInvitation>;
  get(uuid: string): Promise<ListedInvitation | null>;
  /** Those that expire last come first; used ones are listed until they expire. */
  list(which?: InvitationList): Promise<{ readonly invitations: readonly ListedInvitation[]; readonly total: number }>;
  /** For those who come with it from now on. @throws DoorwardError `not_found`, and as `create` */
  update(uuid: string, changes: InvitationChanges, actor?: Actor): Promise<ListedInvitation>;
  /** Also for who is under way with it. @throws DoorwardError `not_found` */
  revoke(uuid: string, actor?: Actor): Promise<void>;
}

/** What invitations are made with. */
export interface InvitationParts {
  readonly store: OpenStore;
  /** Where links begin, and why mail is refused, or null. */
  readonly mail: { readonly linkBase: string; readonly refused: string | null };
  now(): number;
  /** The flow of this slug or pk. */
  flow(reference: string): Promise<CompiledFlow | null>;
}

const library: Actor = { via: 'library' };

export function createInvitations(parts: InvitationParts): Invitations {
  const { store } = parts;
  const find = async (uuid: string): Promise<ListedInvitation> => {
    const found = await store.accounts.findInvitation(uuid);
    if (found === null) throw new DoorwardError('not_found', `there is no invitation with the id ${uuid}`);
    return found;
  };
  return {
    create: (input, actor = library) => create(parts, input, actor),
    get: (uuid) => store.accounts.findInvitation(uuid),
    async list({ page = 1, pageSize = 100, ...filter } = {}) {
      const [total, invitations] = await Promise.all([
        store.accounts.countInvitations(filter),
        store.accounts.listInvitations({ ...filter, limit: pageSize, offset: (page - 1) * pageSize }),
      ]);
      return { invitations, total };
    },
    async update(uuid, changes, actor = library) {
      const before = await find(uuid);
      check(changes, parts.now());
      const flow = changes.flow == null ? changes.flow : (await flowWithInvitations(parts, changes.flow)).slug;
      const set: InvitationChanges = { ...changes, ...(flow === undefined ? {} : { flow }) };
      const context = { ...told(before), changed: Object.keys(set) };
      await commitOrThrow(store, [
        { kind: 'invitation.change', uuid, set },
        await event(parts, 'model_updated', context, actor),
      ]);
      return find(uuid);
    },
    async revoke(uuid, actor = library) {
      const found = await find(uuid);
      await commitOrThrow(store, [
        { kind: 'invitation.revoke', uuid },
        await event(parts, 'model_deleted', told(found), actor),
      ]);
    },
  };
}

async function create(parts: InvitationParts, input: NewInvitation, actor: Actor): Promise<MadeInvitation> {
  const { store, mail: room, now } = parts;
  const { name, mail, locale = 'en', fixedData = {}, singleUse = mail !== undefined } = input;
  const at = now();
  const { expiresAt = at + invitationLasts.usual } = input;
  check({ name, fixedData, expiresAt }, at);
  const flow = input.flow == null ? null : (await flowWithInvitations(parts, input.flow)).slug;
  const secret = newToken();
  const address = flow === null ? null : `${room.linkBase}/if/flow/${encodeURIComponent(flow)}/?itoken=${secret}`;
  if (mail !== undefined) checkMail(parts, mail, address);
  const invitation: Invitation = {
    ...{ uuid: newUuid(), name, flow, fixedData, singleUse, createdBy: actor.by ?? null, createdAt: at, expiresAt },
    uses: 0,
  };
  const letter = {
    ...{ template: 'invitation', locale, to: { name: '', address: mail ?? '' }, until: expiresAt },
    // What the message says of its end, it says of a link that works once.
    values: { url: address ?? '', ...(singleUse ? { expires: expiresAt } : {}) },
  };
  await commitOrThrow(store, [
    { kind: 'invitation.make', hash: hashToken(secret), invitation },
    ...(mail === undefined ? [] : [mailEffect(letter, null, at)]),
    await event(parts, 'model_created', { ...told(invitation), mailed: mail !== undefined }, actor),
  ]);
  return {
    invitation: (await store.accounts.findInvitation(invitation.uuid)) ?? { ...invitation, creator: null },
    address,
    secret,
  };
}

/** A flow that nobody can come into with an invitation would be a surprise to whoever gets one. */
async function flowWithInvitations({ flow: find }: InvitationParts, reference: string): Promise<CompiledFlow> {
  const flow = await find(reference);
  if (flow === null) throw new DoorwardError('flow_not_found', `flow: there is no flow "${reference}"`);
  if (flow.bindings.some(({ stage }) => stage.kind === 'invitation')) return flow;
  throw new DoorwardError('refused', `flow: "${flow.slug}" has no invitation stage; bind one before its first prompt`);
}

function check({ name, fixedData, expiresAt }: InvitationChanges, now: number): void {
  if (name !== undefined && !/^[-\w]{1,150}$/.test(name))
    throw new DoorwardError('invalid_request', 'name: 1 to 150 letters, digits, hyphens or underscores');
  if (fixedData !== undefined) checkFixedData(fixedData);
  if (expiresAt !== undefined && !(expiresAt > now && expiresAt <= now + invitationLasts.most))
    throw new DoorwardError('invalid_request', 'expires: must be later than now, and at most ten years away');
}

function checkMail({ mail: { refused } }: InvitationParts, mail: string, address: string | null): void {
  if (!isEmail(mail)) throw new DoorwardError('invalid_request', 'mail: must be an e-mail address');
  if (address === null) throw new DoorwardError('invalid_request', 'mail: needs a flow that the link leads to');
  if (refused !== null) throw new DoorwardError('refused', `mail: ${refused}`);
}

function told({ uuid, name, flow }: Invitation): JsonObject {
  return { model: 'invitation', pk: uuid, name, flow };
}

async function event({ store, now }: InvitationParts, action: string, context: JsonObject, actor: Actor) {
  const { via, by, address = '', requestId = '' } = actor;
  const person = by === undefined ? null : await store.read.user(by);
  const user = person === null ? null : { pk: person.id, username: person.username };
  return {
    kind: 'event',
    event: { action, user, context: { ...context, via }, address, requestId, flow: null, at: now() },
  } as const;
}
