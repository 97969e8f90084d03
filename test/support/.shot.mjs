// test/support/browser.ts
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
var run = promisify(execFile);
var flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
];
var installedNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
var found;
async function launchBrowser() {
  found ??= findChromium();
  const { executablePath, env } = await found;
  return chromium.launch({ executablePath, args: flags, env });
}
async function findChromium() {
  const given = process.env.CHROMIUM_PATH;
  const reasons = [];
  const candidates = given ? [given] : installedPaths();
  for (const executablePath of candidates) {
    const reason = await whyNot({ executablePath, env: environment() });
    if (reason === void 0) return { executablePath, env: environment() };
    reasons.push(`${executablePath}: ${reason}`);
  }
  if (given) throw new Error(`CHROMIUM_PATH does not start: ${reasons.join("\n")}`);
  try {
    return await bundledChromium();
  } catch (error) {
    reasons.push(`@sparticuz/chromium: ${error instanceof Error ? error.message : error}`);
  }
  throw new Error(
    `No Chromium for the browser tests. Install one (Debian, Ubuntu: apt-get install chromium; or set CHROMIUM_PATH to it), or run "npm install" for @sparticuz/chromium, which runs on x64 Linux (with libnss3 installed, or with the libraries that the package brings).
Tried:
- ${reasons.join("\n- ") || "nothing was found"}`
  );
}
function installedPaths() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", "/snap/bin"];
  const paths = installedNames.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)));
  return [.../* @__PURE__ */ new Set([...paths, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"])].filter(existsSync);
}
function environment(extra = {}) {
  const inherited = Object.entries(process.env).filter((entry) => entry[1] !== void 0);
  return { ...Object.fromEntries(inherited), ...extra };
}
async function whyNot({ executablePath, env }) {
  try {
    await run(executablePath, ["--version", "--no-sandbox"], { env, timeout: 3e4 });
    return void 0;
  } catch (error) {
    const { stderr, message } = error;
    return stderr?.trim() || message;
  }
}
async function bundledChromium() {
  const folder = await unpacked();
  const executablePath = join(folder, "chromium");
  const fonts = existsSync("/etc/fonts/fonts.conf") ? {} : { FONTCONFIG_PATH: join(folder, "fonts") };
  const plain = { executablePath, env: environment(fonts) };
  const reason = await whyNot(plain);
  if (reason === void 0) return plain;
  const libraries = [join(folder, "al2023", "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const complete = { executablePath, env: environment({ ...fonts, LD_LIBRARY_PATH: libraries }) };
  const remaining = await whyNot(complete);
  if (remaining === void 0) return complete;
  throw new Error(`${reason}; with the libraries that it brings: ${remaining}`);
}
async function unpacked() {
  const main = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const manifest = JSON.parse(await readFile(join(dirname(main), "..", "..", "package.json"), "utf8"));
  const cache = await cacheFolder();
  const folder = join(cache, `chromium-${manifest.version}-${process.arch}`);
  if (existsSync(folder)) return folder;
  const staging = await mkdtemp(join(cache, "unpacking-"));
  try {
    const program = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;
    await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: dirname(fileURLToPath(import.meta.url)),
      // The name of a runtime in which the package unpacks its libraries too.
      env: environment({ TMPDIR: staging, AWS_LAMBDA_JS_RUNTIME: "nodejs20.x" }),
      timeout: 12e4
    });
    await Promise.all([staging, join(staging, "chromium")].map((path) => chmod(path, 493)));
    await rename(staging, folder).catch((error) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    await access(join(folder, "chromium"));
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
async function cacheFolder() {
  const preferred = fileURLToPath(new URL("../../node_modules/.cache/doorward", import.meta.url));
  try {
    await mkdir(preferred, { recursive: true });
    await access(preferred, 2);
    return preferred;
  } catch {
    const fallback = join(tmpdir(), `doorward-cache-${process.getuid?.() ?? "user"}`);
    await mkdir(fallback, { recursive: true, mode: 448 });
    return fallback;
  }
}

// ../../tmp/shot.ts
import http from "node:http";
import { AxeBuilder } from "/work/main/node_modules/@axe-core/playwright/dist/index.mjs";
var s = http.createServer((q, r) => {
  r.setHeader("content-type", "text/html");
  r.setHeader("set-cookie", "a=b; HttpOnly; SameSite=Lax");
  r.end("<!doctype html><html lang=en><title>Sign up</title><style>body{font:16px system-ui;display:grid;place-items:center;height:90vh;background:#eef}main{background:#fff;padding:2rem;border-radius:12px}</style><main><h1>Sign up</h1><form method=post><label>E-mail <input name=e type=email></label> <button>Go \u2014 \xC4rger \u5C71</button></form><p>" + q.method + "</p></main>");
}).listen(0);
var u = "http://localhost:" + s.address().port;
var t = Date.now();
var b = await launchBrowser();
console.log("launch", Date.now() - t, b.version());
var ctx = await b.newContext();
var p = await ctx.newPage();
await p.goto(u);
await p.getByLabel("E-mail").fill("a@b.example");
await p.getByRole("button").click();
console.log(await p.locator("p").textContent());
var c = await ctx.newCDPSession(p);
await c.send("WebAuthn.enable");
console.log(await c.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true } }));
console.log("pk", await p.evaluate(async () => {
  const k = await navigator.credentials.create({ publicKey: { challenge: new Uint8Array(32), rp: { name: "x" }, user: { id: new Uint8Array(8), name: "a", displayName: "a" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }] } });
  return k.type;
}));
console.log("axe", (await new AxeBuilder({ page: p }).analyze()).violations.map((v) => v.id));
await p.setViewportSize({ width: 800, height: 500 });
await p.screenshot({ path: process.argv[2] });
await b.close();
s.close();
