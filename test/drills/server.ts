/*
 * A server process of the drills: Doorward as a library on a free port, which it tells its parent. Unless told otherwise
 * hashing costs nothing (an option of the library alone), so that it is writes that are many. It ends with its parent,
 * however that ends.
 */
import { listen } from '../../src/http/server.ts';
import { createDoorward, type DatabaseOption, type Doorward } from '../../src/index.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { blueprints } from './flows.ts';

/** What a server process is told, as JSON. */
export interface ServerOrder {
  readonly database: DatabaseOption;
  readonly publicUrl: string;
  readonly secretKey: string;
  /** With the real hasher and its bounded queue. */
  readonly hashing: boolean;
  readonly webhook: { readonly url: string; readonly secret: string };
}

process.once('disconnect', () => process.exit());

const { database, publicUrl, secretKey, hashing, webhook } = JSON.parse(process.argv[2] ?? '{}') as ServerOrder;
let auth: Doorward | null = null;
const server = await listen(
  async (request, info) => auth?.fetch(request, info) ?? new Response(null, { status: 503 }),
  { host: '127.0.0.1', port: 0 },
);
auth = await createDoorward({
  ...{ database, publicUrl, secretKey, blueprints, webhooks: [webhook], rateLimits: false },
  ...(hashing ? {} : { hasher: openHasher }),
  log: (level, message, fields) => {
    if (level === 'error') console.error(`${message} ${JSON.stringify(fields ?? {})}`);
  },
});
process.send?.({ port: server.port });
