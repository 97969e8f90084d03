/** Mail that was not delivered yet, for whoever runs the server: what a mailbox shows where no mail server is set. */
import type { Twins } from '../adapters/mail/twins.ts';
import { type Mail, mailTemplates, noticeSubjects } from '../engine/mail.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Locale } from '../protocol/localize.ts';
import type { Outbox, PendingMessage } from '../store/outbox.ts';
import { type MailRoom, mailOf } from './mail.ts';

/** A message in the box. */
export interface KeptMail {
  readonly id: string;
  readonly to: string;
  readonly template: string;
  readonly subject: string;
  readonly state: PendingMessage['state'];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface Mailbox {
  /** The newest first. */
  list(): Promise<readonly KeptMail[]>;
  /** @throws DoorwardError `not_found` */
  show(id: string): Promise<KeptMail & Twins>;
  /** A template with made-up values; `notice` takes what it tells of after a colon. @throws DoorwardError `not_found` */
  preview(template: string, locale: Locale): Twins;
  readonly templates: readonly string[];
}

const listed = 1_000;

export function createMailbox(
  outbox: Outbox,
  room: Pick<MailRoom, 'templates' | 'write'>,
  sample: { link: string; now(): number },
): Mailbox {
  const { templates } = room;
  const kept = async (): Promise<readonly (KeptMail & Twins)[]> => {
    const found = (await outbox.pending(listed)).filter(({ kind }) => kind === 'mail');
    return (await Promise.all(found.map((message) => keptFrom(message, room)))).flat().reverse();
  };
  return {
    templates: [
      ...templates.names.filter((name) => name !== 'notice'),
      ...noticeSubjects.map((one) => `notice:${one}`),
    ],
    list: async () => (await kept()).map(({ text: _, html: __, ...entry }) => entry),
    async show(id) {
      const found = (await kept()).find((entry) => entry.id === id);
      if (found === undefined)
        throw new DoorwardError('not_found', `no message ${id} waits here; see doorward mail list`);
      return found;
    },
    preview(template, locale) {
      const [name = '', about = 'password_changed'] = template.split(':');
      if (!templates.has(name))
        throw new DoorwardError('not_found', `there is no template "${name}"; there are ${templates.names.join(', ')}`);
      return templates.write(sampleMail(name, about, locale, sample));
    },
  };
}

/** Nothing for one that cannot be read: its key is gone, or its template. */
async function keptFrom(
  { uuid, payload, state, createdAt }: PendingMessage,
  { templates, write }: Pick<MailRoom, 'templates' | 'write'>,
): Promise<(KeptMail & Twins)[]> {
  if (payload === null) return [];
  const mail = mailOf(payload);
  if (!templates.has(mail.template)) return [];
  return [{ id: uuid, to: mail.to.address, template: mail.template, state, createdAt, ...(await write(mail)) }];
}

function sampleMail(
  template: string,
  about: string,
  locale: Locale,
  { link, now }: { link: string; now(): number },
): Mail {
  const device = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const linked = mailTemplates.some((known) => known === template && known !== 'notice');
  return {
    ...{ template, locale, to: { name: 'Ada Lovelace', address: 'ada@example.com' } },
    values: {
      ...{ username: 'ada', device, place: '192.0.2.1', time: now(), about },
      ...(linked ? { url: link, code: '123456', expires: now() + 1_800_000 } : {}),
    },
  };
}
