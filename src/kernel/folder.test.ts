import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from './folder.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'doorward-folder-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('making a folder', () => {
  it('makes those above it too, with the mode, and is content with one that is there', () => {
    const path = join(root, 'a', 'b');
    makeFolder(path, 0o700);
    makeFolder(path, 0o700);
    for (const made of [path, join(root, 'a')]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  it('fails, and comes back, where a file is in the way or the place takes no folders', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow(/EEXIST/);
    expect(() => makeFolder(join(file, 'below'))).toThrow(/ENOTDIR/);
    if (process.platform === 'linux') expect(() => makeFolder('/proc/doorward/data')).toThrow(/ENOENT/);
  });
});
