import { openServer } from './local-servers.ts';

/** A webhook as it came in. */
export interface Received {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly type: string | undefined;
  readonly body: string;
}

/** The other side of webhooks: a real server, which answers what it is told to. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Status for a webhook; 204 unless a test says otherwise. */
  answer: (received: Received) => number | Promise<number>;
  /** Waits until so many came in. */
  until(count: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

export async function openReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const { origin, close } = await openServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const header = (name: string): string => String(request.headers[name]);
    const one = {
      ...{ id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature') },
      ...{ type: request.headers['content-type'], body: Buffer.concat(chunks).toString('utf8') },
    };
    received.push(one);
    for (const look of waiting) look();
    response.writeHead(await receiver.answer(one), { location: '/elsewhere' }).end('taken or not');
  });
  const receiver: WebhookReceiver = {
    url: `${origin}/events`,
    received,
    answer: () => 204,
    until: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (received.length < count) return;
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
      }),
    close,
  };
  return receiver;
}

/**
 * Whether a signature is right, by the scheme's own words and nothing of the product: the part of the secret after
 * `whsec_` is the key in base64, and what is signed is id, timestamp and body with dots between.
 */
export async function isSigned({ id, timestamp, body, signature }: Received, secret: string): Promise<boolean> {
  const bytes = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes(secret.replace('whsec_', '')), algorithm, false, ['verify']);
  const content = new TextEncoder().encode([id, timestamp, body].join('.'));
  for (const one of signature.split(' ')) {
    const [version, encoded = ''] = one.split(',');
    if (version === 'v1' && (await crypto.subtle.verify('HMAC', key, bytes(encoded), content))) return true;
  }
  return false;
}
