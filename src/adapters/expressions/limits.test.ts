import { describe, expect, it } from 'vitest';
import { expressionLimitBytes } from '../../engine/expressions.ts';
import { rig } from './expressions-rig.ts';

const python = rig('python');
const javascript = rig('javascript');
const bound = { limitMs: 100 };

const overTime = /^it took longer than its 100 ms/;
const overMemory = /^it took (?:more than (?:8|20) MB of|too much) memory|^the runner of expressions ended/;
const either = new RegExp(`${overTime.source}|${overMemory.source}`);

describe('Python ends, whatever it does', () => {
  it.each<[string, string, RegExp]>([
    ['an endless loop', 'while True:\n    pass', overTime],
    [
      'a loop that catches everything',
      'while True:\n    try:\n        while True:\n            pass\n    except:\n        pass',
      overTime,
    ],
    ['a loop in finally', 'try:\n    1 / 0\nfinally:\n    while True:\n        pass', overTime],
    [
      'a loop while sorting',
      'def forever(x):\n    while True:\n        pass\nreturn sorted([2, 1], key=forever)',
      overTime,
    ],
    ['a long range', 'return sum(range(10 ** 12))', overTime],
    ['a list that doubles', 'a = [1]\nwhile True:\n    a = a + a', either],
    ['a text that doubles', 'a = "x"\nwhile True:\n    a += a', either],
    ['a long text', 'return "a" * 10 ** 9', either],
    ['many small things', 'a = []\nwhile True:\n    a.append({})', either],
    ['a huge number', 'return 2 ** 10 ** 8', either],
    ['a number that grows', 'x = 3\nwhile True:\n    x = x * x', either],
    ['a list of lists of one list', 'a = [1]\nfor i in range(60):\n    a = [a, a]\nreturn a', either],
    ['the same in the context', 'a = [1]\nfor i in range(60):\n    a = [a, a]\ncontext["a"] = a', either],
    ['the same for the server', 'a = [1]\nfor i in range(60):\n    a = [a, a]\nak_create_event("x", a=a)', either],
    ['texts of many values', 'return "".join([f"{i:>1000000}" for i in range(100)])', either],
  ])('%s', async (_, source, expected) => {
    expect(await python.failure(source, { context: {} }, bound)).toMatch(expected);
    expect(await python.result('return 1 + 1')).toBe(2);
  });

  it('a pattern that tries everything ends', async () => {
    const patterns = ['(a+)+$', '(a|aa)+$', '(a*)*\\\\1b', '(?=(a+)+$)b', '([a-z]+)+x{2,30}y'];
    for (const pattern of patterns)
      expect(await python.failure(`return regex_match("a" * 40 + "b", r"${pattern}")`, {}, bound)).toMatch(
        /it answered false|PatternError|^it took longer/,
      );
    expect(await python.result('return regex_match("a", "a")')).toBe(true);
  });

  it('what refers to itself cannot come back whole', async () => {
    expect(await python.failure('a = []\na.append(a)\nreturn a')).toMatch(/it answered/);
    expect(await python.failure('context["c"] = context\nreturn 1', { context: {} })).toContain('it answered 1');
  });
});

