import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import { DoorwardError } from '../kernel/errors.ts';
import type { Handler } from './exchange.ts';

/** A server that answers. */
export interface Listening {
  readonly port: number;
  /** Stops accepting, answers what is under way (at most ten seconds), and closes. */
  close(): Promise<void>;
}

const graceMs = 10_000;
/** What was sent on a new connection while the server closes has arrived by then. */
const firstRequestMs = 500;

/**
 * Puts a handler on a port. `port` 0 takes a free one.
 *
 * @throws DoorwardError `configuration` when the address cannot be listened on
 */
export async function listen(handler: Handler, { host, port }: { host: string; port: number }): Promise<Listening> {
  let closing = false;
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming } = env as { incoming: IncomingMessage };
      const response = await handler(request, { address: incoming.socket.remoteAddress ?? '' });
      if (closing) response.headers.set('connection', 'close');
      return response;
    },
    { errorHandler: unreadable },
  );
  // Browsers open connections ahead of time; the server takes those for busy and would wait for them at the end.
  const unused = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    unused.delete(incoming.socket);
    void listener(incoming, outgoing);
  });
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  await opened(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timers = [
        setTimeout(() => {
          for (const socket of unused) socket.destroy();
        }, firstRequestMs),
        setTimeout(() => server.closeAllConnections(), graceMs),
      ];
      await closed;
      timers.forEach(clearTimeout);
    },
  };
}

/** A request without a host, or with an address that is none: it never gets to a handler. */
function unreadable(error: unknown): Response {
  if (!(error instanceof RequestError)) throw error;
  const said = { detail: 'The request is not valid.', code: 'invalid_request' };
  return Response.json(said, { status: 400, headers: { 'cache-control': 'no-store' } });
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const said =
        error.code === 'EADDRINUSE'
          ? `DOORWARD_PORT: port ${port} is in use; choose another one`
          : `DOORWARD_HOST: cannot listen on ${host}:${port}: ${error.message}`;
      reject(new DoorwardError('configuration', said));
    });
    server.listen(port, host, () => resolve());
  });
}
