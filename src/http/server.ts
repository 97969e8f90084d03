import { createServer, type IncomingMessage, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { DoorwardError } from '../kernel/errors.ts';
import type { Handler } from './handler.ts';

/** A server that answers. */
export interface Listening {
  readonly port: number;
  /** Stops accepting, answers what is under way (at most ten seconds), and closes. */
  close(): Promise<void>;
}

const graceMs = 10_000;

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
    { overrideGlobalObjects: false },
  );
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
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
      const force = setTimeout(() => server.closeAllConnections(), graceMs);
      force.unref();
      await closed;
      clearTimeout(force);
    },
  };
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
