import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '..', '..');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The built program, as `doorward` runs it, with a data folder of its own. */
export interface Program {
  /** Throwaway folder; `data` in it is the data folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command to its end. */
  run(args: readonly string[], more?: { input?: string; env?: Readonly<Record<string, string>> }): Promise<Ran>;
  /** Starts `doorward serve` and waits until it is ready. */
  serve(env?: Readonly<Record<string, string>>): Promise<Serving>;
  /** Ends what still runs and deletes what was built and written. */
  remove(): Promise<void>;
}

/** A `doorward serve` that is ready. */
export interface Serving {
  readonly pid: number;
  readonly origin: string;
  /** Standard output so far. */
  out(): string;
  /** Waits until its standard output says this. */
  said(text: RegExp): Promise<void>;
  /** Waits until its log says this. */
  logged(text: RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Exit code. */
  readonly ended: Promise<number | null>;
}

/** Builds the command line beside the installed packages, so that no other build gets in the way. */
export async function buildProgram(): Promise<Program> {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(join(cache, 'doorward-test-'));
  const folder = mkdtempSync(join(tmpdir(), 'doorward-program-'));
  await promisify(execFile)(process.execPath, ['scripts/build.js', '--out', relative(root, built)], { cwd: root });
  const cli = join(built, 'cli.js');
  const env = {
    ...{ PATH: process.env.PATH ?? '', DOORWARD_DATA_DIR: join(folder, 'data'), DOORWARD_PORT: '0' },
  };
  const running = new Set<ChildProcess>();
  const start = (args: readonly string[], more: Readonly<Record<string, string>>): ChildProcess => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env: { ...env, ...more } });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };
  return {
    ...{ folder, env },
    async run(args, { input = '', env: more = {} } = {}) {
      const child = start(args, more);
      child.stdin?.on('error', () => undefined).end(input);
      const [out, err] = [gather(child.stdout), gather(child.stderr)];
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, out: out.text(), err: err.text() };
    },
    serve: (more = {}) => serving(start(['serve'], more)),
    async remove() {
      await Promise.all(
        [...running].map((child) => {
          child.kill('SIGKILL');
          return once(child, 'exit');
        }),
      );
      for (const path of [built, folder]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Starts a server whose port is known ahead; where somebody else took it meanwhile, on another one. */
export async function onFreePort<Started>(start: (port: number) => Promise<Started>): Promise<[Started, number]> {
  for (;;) {
    const port = await freePort();
    try {
      return [await start(port), port];
    } catch (error) {
      if (!String(error).includes('is in use')) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serving(child: ChildProcess): Promise<Serving> {
  const [out, err] = [gather(child.stdout), gather(child.stderr)];
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const ready = out.until(/Doorward ready at (\S+)\//);
  const failed = ended.then((code) => {
    throw new Error(`doorward serve ended with ${code}: ${err.text()}`);
  });
  failed.catch(() => undefined);
  await Promise.race([ready, failed]);
  return {
    ...{ pid: child.pid ?? 0, ended, out: out.text },
    origin: /Doorward ready at (\S+)\//.exec(out.text())?.[1] ?? '',
    ...{ said: out.until, logged: err.until },
    signal: (name) => void child.kill(name),
  };
}

function gather(stream: NodeJS.ReadableStream | null): { text(): string; until(found: RegExp): Promise<void> } {
  let text = '';
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return {
    text: () => text,
    async until(found) {
      while (!found.test(text)) await once(stream as NodeJS.ReadableStream, 'data');
    },
  };
}
