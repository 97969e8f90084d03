import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** @param {string | null} postgres its version and how durable it is */
export function machine(postgres) {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    postgres,
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** What each server ran on. */
export function versions() {
  const bench = createRequire(import.meta.url);
  const root = createRequire(join(import.meta.dirname, '..', 'package.json'));
  return {
    'better-auth': versionOf(bench, 'better-auth'),
    'libsql (better-auth)': versionOf(bench, 'libsql'),
    'pg (better-auth)': versionOf(bench, 'pg'),
    doorward: JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')).version,
    'libsql (Doorward)': versionOf(root, 'libsql'),
    'pg (Doorward)': versionOf(root, 'pg'),
    '@node-rs/argon2': versionOf(root, '@node-rs/argon2'),
  };
}

/**
 * @param {NodeJS.Require} require
 * @param {string} name
 */
function versionOf(require, name) {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    const manifest = readIfThere(join(folder, 'package.json'));
    if (manifest?.name === name) return String(manifest.version);
    if (folder === dirname(folder)) return 'unknown';
  }
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
