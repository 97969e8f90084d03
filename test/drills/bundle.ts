import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '..', '..');

/** Bundles the server process of the drills beside the installed packages. */
export async function bundled(): Promise<{ readonly built: string; remove(): void }> {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(join(cache, 'doorward-drill-'));
  const args = ['scripts/drill.js', '--bundle', relative(root, built)];
  await promisify(execFile)(process.execPath, args, { cwd: root });
  return { built, remove: () => rmSync(built, { recursive: true, force: true }) };
}
