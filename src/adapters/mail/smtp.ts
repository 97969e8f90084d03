import type { Mail } from '../../engine/mail.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import type { Twins } from './twins.ts';

/** A mail server. */
export interface Smtp {
  /**
   * Hands one message over. `id` is the same in every attempt.
   *
   * @returns null when it was taken, else why not; never anything that the other side wrote. `forGood`: the address is
   * refused, and would be again, while later messages of the same user wait
   */
  send(
    id: string,
    mail: Pick<Mail, 'to' | 'from'>,
    twins: Twins,
  ): Promise<string | { readonly why: string; readonly forGood: true } | null>;
  close(): Promise<void>;
}

/** Less than a message is leased for. */
const timeoutMs = 10_000;

/**
 * A mail server by its address: `smtp://name:password@host:port`, or `smtps://…` for TLS from the start.
 *
 * @param from `Name <address>` or an address
 * @throws DoorwardError `configuration`; never with the password
 */
export function createSmtp(address: string, from: string): Smtp {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new DoorwardError(
      'configuration',
      'mail.smtp (DOORWARD_SMTP_URL): must be smtp://host:port or smtps://host:port',
    );
  const domain = /@([^\s>]+)>?\s*$/.exec(from)?.[1];
  if (domain === undefined || /[\r\n]/.test(from))
    throw new DoorwardError('configuration', `mail.from: "${from}" is not an address such as no-reply@example.com`);
  let transport: ReturnType<typeof open> | null = null;
  return {
    async send(id, mail, { subject, text, html }) {
      transport ??= open(url);
      try {
        await (await transport).sendMail({
          ...{ from: mail.from ?? from, to: mail.to, subject, text, html, messageId: `<${id}@${domain}>` },
          headers: { 'Auto-Submitted': 'auto-generated' },
          // What a message holds is text alone: nothing in it is read from a file or an address.
          ...{ disableFileAccess: true, disableUrlAccess: true },
        });
        return null;
      } catch (error) {
        return reasonOf(error);
      }
    },
    async close() {
      (await transport)?.close();
    },
  };
}

/** Loaded on first use: most requests send no mail. */
async function open(url: URL) {
  const { createTransport } = await import('nodemailer');
  const { username, password } = url;
  return createTransport({
    ...{ host: url.hostname.replace(/^\[|\]$/g, ''), secure: url.protocol === 'smtps:' },
    port: url.port === '' ? (url.protocol === 'smtps:' ? 465 : 587) : Number(url.port),
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    ...{ pool: true, maxConnections: 4, connectionTimeout: timeoutMs, greetingTimeout: timeoutMs },
    socketTimeout: 2 * timeoutMs,
  });
}

function reasonOf(error: unknown): string | { readonly why: string; readonly forGood: true } {
  if (!(error instanceof Error)) return 'failed';
  const [code, status]: unknown[] = [Reflect.get(error, 'code'), Reflect.get(error, 'responseCode')];
  const known = [code, status].filter((part) => typeof part === 'string' || typeof part === 'number');
  const why = known.length === 0 ? error.name : `the mail server: ${known.join(' ')}`;
  const isRefused = (code === 'EENVELOPE' || code === 'EMESSAGE') && Number(status) >= 500;
  return isRefused ? { why, forGood: true } : why;
}
