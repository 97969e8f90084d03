import { once } from 'node:events';
import { createServer } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A message as the mail server got it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Decoded, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly html: string;
  /** The first link of the text, and its six digits. */
  readonly link: string;
  readonly code: string;
  readonly raw: string;
}

/** A real mail server on a free port of loopback. */
export interface MailServer {
  readonly url: string;
  readonly received: ReceivedMail[];
  /** Answers each recipient: null takes it, else the status of the refusal. */
  answer: () => number | null;
  /** The next message to an address that was not asked for yet; waits for it. */
  next(to?: string): Promise<ReceivedMail>;
  close(): Promise<void>;
}

export async function openMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const taken = new Set<ReceivedMail>();
  const waiting = new Set<() => void>();
  const mailServer = { answer: (): number | null => null };
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    onRcptTo(_address, _session, done) {
      const status = mailServer.answer();
      done(status === null ? null : Object.assign(new Error('no'), { responseCode: status }));
    },
    onData(stream, { envelope }, done) {
      let raw = '';
      stream.setEncoding('utf8');
      stream.on('data', (part: string) => {
        raw += part;
      });
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push(read(raw, from, to));
        for (const look of waiting) look();
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const bound = server.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return Object.assign(mailServer, {
    url: `smtp://127.0.0.1:${port}`,
    received,
    async next(to?: string) {
      for (;;) {
        const found = received.find((mail) => !taken.has(mail) && (to === undefined || mail.to.includes(to)));
        if (found !== undefined) {
          taken.add(found);
          return found;
        }
        await new Promise<void>((resolve) => void waiting.add(resolve));
      }
    },
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  });
}

/** The address of a mail server that does not answer. */
export async function closedPort(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return `smtp://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

function read(raw: string, from: string, to: readonly string[]): ReceivedMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const headers = headersOf(head);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`).slice(1, -1).map(partOf);
  const text = parts.find(({ type }) => type.startsWith('text/plain'))?.body ?? '';
  const html = parts.find(({ type }) => type.startsWith('text/html'))?.body ?? '';
  const link = /^https?:\/\/\S+$/m.exec(text)?.[0] ?? '';
  const code = /^ {4}(\d{6})$/m.exec(text)?.[1] ?? '';
  return { from, to, headers, text, html, link, code, raw };
}

function headersOf(head: string): ReadonlyMap<string, string> {
  const lines = head
    .trim()
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), words(line.slice(at + 1).trim())];
    }),
  );
}

/** Encoded words (RFC 2047). */
function words(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how: string, coded: string) =>
      how.toLowerCase() === 'b' ? Buffer.from(coded, 'base64').toString('utf8') : quoted(coded.replaceAll('_', ' ')),
    );
}

function partOf(part: string): { readonly type: string; readonly body: string } {
  const at = part.indexOf('\r\n\r\n');
  const headers = headersOf(part.slice(0, at));
  const body = part.slice(at + 4);
  const coded = headers.get('content-transfer-encoding') ?? '';
  const plain =
    coded === 'base64'
      ? Buffer.from(body, 'base64').toString('utf8')
      : coded === 'quoted-printable'
        ? quoted(body.replace(/=\r\n/g, ''))
        : body;
  return { type: headers.get('content-type') ?? '', body: plain.replaceAll('\r\n', '\n').trim() };
}

function quoted(coded: string): string {
  const bytes = coded.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
