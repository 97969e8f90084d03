import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterEach } from 'vitest';

/** A server on a free port of loopback. */
export interface LocalServer {
  readonly origin: string;
  close(): Promise<void>;
}

export async function openServer(listener: RequestListener): Promise<LocalServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  // Whoever asks again must not meet a connection that is about to end.
  server.keepAliveTimeout = 0;
  await once(server, 'listening');
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Servers that are gone after their test. @returns what starts one, and gives its origin */
export function localServers(): (listener: RequestListener) => Promise<string> {
  const servers: LocalServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (listener) => {
    const server = await openServer(listener);
    servers.push(server);
    return server.origin;
  };
}

/** Notes what it is asked: method, path, `X-Asked` and body. */
export function noting(seen: unknown[], status: number, text: string): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push([request.method, request.url, request.headers['x-asked'], Buffer.concat(chunks).toString()]);
    response.writeHead(status, { 'X-Said': 'yes' }).end(text);
  };
}

/** Leads from `/here` on to where it says that one arrived, from `/away` to another server, from `/round` nowhere. */
export function leading(away: string): RequestListener {
  return (request, response) => {
    const to = { '/here': '/there', '/away': away, '/round': '/round' }[String(request.url)];
    if (to === undefined) response.end('arrived');
    else response.writeHead(302, { location: to }).end();
  };
}
