import { afterAll, describe, expect, it } from 'vitest';
import type { Json } from '../../kernel/json.ts';
import { createExpressions } from './expressions.ts';

const expressions = createExpressions();
afterAll(() => expressions.close());
const host = async (name: string, args: readonly Json[], named: Readonly<Record<string, Json>>): Promise<Json> =>
  name === 'ak_user_by' ? { $object: 'user', username: named.username ?? null } : ({ name, args, named } as Json);
const run = async (source: string, variables: Record<string, Json> = {}): Promise<Json> =>
  (await expressions.evaluate({ language: 'javascript', source, variables, host })).result;

describe('forms', () => {
  it.each<[string, Json]>([
    ['return 1 + 1', 2],
    ['return (await ak_user_by({ username: "x" })).username', 'x'],
    ['return await u.all(1, {a: 2})', { name: 'u.all', args: [{ $object: 'u', x: 1 }, 1], named: { a: 2 } }],
    [
      'return [ip_network("10.0.0.0/8").contains(ip_address("10.1.1.1")), String(ip_address("10.1.1.1")), ip_address("::1").is_private]',
      [true, '10.1.1.1', true],
    ],
    ['return slugify("Ab c")', 'ab-c'],
    [
      'return [typeof process, typeof require, typeof fetch, typeof globalThis.process]',
      ['undefined', 'undefined', 'undefined', 'undefined'],
    ],
    ['while (true) {}', 'Error: it took longer than its 100 ms'],
    ['const a = []; while (true) a.push({});', 'Error: it took more than 8 MB of memory'],
    ['let s = "x"; while (true) s += s + Math.random();', 'Error: it took more than 8 MB of memory'],
    ['return 7', 7],
    ['return foo', "Error: line 1: ReferenceError: 'foo' is not defined"],
    ['await new Promise(() => {})', 'Error: it never ends: it waits for what nobody will bring'],
    ['return {$object: "user"}', { $$object: 'user' }],
  ])('%s', async (source, expected) => {
    expect(await run(source, { u: { $object: 'u', x: 1 } }).catch((e) => String(e))).toEqual(expected);
  });
  it('checks', async () => {
    expect(await expressions.check('javascript', 'let x = 1;\nlet y = = 2')).toBe('');
  });
});
