/** One message: its link and code, what it counts as, and the effects that send it. */
import { randomInt } from 'node:crypto';
import { eventActor } from '../../engine/acting.ts';
import type { Effect } from '../../engine/effects.ts';
import { localeOf, type Mail, mailEffect, whoAsked } from '../../engine/mail.ts';
import type { RunKey } from '../../engine/run-key.ts';
import type { Desk } from '../../engine/stage.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { hashToken, newToken } from '../../kernel/ids.ts';
import { networkOf } from '../../kernel/network.ts';
import type { EmailConfig } from './config.ts';
import type { Recipient } from './recipient.ts';

type EmailDesk = Desk<EmailConfig>;

/** From one client to anybody, within the same time: so many times as many as to one address. */
const addressesPerWindow = 4;

/** A message that was decided on. `key`: its hash; null when the client has had too many. */
export interface Sent {
  readonly key: string | null;
  readonly effects: readonly Effect[];
}

/**
 * Sends one. Too many from one client are said; too many to one address are not, since that would tell that two names
 * have one account: then it goes to nobody.
 */
export async function send(desk: EmailDesk, to: Recipient): Promise<Sent> {
  const { config, read, tools, visitor } = desk;
  tools.limits.spend('messages', visitor);
  const now = tools.now();
  const windowMs = parseDuration(config.recovery_cache_timeout);
  const counted = { windowMs, at: now };
  const client = {
    bucket: `mail@${networkOf(visitor.address)}`,
    limit: config.recovery_max_attempts * addressesPerWindow,
  };
  const address = { bucket: `mail:${tools.hashToken(to.subject)}`, limit: config.recovery_max_attempts };
  const [byClient, byAddress] = await Promise.all(
    [client, address].map(({ bucket }) => read.attempts(bucket, windowMs, now)),
  );
  if ((byClient ?? 0) >= client.limit) return { key: null, effects: [] };
  const silent = (byAddress ?? 0) >= address.limit;
  const counts = (silent ? [client] : [client, address]).map(
    (guard): Effect => ({ kind: 'attempt.fail', ...guard, ...counted }),
  );
  const secrets = { token: newToken(), code: String(randomInt(1_000_000)).padStart(6, '0') };
  const key = keyOf(desk, to, secrets, silent);
  return {
    key: key.hash,
    effects: [
      ...counts,
      { kind: 'run_key.make', key },
      messageOf(desk, to, { ...secrets, key, silent }),
      sentEvent(desk, to),
    ],
  };
}

/** Of what is not sent nobody knows link or code, so that it proves nothing. */
function keyOf(
  desk: EmailDesk,
  to: Recipient,
  { token, code }: { token: string; code: string },
  silent: boolean,
): RunKey {
  const { config, flow, run, binding, visitor, tools } = desk;
  const now = tools.now();
  const isLink = to.gets === 'link' && !silent;
  return {
    hash: hashToken(token),
    codeHash: codeHash(desk, isLink ? code : newToken()),
    ...{ purpose: 'email', flow: flow.slug, version: run.version, run: run.id, binding, userId: to.user?.id ?? null },
    address: isLink ? to.address : '',
    asked: { agent: visitor.agent, address: visitor.address, locale: localeOf(to.user, visitor), at: now },
    takesOver: !to.isOwn,
    expiresAt: now + parseDuration(config.token_expiry),
  };
}

/** A code is short, so its hash is keyed, and it is good in its own run alone. */
export function codeHash({ tools, run, binding }: EmailDesk, code: string): string {
  return tools.hashToken(['code', run.id, binding, code].join('\n'));
}

interface Letter {
  readonly token: string;
  readonly code: string;
  readonly key: RunKey;
  readonly silent: boolean;
}

function messageOf(desk: EmailDesk, to: Recipient, { token, code, key, silent }: Letter): Effect {
  const { config, visitor, tools } = desk;
  const now = tools.now();
  // What never leaves is written as if it did: it proves nothing, see keyOf.
  const isLink = to.gets === 'link' || to.gets === 'nothing';
  const reader = to.told ?? to.user;
  const mail: Mail = {
    template: isLink ? templateOf(desk) : 'notice',
    locale: localeOf(reader, visitor),
    to: { name: reader?.name ?? '', address: to.address },
    values: {
      ...{ username: reader?.username ?? '', ...whoAsked(visitor, now) },
      ...(isLink ? { url: linkOf(desk, token), code, expires: key.expiresAt } : { about: to.gets }),
    },
    ...(isLink && config.subject !== '' ? { subject: config.subject } : {}),
    ...(config.from_address === '' || config.use_global_settings ? {} : { from: config.from_address }),
    until: key.expiresAt,
  };
  return mailEffect(mail, reader?.id ?? null, now, silent || to.gets === 'nothing');
}

/** EM-4: the page's own query survives. */
function linkOf({ tools, flow, query }: EmailDesk, token: string): string {
  const { flow_token: _, ...kept } = query;
  const search = new URLSearchParams({ ...kept, flow_token: token });
  return `${tools.mail.linkBase}/if/flow/${encodeURIComponent(flow.slug)}/?${search}`;
}

/** The stage's own, or what the flow is for. */
export function templateOf({ config, flow }: EmailDesk): string {
  if (config.template !== '') return config.template;
  if (flow.designation === 'recovery') return 'recovery';
  return flow.designation === 'authentication' ? 'sign_in_link' : 'confirmation';
}

function sentEvent(desk: EmailDesk, to: Recipient): Effect {
  const { visitor, stage, flow, tools } = desk;
  const context = { template: templateOf(desk), stage: { pk: stage.pk, name: stage.name } };
  return {
    kind: 'event',
    event: {
      ...{ action: 'email_sent', ...eventActor(visitor, to.user), context, flow: flow.slug, at: tools.now() },
      ...{ address: visitor.address, requestId: visitor.requestId },
    },
  };
}
