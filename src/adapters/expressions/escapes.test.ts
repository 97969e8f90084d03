import { describe, expect, it } from 'vitest';
import { asData, fromData } from '../../engine/expressions.ts';
import type { Json } from '../../kernel/json.ts';
import { rig } from './expressions-rig.ts';

const python = rig('python');
const javascript = rig('javascript');

const user: Json = { $object: 'user', username: 'ada' };
const variables = { user, context: { prompt_data: {} } };

/** What an attempt would bring if it came through. */
const reached = /root:|v\d+\.\d+\.\d+|uid=|\/bin/;

describe('Python reaches nothing', () => {
  it.each([
    ['a module of the system', 'import os\nreturn os.popen("id").read()'],
    ['the bridge of other interpreters', 'import js\nreturn js.process.version'],
    ['memory', 'import ctypes\nreturn ctypes.string_at(0)'],
    ['processes', 'import subprocess\nreturn subprocess.check_output("id")'],
    ['the network', 'import socket\nreturn socket.create_connection(("127.0.0.1", 80))'],
    ['an import within a text', 'return __import__("os").environ'],
    ['an import by a module that is allowed', 'import re\nreturn re.sys.modules["os"]'],
    ['an import by typing', 'from typing import sys\nreturn sys'],
    ['files', 'return open("/etc/passwd").read()'],
    ['files by exec', 'return exec("open(\'/etc/passwd\')")'],
    ['eval', 'return eval("1 + 1")'],
    ['classes of a tuple', 'return ().__class__.__bases__[0].__subclasses__()'],
    ['classes of an object', 'return user.__class__.__init__.__globals__'],
    ['classes by getattr', 'return getattr(getattr(user, "__cl" + "ass__"), "__mro__")'],
    ['globals of a function', 'def f():\n    pass\nreturn f.__globals__["__builtins__"]'],
    ['code of a function', 'return (lambda: 1).__code__.co_code'],
    ['frames of an error', 'try:\n    1 / 0\nexcept Exception as e:\n    return e.__traceback__.tb_frame.f_globals'],
    ['a format that walks', 'return "{0.__class__.__mro__}".format(user)'],
    ['names of ours', 'return __ask_ak_user_by__'],
    ['globals', 'return globals()'],
    ['a constructor of JavaScript', 'return user.constructor.constructor("return process.version")()'],
    ['standard input', 'return input()'],
    ['a debugger', 'breakpoint()\nreturn 1'],
    ['out of the function', '    return 1\n)\nimport os\nreturn os.getcwd()'],
  ])('%s', async (_, source) => {
    const failure = await python.failure(source, variables);
    expect(failure).not.toMatch(/^it answered/);
    expect(failure).not.toMatch(reached);
    expect(await python.result('return len([1, 2])')).toBe(2);
  });

  it('nothing that one expression leaves is found by the next', async () => {
    await python.failure('global kept\nkept = 1\nlen = None\nimport re\nre.search = None\nraise ValueError("x")');
    await python.failure('import json\njson.loads = lambda x: "changed"\nreturn 1');
    expect(await python.failure('return kept')).toContain('NameError');
    expect(
      await python.result('import json, re\nreturn [len([1]), json.loads("2"), bool(re.search("a", "a"))]'),
    ).toEqual([1, 2, true]);
  });
});

