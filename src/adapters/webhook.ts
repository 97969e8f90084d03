import { createHmac } from 'node:crypto';

/** One attempt to deliver a webhook. */
export interface WebhookCall {
  readonly url: string;
  /** `whsec_…`; several, separated by commas, all sign. */
  readonly secret: string;
  /** The same for every attempt. */
  readonly id: string;
  /** Of this attempt, milliseconds since the epoch. */
  readonly at: number;
  /** Sent and signed as it is. */
  readonly body: string;
}

const timeoutMs = 10_000;
const keyBytes = { least: 24, most: 64 };

/** The signing keys of a secret in the scheme's form, or null when it is not of that form. */
export function webhookKeys(secret: string): readonly Buffer[] | null {
  const keys: Buffer[] = [];
  for (const one of secret.split(',')) {
    const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(one.trim())?.[1];
    const key = Buffer.from(encoded ?? '', 'base64');
    if (key.length < keyBytes.least || key.length > keyBytes.most) return null;
    keys.push(key);
  }
  return keys;
}

/**
 * Sends one webhook, signed by the Standard Webhooks scheme (version 1.0.0, symmetric). Redirects are not followed: an
 * address that moved is the administrator's to change.
 *
 * @returns null when it was taken (2xx), else why not; never anything that the other side sent
 */
export async function sendWebhook(call: WebhookCall): Promise<string | null> {
  const { url, id, body } = call;
  const timestamp = String(Math.floor(call.at / 1000));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Doorward',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures(call, timestamp),
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return reasonOf(error);
  }
}

function signatures({ secret, id, body }: WebhookCall, timestamp: string): string {
  const keys = webhookKeys(secret) ?? [];
  const sign = (key: Buffer): string => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return keys.map((key) => `v1,${sign(key)}`).join(' ');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} seconds`;
  const code: unknown = error.cause instanceof Error ? Reflect.get(error.cause, 'code') : undefined;
  return typeof code === 'string' ? code : error.message;
}
