import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

const run = promisify(execFile);

/** Nothing takes that long, except on a machine that is very busy. */
const patienceMs = 100_000;

/** A Chromium that starts on this machine, and the environment that it needs to. */
interface Installation {
  readonly executablePath: string;
  readonly env: Record<string, string>;
}

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const installedNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

let found: Promise<Installation> | undefined;

/**
 * Starts a headless Chromium: that of `CHROMIUM_PATH`, else an installed one, else the one in the npm package
 * `@sparticuz/chromium`, which needs no system library. Close it when the test file is done.
 */
export async function launchBrowser(): Promise<Browser> {
  found ??= findChromium();
  const { executablePath, env } = await found;
  return chromium.launch({ executablePath, args: flags, env, timeout: patienceMs });
}

/** A visitor with cookies of their own, who waits for what is to come. */
export async function openContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patienceMs);
  return context;
}

async function findChromium(): Promise<Installation> {
  const given = process.env.CHROMIUM_PATH;
  const reasons: string[] = [];
  const candidates = given ? [given] : installedPaths();
  for (const executablePath of candidates) {
    const reason = await whyNot({ executablePath, env: environment() });
    if (reason === undefined) return { executablePath, env: environment() };
    reasons.push(`${executablePath}: ${reason}`);
  }
  // A path that was asked for is used or is an error: another browser would be a silent surprise.
  if (given) throw new Error(`CHROMIUM_PATH does not start: ${reasons.join('\n')}`);
  try {
    return await bundledChromium();
  } catch (error) {
    reasons.push(`@sparticuz/chromium: ${error instanceof Error ? error.message : error}`);
  }
  throw new Error(
    'No Chromium for the browser tests. Install one (Debian, Ubuntu: apt-get install chromium; or set CHROMIUM_PATH ' +
      'to it), or run "npm install" for @sparticuz/chromium, which runs on x64 Linux (with libnss3 installed, or ' +
      `with the libraries that the package brings).\nTried:\n- ${reasons.join('\n- ') || 'nothing was found'}`,
  );
}

function installedPaths(): string[] {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin', '/snap/bin'];
  const paths = installedNames.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)));
  return [...new Set([...paths, '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'])].filter(existsSync);
}

function environment(extra: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(inherited), ...extra };
}

/** Why a browser does not start here, or undefined when it does. */
async function whyNot({ executablePath, env }: Installation): Promise<string | undefined> {
  try {
    await run(executablePath, ['--version', '--no-sandbox'], { env, timeout: patienceMs });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr?.trim() || message;
  }
}

async function bundledChromium(): Promise<Installation> {
  const folder = await unpacked();
  const executablePath = join(folder, 'chromium');
  // Fonts of its own, where the system has no font configuration that would find any.
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') };
  const plain = { executablePath, env: environment(fonts) };
  const reason = await whyNot(plain);
  if (reason === undefined) return plain;

  const libraries = [join(folder, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const complete = { executablePath, env: environment({ ...fonts, LD_LIBRARY_PATH: libraries }) };
  const remaining = await whyNot(complete);
  if (remaining === undefined) return complete;
  throw new Error(`${reason}; with the libraries that it brings: ${remaining}`);
}

/**
 * The folder with the package's browser, fonts and libraries unpacked, once per package version. The package unpacks
 * to fixed names in the temporary folder and takes a half-written file for a whole one, so it is given an empty folder
 * that gets its name only when everything is there.
 */
async function unpacked(): Promise<string> {
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const manifest = JSON.parse(await readFile(join(dirname(main), '..', '..', 'package.json'), 'utf8'));
  const cache = await cacheFolder();
  const folder = join(cache, `chromium-${manifest.version}-${process.arch}`);
  if (existsSync(folder)) return folder;

  const staging = await mkdtemp(join(cache, 'unpacking-'));
  try {
    const program = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;
    await run(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: dirname(fileURLToPath(import.meta.url)),
      // The name of a runtime in which the package unpacks its libraries too.
      env: environment({ TMPDIR: staging, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' }),
      timeout: 2 * patienceMs,
    });
    // Another account may run the tests next.
    await Promise.all([staging, join(staging, 'chromium')].map((path) => chmod(path, 0o755)));
    await rename(staging, folder).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster; its folder is as good.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await access(join(folder, 'chromium'));
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function cacheFolder(): Promise<string> {
  // Beside the package, so that a fresh install begins anew; elsewhere when that is read-only.
  const preferred = fileURLToPath(new URL('../../node_modules/.cache/doorward', import.meta.url));
  try {
    await mkdir(preferred, { recursive: true });
    await access(preferred, 2);
    return preferred;
  } catch {
    const fallback = join(tmpdir(), `doorward-cache-${process.getuid?.() ?? 'user'}`);
    await mkdir(fallback, { recursive: true, mode: 0o700 });
    return fallback;
  }
}
