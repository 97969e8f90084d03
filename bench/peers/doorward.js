/* Doorward as a library on node:http, with the flows that it ships; only the counters against guessing are off. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createDoorward } from 'doorward';
import { plainHasher } from '../in-process.js';
import { keptMail } from '../kept-mail.js';
import { listen, runPeer, secret, withMail } from './control.js';

await runPeer(async ({ database, hashing, port: wanted }) => {
  /** @type {import('doorward').Doorward | null} */
  let auth = null;
  /** @type {ReturnType<typeof keptMail> | null} */
  let mail = null;
  const codeFor = async (/** @type {string} */ address) => {
    mail ??= keptMail(database, secret);
    return (await mail)(address.replace(/@.*/, ''));
  };
  const listener = getRequestListener((request, { incoming }) =>
    auth === null
      ? new Response(null, { status: 503 })
      : auth.fetch(request, { address: incoming.socket.remoteAddress ?? '' }),
  );
  const server = createServer(withMail(codeFor, listener));
  const port = await listen(server, wanted);
  const origin = `http://127.0.0.1:${port}`;
  const ready = await createDoorward({
    database: database.startsWith('postgres') ? { postgres: database } : { sqlite: database },
    secretKey: secret,
    publicUrl: origin,
    rateLimits: false,
    ...(hashing ? {} : { hasher: plainHasher }),
  });
  auth = ready;
  return {
    port,
    users: async () => (await ready.users.list({ pageSize: 1 })).total,
    async signedIn(cookie) {
      const session = await ready.session(new Request(origin, { headers: { cookie } }));
      return session?.user.email ?? null;
    },
  };
});
