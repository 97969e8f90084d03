import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoorwardOptions } from '../../src/app/options.ts';
import { listen } from '../../src/http/server.ts';
import { createDoorward, type Doorward } from '../../src/index.ts';

/** A busy machine may take long about little. */
const patienceMs = 60_000;

/** A Doorward on a free port of loopback. */
export interface TestServer {
  readonly auth: Doorward;
  readonly origin: string;
  /** Where it listens, whatever its public address is. */
  readonly local: string;
  close(): Promise<void>;
}

/** Answers a request, perhaps with an eye on it. */
export type Around = (answer: () => Promise<Response>) => Promise<Response>;

/** Starts a server with the real hasher, on a throwaway SQLite file unless a database is given. */
export async function startServer(
  options: Partial<DoorwardOptions> = {},
  around: Around = (answer) => answer(),
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-server-'));
  let auth: Doorward | null = null;
  const server = await listen(
    async (request, info) => around(async () => auth?.fetch(request, info) ?? new Response(null, { status: 503 })),
    {
      host: '127.0.0.1',
      port: 0,
    },
  );
  const origin = options.publicUrl ?? `http://localhost:${server.port}`;
  auth = await createDoorward({
    secretKey: 'the secret key of a test which is no secret',
    publicUrl: origin,
    alsoOrigins: [`http://127.0.0.1:${server.port}`],
    ...{ expressionLimitMs: patienceMs, hookTimeoutMs: patienceMs },
    ...options,
    database: { patienceMs, ...(options.database ?? { sqlite: join(folder, 'doorward.sqlite') }) },
  });
  const running = auth;
  return {
    auth,
    origin,
    local: `http://localhost:${server.port}`,
    async close() {
      await server.close();
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
