import { describe, expect, it } from 'vitest';
import type { Json } from '../../kernel/json.ts';
import { rig } from './expressions-rig.ts';

const { result, failure, check, asked } = rig('javascript');

const user: Json = { $object: 'user', username: 'ada', last_login: null, ak_groups: { $object: 'user.ak_groups' } };

type Case = [what: string, source: string, expected: Json, variables?: Readonly<Record<string, Json>>];

describe('what it returns', () => {
  it.each<Case>([
    ['a value', 'return 1 + 1', 2],
    ['nothing', '', null],
    ['a comment at its end', 'return 1 // one', 1],
    ['an object in its order', 'return { z: 1, a: [null, undefined, true], f() {} }', { z: 1, a: [null, null, true] }],
    [
      'a map, a set and a time',
      'return [new Map([["a", 1]]), new Set([1]), new Date(0)]',
      [{ a: 1 }, [1], '1970-01-01T00:00:00.000Z'],
    ],
    ['a promise', 'return Promise.resolve(3)', 3],
    ['an object of the server', 'return user', user, { user }],
    [
      'a name that is __proto__',
      'return JSON.parse(\'{"__proto__": {"a": 1}}\')',
      JSON.parse('{"__proto__": {"a": 1}}') as Json,
    ],
  ])('%s', async (_, source, expected, variables) => {
    expect(JSON.stringify(await result(source, variables))).toBe(JSON.stringify(expected));
  });
});

describe('variables', () => {
  it.each<Case>([
    [
      'attributes',
      'return [user.username, user.last_login, user.nothing === undefined]',
      ['ada', null, true],
      { user },
    ],
    ['names that JavaScript cannot have', 'return 1 in [1, 2]', true, { in: 1, 'a-b': 2 }],
    [
      'keys that look like ours',
      'return data',
      { $$object: 'x', $$$object: 1 },
      { data: { $$object: 'x', $$$object: 1 } },
    ],
  ])('%s', async (_, source, expected, variables) => {
    expect(await result(source, variables)).toEqual(expected);
  });

  it('context, request.context and flow_plan.context are one', async () => {
    const context = { a: 1, flow_plan: { $object: 'flow_plan' } };
    const source = [
      'request.context.b = 2;',
      'context.flow_plan.context.c = context.b + 1;',
      'delete context.a;',
      'return request.context === context',
    ].join('\n');
    const answered = await asked(source, [], { request: { $object: 'request' }, context });
    expect(answered.result).toBe(true);
    expect(JSON.stringify(answered.variables)).toBe(
      JSON.stringify({ context: { flow_plan: { $object: 'flow_plan' }, b: 2, c: 3 } }),
    );
  });
});

describe('helpers', () => {
  it.each<Case>([
    [
      'regex_match and regex_replace',
      'return [regex_match("ada@b.c", "@b"), regex_replace("a-b-c", "-(.)", "_$1")]',
      [true, 'a_b_c'],
    ],
    ['list_flatten', 'return [list_flatten(["z", 1]), list_flatten([]), list_flatten("x")]', ['z', null, 'x']],
    ['slugify', 'return slugify("Ünïcode & Sons")', 'unicode-sons'],
    [
      'addresses',
      'return [ip_network("10.0.0.0/8").contains(ip_address("10.1.1.1")), String(ip_address("0::1")), ip_address("::1").is_private]',
      [true, '::1', true],
    ],
    [
      'the address of the visitor',
      'return ip_network("10.0.0.0/8").contains(ak_client_ip)',
      true,
      { ak_client_ip: '10.0.0.1' },
    ],
    [
      'an address that is none',
      'try { ip_address("x") } catch (error) { return error.message }',
      "'x' does not appear to be an IPv4 or IPv6 address",
    ],
  ])('%s', async (_, source, expected, variables) => {
    expect(await result(source, variables)).toEqual(expected);
  });

  it('ak_message collects texts in their order', async () => {
    expect((await asked('ak_message("one"); ak_message(2)')).messages).toEqual(['one', '2']);
  });

  it.each([
    ['ak_user_by({ username: "x" })', { name: 'ak_user_by', args: [], named: { username: 'x' } }],
    [
      'ak_is_group_member(user, { name: "staff" })',
      { name: 'ak_is_group_member', args: [user], named: { name: 'staff' } },
    ],
    ['ak_call_policy("other")', { name: 'ak_call_policy', args: ['other'], named: {} }],
    ['ak_create_event("did", { by: [1] })', { name: 'ak_create_event', args: ['did'], named: { by: [1] } }],
    ['ak_user_has_authenticator(user)', { name: 'ak_user_has_authenticator', args: [user], named: {} }],
    ['ak_logger.info("hm", { a: 1 })', { name: 'ak_logger', args: ['info', 'hm'], named: { a: 1 } }],
    ['requests.get("https://x")', { name: 'requests.get', args: ['https://x'], named: {} }],
    ['user.has_usable_password()', { name: 'user.has_usable_password', args: [user], named: {} }],
    ['user.ak_groups.all()', { name: 'user.ak_groups.all', args: [{ $object: 'user.ak_groups' }], named: {} }],
  ])('%s is answered by the server', async (call, expected) => {
    const { calls, result: answered } = await asked(`return await ${call}`, ['fine'], { user });
    expect(calls).toEqual([expected]);
    expect(answered).toBe('fine');
  });

  it('several calls may be under way, and answers have methods again', async () => {
    const source =
      'const [a, b] = await Promise.all([ak_user_by({ pk: 1 }), ak_user_by({ pk: 2 })]);\nreturn [a, await b.locale()]';
    const { calls, result: answered } = await asked(source, [user, user, 'de']);
    expect(answered).toEqual([user, 'de']);
    expect(calls.map(({ name }) => name)).toEqual(['ak_user_by', 'ak_user_by', 'user.locale']);
  });
});

describe('what is wrong', () => {
  it('a mistake is told with its line', async () => {
    expect(await check('const x = 1;\nreturn x')).toBeNull();
    expect(await check('const x = 1;\nlet y = = 2')).toContain('line 2: ');
    expect(await check('await import("x");\nreturn (')).toContain('line 2: ');
  });

  it('an error tells its line and what it is about, but not what somebody typed', async () => {
    expect(await failure('\nreturn nobody')).toBe("line 2: ReferenceError: 'nobody' is not defined");
    expect(await failure('throw new Error(secret)', { secret: 'hunter2' })).toBe('line 1: Error');
    expect(await failure('throw secret', { secret: 'hunter2' })).toBe('line 1: Error');
    expect(await failure('throw new TypeError("\'" + secret + "\'")', { secret: 'hunter2' })).toBe('line 1: TypeError');
  });

  it('what waits for nothing ends', async () => {
    expect(await failure('await new Promise(() => {})')).toContain('it never ends');
  });
});
