/*
 * A server process of the drills: Doorward as a library on a free port, which it tells its parent. Unless told otherwise
 * hashing costs nothing (an option of the library alone), so that it is writes that are many. It ends with its parent,
 * however that ends.
 */
import { createPasswordHasher } from '../../src/adapters/password/hasher.ts';
import { listen } from '../../src/http/server.ts';
import { createDoorward, type DatabaseOption, type Doorward, type Hasher } from '../../src/index.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { blueprints } from './flows.ts';
import type { Leak } from './timing.ts';

/** What a server process is told, as JSON. */
export interface ServerOrder {
  readonly database: DatabaseOption;
  readonly publicUrl: string;
  readonly secretKey: string;
  /** With the real hasher and its bounded queue. */
  readonly hashing: boolean;
  readonly webhook: { readonly url: string; readonly secret: string };
  /** Counters and mail as a site has them; otherwise there are none. */
  readonly asInLife?: AsInLife;
}

export interface AsInLife {
  readonly smtp: string;
  readonly blueprints: readonly { readonly name: string; readonly text: string }[];
  readonly leak: Leak | null;
}

process.once('disconnect', () => process.exit());

const { database, publicUrl, secretKey, hashing, webhook, asInLife } = JSON.parse(
  process.argv[2] ?? '{}',
) as ServerOrder;
let auth: Doorward | null = null;
const server = await listen(
  async (request, info) => auth?.fetch(request, info) ?? new Response(null, { status: 503 }),
  { host: '127.0.0.1', port: 0 },
);
const unbounded = { perClient: Number.POSITIVE_INFINITY, inAll: Number.POSITIVE_INFINITY };
auth = await createDoorward({
  ...{ database, publicUrl, secretKey, blueprints, webhooks: [webhook], rateLimits: false },
  ...(hashing ? {} : { hasher: openHasher }),
  ...(asInLife === undefined
    ? {}
    : {
        ...{ blueprints: asInLife.blueprints, mail: { smtp: asInLife.smtp }, webhooks: [] },
        // Each visitor comes through a proxy, from an address of their own, and no budget ends before the drill does.
        ...{ trustedProxies: ['127.0.0.0/8', '::1/128'], hasher: leaking(asInLife.leak) },
        rateLimits: { passwords: unbounded, messages: unbounded, codes: unbounded, signUps: unbounded },
      }),
  log: (level, message, fields) => {
    if (level === 'error') console.error(`${message} ${JSON.stringify(fields ?? {})}`);
  },
});
process.send?.({ port: server.port });

function leaking(leak: Leak | null): Hasher {
  const hasher = createPasswordHasher();
  if (leak === null) return hasher;
  if (leak === 'no_decoy') return { ...hasher, decoy: async () => undefined };
  return {
    ...hasher,
    async decoy(password, format) {
      await hasher.decoy(password, format);
      for (const until = performance.now() + 1; performance.now() < until; );
    },
  };
}