describe('JavaScript ends, whatever it does', () => {
  it.each<[string, string, RegExp]>([
    ['an endless loop', 'while (true) {}', overTime],
    ['a loop that catches everything', 'for (;;) try { for (;;) {} } catch {}', overTime],
    ['a loop in finally', 'try { null.x } finally { for (;;) {} }', overTime],
    ['a loop after waiting', 'await null; for (;;) {}', overTime],
    ['promises without end', 'const next = () => Promise.resolve().then(next); await next()', overTime],
    ['a loop while sorting', '[2, 1].sort(() => { for (;;) {} })', overTime],
    ['a loop in a text of an error', 'throw { toString() { for (;;) {} } }', /^line 1: Error|^it took longer/],
    [
      'a loop in a name of an error',
      'const e = new Error(); Object.defineProperty(e, "name", { get() { for (;;) {} } }); throw e',
      overTime,
    ],
    ['a loop while it is written', 'return { get a() { for (;;) {} } }', overTime],
    ['a pattern that tries everything', 'return /(a+)+$/.test("a".repeat(40) + "b")', overTime],
    ['the same by the helper', 'return regex_match("a".repeat(40) + "b", "(a+)+$")', overTime],
    ['a list that grows', 'const a = []; for (;;) a.push({})', either],
    ['a text that doubles', 'let s = "x"; for (;;) s += s', either],
    ['a long text', 'return "x".repeat(2 ** 29)', either],
    ['buffers', 'const a = []; for (;;) a.push(new Uint8Array(1e6))', either],
    ['a huge number', 'let n = 3n; for (;;) n *= n', either],
    [
      'memory that is caught',
      'const a = []; for (;;) try { for (;;) a.push(new Array(1000).fill(0)) } catch {}',
      either,
    ],
    [
      'a list of lists of one list',
      'let a = [1]; for (let i = 0; i < 60; i++) a = [a, a]; return a',
      /RangeError|^it took longer/,
    ],
    [
      'recursion that is caught',
      'const f = () => { try { return f() + 1 } catch { return f() } }; return f()',
      /stack overflow|^it took longer/,
    ],
    ['what refers to itself', 'const a = []; a.push(a); return a', /RangeError|^it took longer/],
  ])('%s', async (_, source, expected) => {
    expect(await javascript.failure(source, {}, bound)).toMatch(expected);
    expect(await javascript.result('return 1 + 1')).toBe(2);
  });
});

describe('recursion ends', () => {
  it.each([
    ['Python', python, 'def f(n):\n    return f(n + 1)\nreturn f(0)', /RecursionError/],
    ['JavaScript', javascript, 'const f = () => f() + 1; return f()', /stack overflow/],
  ] as const)('in %s', async (_, { failure }, source, expected) => {
    expect(await failure(source)).toMatch(expected);
  });
});

describe('sources', () => {
  const deep = (open: string, close: string) => `return ${open.repeat(4000)}1${close.repeat(4000)}`;
  it.each([python, javascript])(
    'of more than 16 KB are refused before anything reads them',
    async ({ check, failure }) => {
      const terms = `return 1${'+1'.repeat(200_000)}`;
      for (const source of [terms, `return "${'é'.repeat(expressionLimitBytes / 2)}"`]) {
        expect(await check(source)).toMatch(/it has \d+ bytes, at most 16384/);
        expect(await failure(source)).toMatch(/it has \d+ bytes, at most 16384/);
      }
    },
  );

  it.each([python, javascript])(
    'of 16 KB are answered or refused, and nothing dies of them',
    async ({ check, result, expressions }) => {
      await result('return 1');
      const before = expressions.pids();
      const long = `return 1${'+1'.repeat(8100)}`;
      for (const source of [
        long,
        deep('(', ')'),
        deep('[', ']'),
        deep('-', ''),
        `return "${'x'.repeat(16_000)}"`,
        '('.repeat(16_000),
        '{'.repeat(16_000),
      ])
        expect(typeof (await check(source)) === 'string' || (await check(source)) === null).toBe(true);
      expect(await result('return 1 + 1')).toBe(2);
      expect(expressions.pids()).toEqual(before);
    },
  );

  it('values nested too deep do not cross', async () => {
    const deepest = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
    expect(await python.failure('return x', { x: deepest })).toContain('nested deeper than 100 levels');
    expect(await javascript.failure('return x', { x: deepest })).toMatch(/stack overflow|RangeError/);
  });
});

describe('meanwhile', () => {
  it.each([
    ['python', python, 'while True:\n    pass'],
    ['javascript', javascript, 'for (;;) {}'],
  ] as const)('others are answered while expressions in %s overrun', async (_, { failure }, source) => {
    const attacks = Promise.all(Array.from({ length: 8 }, () => failure(source, {}, bound)));
    const others = await Promise.all(Array.from({ length: 8 }, (__, at) => python.result(`return ${at}`)));
    expect(others).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const attack of await attacks) expect(attack).toMatch(overTime);
  });
});