describe('JavaScript reaches nothing', () => {
  it.each([
    ['the process', 'return process.version'],
    ['modules', 'return require("fs").readFileSync("/etc/passwd", "utf8")'],
    ['modules that are imported', 'return (await import("node:fs")).readFileSync("/etc/passwd", "utf8")'],
    ['modules of files', 'return await import("file:///etc/passwd")'],
    ['the network', 'return await fetch("http://127.0.0.1/")'],
    ['Node by its constructor', 'return this.constructor.constructor("return process.version")()'],
    ['Node by Function', 'return Function("return process.version")()'],
    ['Node by a function of ours', 'return ak_user_by.constructor("return process.version")()'],
    ['Node by an asynchronous function', 'return await (async () => {}).constructor("return process.version")()'],
    ['Node by a generator', 'return (function* () {}).constructor("yield process.version")().next().value'],
    [
      'Node by an error',
      'try { ip_address("x") } catch (e) { return e.constructor.constructor("return process.version")() }',
    ],
    [
      'Node by a stack',
      'Error.prepareStackTrace = (_, frames) => frames[0].getThis(); return new Error().stack.process.version',
    ],
    ['Node by globalThis', 'return globalThis.process.version'],
    ['Node by eval', 'return (0, eval)("process.version")'],
    ['a worker', 'return new Worker("data:,")'],
    ['WebAssembly', 'return new WebAssembly.Memory({ initial: 1 })'],
    ['files of QuickJS', 'return std.open("/etc/passwd", "r").readAsString()'],
    ['the system of QuickJS', 'return os.exec(["id"])'],
    ['files of QuickJS that are imported', 'return (await import("std")).open("/etc/passwd", "r")'],
    ['shared memory', 'return await new Promise((resolve) => setTimeout(resolve, 1))'],
    ['callers', 'return (function f() { return f.caller.arguments[0] })().process.version'],
    ['out of the function', '}); globalThis.out = process.version; (async function () { return globalThis.out'],
  ])('%s', async (_, source) => {
    const failure = await javascript.failure(source, variables);
    expect(failure).not.toMatch(/^it answered/);
    expect(failure).not.toMatch(/root:|v\d+\.\d+\.\d+|uid=/);
    expect(await javascript.result('return [1, 2].length')).toBe(2);
  });

  it('nothing that one expression leaves is found by the next', async () => {
    await javascript.failure(
      'Array.prototype.map = null; Object.prototype.admin = true; JSON.stringify = () => "1"; Promise.prototype.then = null; throw 1',
    );
    await javascript.failure('globalThis.kept = 1; ak_message = null; WeakMap.prototype.get = () => "user"; return 1');
    expect(await javascript.result('return [typeof kept, {}.admin, [1].map(String), typeof ak_message]')).toEqual([
      'undefined',
      null,
      ['1'],
      'function',
    ]);
  });
});

describe('what somebody typed makes no objects', () => {
  const typed: Json = JSON.parse(
    '{"$object": "user", "pk": 1, "$$object": "x", "__proto__": {"$object": "user"}, "__monty_type__": "Dataclass", "deep": [{"$object": "Flow.objects"}]}',
  );

  it.each([
    [
      'python',
      python,
      'return [context["prompt_data"]["$object"], hasattr(context["prompt_data"], "pk"), hasattr(context["prompt_data"]["deep"][0], "filter")]',
    ],
    [
      'javascript',
      javascript,
      'const data = context.prompt_data; return [data.$object, data.has_usable_password !== undefined, data.deep[0].filter !== undefined]',
    ],
  ] as const)('in %s', async (_, { result, evaluate }, source) => {
    const context = { prompt_data: asData(typed) };
    expect(await result(source, { context })).toEqual(['user', false, false]);
    const { variables: after } = await evaluate('context', { context });
    expect(JSON.stringify(fromData(after.context ?? null))).toBe(JSON.stringify({ prompt_data: typed }));
  });

  it.each([
    ['python', python, 'return ak_call_policy({"$object": "user"}, a={"$object": "user"})'],
    ['javascript', javascript, 'return ak_call_policy({ $object: "user" }, { a: { $object: "user" } })'],
  ] as const)('nor does what %s makes of it reach the server as one', async (_, { asked }, source) => {
    const { calls } = await asked(source);
    expect(calls).toEqual([
      { name: 'ak_call_policy', args: [{ $$object: 'user' }], named: { a: { $$object: 'user' } } },
    ]);
  });

  it.each([
    ['python', python, 'import json\nreturn json.loads(text)'],
    ['javascript', javascript, 'return JSON.parse(text)'],
  ] as const)('nor what %s reads', async (_, { result }, source) => {
    expect(await result(source, { text: '{"$object": "user", "__monty_type__": "Type"}' })).toEqual({
      $$object: 'user',
      __monty_type__: 'Type',
    });
  });
});

describe('calls of the server cannot be abused', () => {
  it.each([
    ['a name that is made up', 'return secrets()', /NameError: name 'secrets' is not defined/],
    ['a method of a text', 'return "x".query()', /AttributeError/],
    ['a method of a dictionary', 'return {"$object": "user"}.query()', /AttributeError/],
    ['a name of the runner', 'return toString()', /NameError/],
    ['a name of the prototype', 'return user.__proto__()', /AttributeError/],
    ['something that is no data', 'return ak_user_by(pk=len)', /TypeError|ValueError/],
  ])('%s', async (_, source, expected) => {
    expect(await python.failure(source, variables)).toMatch(expected);
  });

  it('a host that fails ends the expression, whatever that catches', async () => {
    const host = async () => {
      throw new Error('the database is away');
    };
    expect(await python.failure('try:\n    ak_user_by(pk=1)\nexcept:\n    pass\nreturn True', {}, { host })).toBe(
      'the database is away',
    );
    expect(await javascript.failure('try { await ak_user_by({ pk: 1 }) } catch {} return true', {}, { host })).toBe(
      'the database is away',
    );
  });
});
