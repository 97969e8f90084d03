import type { Outbound, OutboundReply, OutboundRequest } from '../engine/outbound.ts';

const mostBytes = 1_048_576;
const mostRedirects = 3;

/** HTTP by the platform's `fetch`, with a limit of time, size and redirects. */
export function createOutbound(): Outbound {
  return {
    async send(url, request) {
      const { host, protocol } = new URL(url);
      if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`${protocol} is not HTTP`);
      try {
        return await ask(new URL(url), request, AbortSignal.timeout(request.timeoutMs));
      } catch (error) {
        throw new Error(`${host} ${reasonOf(error, request.timeoutMs)}`);
      }
    },
  };
}

async function ask(
  url: URL,
  { method = 'GET', headers = {}, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundReply> {
  const init = { method, headers: { 'user-agent': 'Doorward', ...headers }, redirect: 'manual', signal } as const;
  for (let redirects = 0, at = url; ; redirects += 1) {
    const response = await fetch(at, body === undefined ? init : { ...init, body });
    const next = method === 'GET' || method === 'HEAD' ? redirectOf(response, at) : null;
    if (next === null) return { status: response.status, headers: headersOf(response), text: await textOf(response) };
    await response.body?.cancel();
    if (redirects === mostRedirects) throw new TooMuch(`redirects more than ${mostRedirects} times`);
    at = next;
  }
}

/** Where to ask next, on the same origin. What was asked is not for another server to see. */
function redirectOf({ status, headers }: Response, at: URL): URL | null {
  const location = headers.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || location === null || !URL.canParse(location, at)) return null;
  const next = new URL(location, at);
  return next.origin === at.origin ? next : null;
}

/** Counted as it comes in, after decompression: a reply cannot fill the memory. */
async function textOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new TooMuch(`answered with more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf({ headers }: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(headers);
}

/** A limit of ours; its message is shown as it is. */
class TooMuch extends Error {}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof TooMuch) return error.message;
  if (!(error instanceof Error)) return 'cannot be asked';
  if (error.name === 'TimeoutError') return `gave no whole answer within ${timeoutMs / 1000} seconds`;
  const code: unknown = error.cause instanceof Error ? Reflect.get(error.cause, 'code') : undefined;
  return `cannot be asked (${typeof code === 'string' ? code : error.name})`;
}
