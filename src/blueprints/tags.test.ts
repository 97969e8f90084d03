import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../kernel/json.ts';
import { BlueprintRig } from './blueprint-rig.ts';

/** What one tag becomes, as the attributes of a group. */
async function resolved(
  value: string,
  more: { context?: string; given?: JsonObject; env?: Record<string, string> } = {},
) {
  const rig = new BlueprintRig();
  const yaml = `
context: ${more.context ?? '{}'}
entries:
  - {model: authentik_core.group, id: first, identifiers: {name: First, pk: 11111111-1111-1111-1111-111111111111}}
  - model: authentik_core.group
    identifiers: {name: Second}
    attrs: {attributes: {value: ${value}}}`;
  await rig.apply(yaml, { context: more.given ?? {}, env: more.env ?? {} });
  return [...rig.store.groups.values()].find(({ name }) => name === 'Second')?.attributes.value;
}

async function complaint(value: string): Promise<string> {
  return resolved(value).then(
    () => 'no complaint',
    (error: Error) => error.message,
  );
}

const first = '11111111-1111-1111-1111-111111111111';

describe('tags', () => {
  it.each([
    ['!KeyOf first', first],
    ['!Find [authentik_core.group, [name, First]]', first],
    ['!Find [authentik_core.group, [name, Nobody]]', null],
    ['!Find [authentik_core.group, [pk, !KeyOf first], [name, First]]', first],
    ['!AtIndex [!FindObject [authentik_core.group, [name, First]], name]', 'First'],
    ['!FindObject [authentik_core.group, [name, Nobody]]', null],
    ['!Format ["%s is %d%%, %s", a, 3.7, yes]', 'a is 3%, True'],
    ['!ParseJSON \'{"a": [1]}\'', { a: [1] }],
    ['!If [yes]', true],
    ['!If ["", a, {b: !KeyOf first}]', { b: first }],
    ['!If [!Find [authentik_core.group, [name, First]], a, b]', 'a'],
    ['!If [no, [a], [!KeyOf first]]', [first]],
    ['!Format ["%r, %5s|%-4s|%05d, %+.2f, %x", it\'s, ab, c, 42, 1.5, 255]', '"it\'s",    ab|c   |00042, +1.50, ff'],
    ['!Format ["%s", [a, 1, null, yes, {b: x}]]', "['a', 1, None, True, {'b': 'x'}]"],
    ['!Condition [AND, yes, 1, x]', true],
    ['!Condition [NAND, yes, 0]', true],
    ['!Condition [OR, "", []]', false],
    ['!Condition [NOR, "", []]', true],
    ['!Condition [XOR, yes, yes, yes]', true],
    ['!Condition [XNOR, yes]', false],
    ['!Enumerate [[a, b], SEQ, !Format ["%s%d", !Value 0, !Index 0]]', ['a0', 'b1']],
    ['!Enumerate [{x: 1, y: 2}, MAP, [!Index 0, !Value 0]]', { x: 1, y: 2 }],
    ['!Enumerate ["ab", MAP, {all: [!Value 0]}]', { all: ['a', 'b'] }],
    ['!Enumerate [{x: [1, 2]}, SEQ, !Enumerate [!Value 1, SEQ, !Format ["%s%d", !Index 1, !Value 0]]]', [['x1', 'x2']]],
    ['!AtIndex [[a, b], 1]', 'b'],
    ['!AtIndex [{a: 1}, b, 2]', 2],
    ['!AtIndex [[a, b], -1]', 'b'],
    ['!AtIndex [{a: 1}, b, !KeyOf first]', first],
    ['!AtIndex [!Context goauthentik.io/rbac/models, x, none]', 'none'],
  ])('%s', async (tag, expected) => {
    expect(await resolved(tag)).toEqual(expected);
  });

  it('!Context reads the given context, then the file, then its default; values of the file may be tags', async () => {
    const context = '{a: file, b: !If [yes, lazy, x], list: [1]}';
    expect(await resolved('!Context a', { context })).toBe('file');
    expect(await resolved('!Context a', { context, given: { a: 'given' } })).toBe('given');
    expect(await resolved('!Context b', { context })).toBe('lazy');
    expect(await resolved('!Context c', { context })).toBeNull();
    expect(await resolved('!Context [c, !KeyOf first]', { context })).toBe(first);
    expect(await resolved('!Context goauthentik.io/enterprise/licensed', { context })).toBe(false);
    expect(await resolved('!Context list', { context, given: { list: [2], c: {} } })).toEqual([1, 2]);
  });

  it('!Env reads what the caller allows; an empty variable falls back', async () => {
    expect(await resolved('!Env A', { env: { A: 'x' } })).toBe('x');
    expect(await resolved('!Env [A, y]', { env: { A: '' } })).toBe('y');
    expect(await resolved('!Env PATH')).toBeNull();
  });

  it.each([
    ['!KeyOf second', 'test.yaml:7:33: !KeyOf second: no entry before this one has that id'],
    ['!KeyOf frist', '(did you mean first?)'],
    ['!Env DOORWARD_SECRET_KEY', 'it holds a secret of the server itself'],
    ['!File /etc/passwd', 'may not read files of the server'],
    ['!Find [authentik_core.grup, [name, x]]', 'is not supported (did you mean authentik_core.group?)'],
    ['!Find [authentik_core.group, [nam, x]]', 'nam is not a member of authentik_core.group (did you mean name?)'],
    ['!Format ["%s %s", a]', 'has no value'],
    ['!Format ["x", a]', '1 values were given, the text takes 0'],
    ['!Format ["%d", a]', 'needs a number'],
    ['!Condition [MAYBE, a]', 'expected one of AND'],
    ['!Value 0', 'there is no !Enumerate 0 levels up'],
    ['!Enumerate [!Value 0, SEQ, a]', 'cannot go through its own value'],
    ['!Enumerate [5, SEQ, a]', 'expected a list, a map or a text'],
    ['!AtIndex [[a], 4]', 'there is no element 4'],
    ['!ParseJSON "{"', 'the text is not JSON'],
    ['!If []', 'expected a list of 1 or more values'],
    ['!If [yes, a]', '!If: expected [condition] or [condition, value, otherwise]'],
    ['!Condition [AND]', 'expected a list of 2 or more values'],
    ['!Enumerate [[a], LIST, b]', '!Enumerate: expected SEQ or MAP second'],
    ['!Enumerate [[a], MAP, b]', 'in the mode MAP the body is a map or a pair'],
    ['!Index x', 'expected how many loops up to look'],
    ['!Find [authentik_core.group, name]', 'expected a list of 2 values'],
    ['!Find [[a], [name, x]]', 'expected a model first'],
    ['!Find [authentik_core.user, [email, x]]', 'a user is found by username or pk'],
    ['!KeyOf [a]', 'expected a text after the tag'],
    ['!AtIndex [{a: 1}, b]', 'there is no element "b"'],
    ['!Format ["%q", a]', 'is not known'],
    ['!Format ["%999999s", a]', 'is wider than 1000'],
    ['!Format [5]', 'expected a text first'],
    ['!Env', 'expected a text after the tag'],
  ])('%s is refused', async (tag, expected) => {
    expect(await complaint(tag)).toContain(expected);
  });

  it('ends what refers to itself, or multiplies without end', async () => {
    await expect(resolved('!Context a', { context: '{a: !Context a}' })).rejects.toThrow('refers to itself');
    const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 0]';
    const nested = Array(6)
      .fill(ten)
      .reduceRight((body, list) => `!Enumerate [${list}, SEQ, ${body}]`, 'x');
    expect(await complaint(nested)).toContain('makes more than 100000 values');
  });
});

