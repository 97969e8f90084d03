import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program, type Serving } from '../support/program.ts';
import { hiddenFields, send, signUp, WebClient } from '../support/web-client.ts';

const flow = 'default-enrollment-flow';
const page = `/if/flow/${flow}/`;

/** A way to let a running server's file system refuse to write, and to end that. */
interface Shortage {
  readonly name: string;
  /** Whether this machine allows it. */
  readonly possible: boolean;
  prepare(data: string): void;
  begin(data: string, server: Serving): void;
  end(data: string, server: Serving): void;
  remove(data: string): void;
}

const nothing = (): void => undefined;

/** Works for anybody on Linux: the files of the process may not grow. */
const fileSize: Shortage = {
  name: 'files may not grow',
  possible: works('prlimit', ['--version']),
  prepare: nothing,
  begin: (_, { pid }) => void execFileSync('prlimit', ['--pid', String(pid), '--fsize=4096:unlimited']),
  end: (_, { pid }) => void execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']),
  remove: nothing,
};

/** The real thing, a file system without room; only root may make one. */
const fullDisk: Shortage = {
  name: 'a disk without room',
  possible:
    process.getuid?.() === 0 && works('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', '/mnt']),
  prepare(data) {
    mkdirSync(data, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'doorward-test', data]);
  },
  begin(data) {
    const room = Buffer.alloc(4096);
    try {
      for (;;) appendFileSync(join(data, 'ballast'), room);
    } catch {
      // There is no room left.
    }
  },
  end: (data) => rmSync(join(data, 'ballast')),
  remove: (data) => void execFileSync('umount', ['--lazy', data]),
};

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.each([fileSize, fullDisk])('the SQLite file cannot be written: $name', (shortage) => {
  let program: Program;
  let server: Serving;
  let data = '';
  beforeAll(async () => {
    if (!shortage.possible) return;
    program = await buildProgram();
    data = join(program.folder, 'disk');
    shortage.prepare(data);
    server = await program.serve({ DOORWARD_DATA_DIR: data });
  });
  afterAll(async () => {
    if (!shortage.possible) return;
    server.signal('SIGTERM');
    await server.ended;
    shortage.remove(data);
    await program.remove();
  });

  it.skipIf(!shortage.possible)(
    '503 without a loss, and the same answer is taken when there is room again',
    async () => {
      const [client, person] = [new WebClient(server.origin), new WebClient(server.origin)];
      await client.open(flow);
      const form = { ...hiddenFields((await person.request(page)).text), ...signUp('grace') };
      shortage.begin(data, server);
      for (const _ of [1, 2]) {
        const json = await client.post(signUp('ada'));
        expect([json.status, json.json().code]).toEqual([503, 'store_unavailable']);
        expect(Number(json.headers['retry-after'])).toBeGreaterThan(0);
      }
      expect((await person.submit(page, form)).status).toBe(503);
      // Reading goes on.
      expect((await send(server.origin, page)).status).toBe(200);
      expect((await send(server.origin, '/-/health/live/')).status).toBe(200);
      shortage.end(data, server);
      await client.answer(signUp('ada'));
      expect(await client.whoAmI()).toBe('ada');
      expect((await person.submit(page, form)).headers.location).toBe('/');
      expect(await person.whoAmI()).toBe('grace');
      const { out } = await program.run(['user', 'list', '--json'], { env: { DOORWARD_DATA_DIR: data } });
      expect((JSON.parse(out) as { total: number }).total).toBe(2);
    },
  );
});
