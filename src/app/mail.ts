/** Mail out of the outbox: which server takes it, what it says, and what stages need to know of it. */
import { createSmtp } from '../adapters/mail/smtp.ts';
import { createTemplates, type MailTemplates } from '../adapters/mail/templates.ts';
import type { Twins } from '../adapters/mail/twins.ts';
import { type Mail, nobodysChannel } from '../engine/mail.ts';
import type { Commit, CommitAnswer, Tools } from '../engine/ports.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { OpenStore } from '../store/open.ts';
import type { Deliver } from './deliver.ts';
import type { MailOptions } from './options.ts';
import type { Places } from './places.ts';

/** The mail of an installation. */
export interface MailRoom {
  readonly templates: MailTemplates;
  /** The message as its reader gets it. */
  write(mail: Mail): Promise<Twins>;
  /** Whether a mail server is known; without one messages wait in the outbox to be read there. */
  readonly leaves: boolean;
  /** How messages are delivered, by channel. */
  readonly channels: ReadonlyMap<string, Deliver>;
  readonly desk: Tools['mail'];
  close(): Promise<void>;
}

interface MailParts {
  readonly options: MailOptions;
  /** Where links begin: the public origin and the path below which the application mounts Doorward. */
  readonly linkBase: string;
  /** Public name of the server. */
  readonly host: string;
  readonly brandName: string;
  readonly places: Pick<Places, 'inMail'>;
  now(): number;
}

/** @throws DoorwardError `configuration` */
export function createMailRoom({ options, linkBase, host, brandName, places, now }: MailParts): MailRoom {
  const templates = createTemplates(brandName, options.templates ?? null);
  const from = options.from ?? `no-reply@${host}`;
  const smtp = options.smtp === undefined ? null : createSmtp(options.smtp, from);
  const write = async (mail: Mail) => templates.write(await places.inMail(mail));
  const deliver: Deliver = async ({ uuid, payload }) => {
    const mail = mailOf(payload);
    // Its link is void: to send it now would only puzzle its reader.
    if (smtp === null || (mail.until ?? Number.POSITIVE_INFINITY) <= now()) return null;
    return smtp.send(uuid, mail, await write(mail));
  };
  // A stand-in's message takes what a real one takes, up to the mail server's door.
  const drop: Deliver = async ({ payload }) => {
    await write(mailOf(payload));
    return null;
  };
  return {
    ...{ templates, write },
    leaves: smtp !== null,
    channels: new Map([[nobodysChannel, drop], ...(smtp === null ? [] : ([['mail', deliver]] as const))]),
    desk: { linkBase, refused: options.refused ?? null, hasTemplate: (name) => templates.has(name) },
    close: async () => smtp?.close(),
  };
}

/** A message as `mailEffect` put it into the outbox. */
export function mailOf(payload: JsonObject): Mail {
  return payload as unknown as Mail;
}

/** The store, which tells of every commit that leaves a message behind, so that it need not wait to be looked for. */
export function tellingOfMessages(store: OpenStore, left: () => void): OpenStore {
  return {
    ...store,
    async commit(commit: Commit): Promise<CommitAnswer> {
      const answer = await store.commit(commit);
      if (answer.status === 'done' && commit.effects.some(({ kind }) => kind === 'outbox')) left();
      return answer;
    },
  };
}