describe('!File', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'doorward-file-tag-'));
    mkdirSync(join(folder, 'open'));
    writeFileSync(join(folder, 'open', 'motd'), '\n hello\n');
    writeFileSync(join(folder, 'secret'), 'x');
    symlinkSync(join(folder, 'secret'), join(folder, 'open', 'link'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = async (value: string) => {
    const rig = new BlueprintRig();
    const yaml = `entries: [{model: authentik_core.group, identifiers: {name: G}, attrs: {attributes: {value: ${value}}}}]`;
    const { warnings } = await rig.apply(yaml, { filesDir: join(folder, 'open') });
    return {
      value: [...rig.store.groups.values()][0]?.attributes.value,
      warned: warnings.map(({ message }) => message),
    };
  };

  it('reads below the folder that was opened to it, by a relative or whole path, without white space around it', async () => {
    expect(await read('!File motd')).toEqual({ value: 'hello', warned: [] });
    expect(await read(`!File ${join(folder, 'open', 'motd')}`)).toEqual({ value: 'hello', warned: [] });
  });

  it('takes the default for what cannot be read, and says so', async () => {
    expect(await read('!File [none, !Format ["%s", d]]')).toEqual({
      value: 'd',
      warned: ['!File none: there is no such file; the default was taken'],
    });
    expect(await read('!File none')).toMatchObject({ value: null, warned: [expect.stringContaining('nothing was')] });
    expect((await read('!File motd/x')).warned).toEqual([expect.stringContaining('ENOTDIR')]);
  });

  it.each(['../secret', '/etc/passwd', 'link', '.', 'x/../../secret'])('never leaves it: %s', async (path) => {
    await expect(read(`!File [${path}, d]`)).rejects.toThrow(/is refused: it (is not below|leads out of)/);
  });
});
