/** What expressions may ask other servers: those that the administrator names, with limits, and no private address. */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { lookup as lookUp, reverse } from 'node:dns/promises';
import { request as askPlain, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as askSafely } from 'node:https';
import { BlockList, isIP } from 'node:net';
import type { ExpressionHosts } from '../engine/expression-hosts.ts';
import { CodeException } from '../engine/expressions.ts';
import type { OutboundReply, OutboundRequest } from '../engine/outbound.ts';

const usualLimitMs = 2_000;
const mostBytes = 64 * 1024;
const mostRedirects = 3;

type Asked = Omit<OutboundRequest, 'timeoutMs'>;

/**
 * @param hosts names, and addresses that are allowed although they are private
 * @param limitMs milliseconds that a server may take
 */
export function createExpressionHosts(hosts: readonly string[], limitMs: number = usualLimitMs): ExpressionHosts {
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));
  const check = (host: string): void => {
    if (!allowed.has(host.toLowerCase()))
      throw new Error(
        `expressions may not ask ${host}; to allow it, name it in DOORWARD_EXPRESSION_HOSTS (option expressionHosts)`,
      );
  };
  return {
    async send(address, asked) {
      const signal = AbortSignal.timeout(limitMs);
      let url = new URL(address);
      for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
        if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error(`${url.protocol} is not HTTP`);
        check(nameOf(url));
        const reply = await ask(url, asked, allowed, signal);
        const next = asked.method === 'GET' ? redirectOf(reply, url) : null;
        if (next === null) return reply;
        url = next;
      }
      throw unreachable(nameOf(url), `redirects more than ${mostRedirects} times`);
    },
    async resolve(name) {
      check(name);
      const found = await lookUp(name, { all: true }).catch(() => []);
      return found.map(({ address }) => address);
    },
    async reverse(address) {
      if (allowed.size === 0 || isIP(address) === 0) check(address);
      return (await reverse(address).catch(() => []))[0] ?? address;
    },
  };
}

function ask(url: URL, asked: Asked, allowed: ReadonlySet<string>, signal: AbortSignal): Promise<OutboundReply> {
  const host = nameOf(url);
  const { method = 'GET', headers = {}, body } = asked;
  const options = { method, headers: { 'user-agent': 'Doorward', ...headers }, signal, agent: false };
  if (isIP(host) !== 0 && isPrivate(host) && !allowed.has(host)) throw unreachable(host, 'is a private address');
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) =>
      reject(unreachable(host, signal.aborted ? 'gave no whole answer in time' : reasonOf(error)));
    const asking: ClientRequest = (url.protocol === 'https:' ? askSafely : askPlain)(
      url,
      { ...options, lookup: lookupAmong(allowed) },
      (incoming) => void replyOf(incoming).then(resolve, failed),
    );
    asking.on('error', failed);
    asking.end(body);
  });
}

async function replyOf(incoming: IncomingMessage): Promise<OutboundReply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > mostBytes) throw new Error(`answered with more than ${mostBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return {
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

/** The very address that is connected to is checked, so that a name cannot mean another one a moment later. */
function lookupAmong(allowed: ReadonlySet<string>) {
  return (
    name: string,
    options: LookupOptions,
    done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const usable = addresses.filter(({ address }) => !isPrivate(address) || allowed.has(address));
      const [first] = usable;
      if (first === undefined) return done(new Error('has private addresses alone'), []);
      if (options.all === true) done(null, usable);
      else done(null, first.address, first.family);
    });
  };
}

const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv6');

/** An IPv4 address in an IPv6 one is judged as what it is (`::ffff:10.0.0.1`). */
function isPrivate(address: string): boolean {
  return privateAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function redirectOf({ status, headers }: OutboundReply, at: URL): URL | null {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined || !URL.canParse(location, at)) return null;
  const next = new URL(location, at);
  return next.origin === at.origin ? next : null;
}

/** Without brackets, as addresses are written elsewhere. */
function nameOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function unreachable(host: string, reason: string): CodeException {
  return new CodeException('RuntimeError', `${host} ${reason}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be asked';
  return 'code' in error ? `cannot be asked (${String(error.code)})` : error.message;
}
