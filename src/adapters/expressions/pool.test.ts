import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExpressionJob } from '../../engine/expressions.ts';
import type { Json } from '../../kernel/json.ts';
import { createExpressions } from './expressions.ts';
import { rig } from './expressions-rig.ts';
import { launchOf } from './launch.ts';
import type { FromRunner } from './messages.ts';
import { Pool } from './pool.ts';
import type { Work } from './runner-process.ts';

const python = rig('python');

/** A host whose answer waits until somebody gives it, and a promise of the call. */
function waitingHost() {
  const gate = { open: (_: Json) => {}, called: () => {} };
  const called = new Promise<void>((resolve) => {
    gate.called = resolve;
  });
  const answer = new Promise<Json>((resolve) => {
    gate.open = resolve;
  });
  const host: ExpressionJob['host'] = async () => {
    gate.called();
    return answer;
  };
  return { host, called, open: (value: Json) => gate.open(value) };
}

describe('the runner processes', () => {
  it('are not there before the first expression', async () => {
    const expressions = createExpressions();
    expect(expressions.pids()).toEqual([]);
    await expressions.close();
    await expect(expressions.check('python', 'return 1')).rejects.toThrow('the server is ending');
  });

  it('one that dies fails its job alone, and the next expression is answered', async () => {
    const { host, called, open } = waitingHost();
    await python.result('return 1');
    const before = python.expressions.pids();
    const job = python.failure('return ak_user_by(pk=1)', {}, { host });
    await called;
    for (const pid of before) process.kill(pid, 'SIGKILL');
    expect(await job).toBe('the runner of expressions ended (SIGKILL)');
    open(null);
    await expect.poll(() => python.expressions.pids().some((pid) => before.includes(pid))).toBe(false);
    expect(await python.result('return 1 + 1')).toBe(2);
  });

  it('many at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => python.result(`return ${at}`)));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(python.expressions.pids().length).toBeLessThanOrEqual(5);
  });

  it('an expression may ask for others, and those for more, also when all processes wait', async () => {
    const nested = (depth: number): Promise<Json> =>
      python
        .evaluate(
          depth === 0 ? 'return 0' : 'return ak_call_policy("deeper") + 1',
          {},
          { host: () => nested(depth - 1) },
        )
        .then(({ result }) => result);
    expect(await Promise.all(Array.from({ length: 12 }, () => nested(5)))).toEqual(Array.from({ length: 12 }, () => 5));
  });

  it('what an expression asked for fails by itself, or with it', async () => {
    const host: ExpressionJob['host'] = async () => python.failure('while True:\n    pass', {}, { limitMs: 100 });
    // On a busy machine the process is killed, and then the one that waits for it fails too.
    expect(await python.failure('return ak_call_policy("endless")', {}, { host })).toMatch(
      /^(?:it answered ")?it took longer than its 100 ms/,
    );
    expect(await python.result('return 1')).toBe(1);
  });

  it('have no environment, no files, no processes and no threads', () => {
    const { execArgv } = launchOf();
    const attempts = `
      const tried = (name, attempt) => { try { attempt(); return name + ' reached'; } catch (error) { return error.code; } };
      console.log(JSON.stringify([
        tried('file', () => require('node:fs').readFileSync('/etc/passwd')),
        tried('folder', () => require('node:fs').readdirSync('/')),
        tried('write', () => require('node:fs').writeFileSync('/tmp/doorward-escape', '')),
        tried('process', () => require('node:child_process').spawnSync('id')),
        tried('thread', () => new (require('node:worker_threads').Worker)('', { eval: true })),
        Object.keys(process.env).length,
      ]));`;
    const told = execFileSync(process.execPath, [...execArgv, '-e', attempts], { env: {}, encoding: 'utf8' });
    expect(JSON.parse(told)).toEqual([...Array.from({ length: 5 }, () => 'ERR_ACCESS_DENIED'), 0]);
  });

  it('end when the process that started them is gone', async () => {
    const { file, args, execArgv } = launchOf();
    const runner = fork(file, args, { execArgv, env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    runner.send({ type: 'load', language: 'python' });
    await once(runner, 'message');
    runner.disconnect();
    expect(await once(runner, 'exit')).toEqual([0, null]);
  });

  it('without the package for Python say what to install, and run JavaScript', async () => {
    const { file, execArgv } = launchOf();
    const runner = fork(file, [], {
      execArgv,
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const ask = async (message: object): Promise<FromRunner> => {
      runner.send(message);
      const [answer] = await once(runner, 'message');
      return answer as FromRunner;
    };
    const job = { type: 'evaluate', source: 'return 1', variables: {}, limitMs: 60_000 };
    expect(await ask({ ...job, job: 1, language: 'python' })).toEqual({
      type: 'failure',
      job: 1,
      message: expect.stringContaining('npm install @pydantic/monty'),
    });
    expect(await ask({ ...job, job: 2, language: 'javascript' })).toMatchObject({ answer: { result: 1 } });
    runner.disconnect();
    await once(runner, 'exit');
  });
});

describe('the pool', () => {
  const pools: Pool[] = [];
  const pool = () => {
    const made = new Pool();
    pools.push(made);
    return made;
  };
  afterAll(() => Promise.all(pools.map((one) => one.close())));
  const work = (source: string, more: Partial<Work> = {}): Work => ({
    message: { type: 'evaluate', language: 'python', source, variables: {}, limitMs: 60_000 },
    ...{ limitMs: 60_000, hostLimitMs: 60_000, host: async () => null },
    ...more,
  });

  it('counts the time of the server apart, with a limit of its own', async () => {
    const { host } = waitingHost();
    const one = pool();
    await expect(one.run(work('return ak_user_by(pk=1)', { host, hostLimitMs: 1 }))).rejects.toThrow(
      'what it asked of the server took longer than 1 ms',
    );
    // Its process only waited, and goes on.
    await expect(one.run(work('return 1'))).resolves.toMatchObject({ result: 1 });
  });

  it('kills what the engine does not end', async () => {
    const one = pool();
    await one.run(work('return 1'));
    // The engine was told a longer time than the pool.
    await expect(one.run(work('while True:\n    pass', { limitMs: 1 }))).rejects.toThrow(
      'it took longer than its 1 ms, so its process was killed',
    );
    await expect(one.run(work('return 1'))).resolves.toMatchObject({ result: 1 });
  });

  it('takes no more than it can hold', async () => {
    const one = pool();
    const { host, open } = waitingHost();
    const waiting = Array.from({ length: 4 }, () => one.run(work('return ak_user_by(pk=1)', { host })));
    const queued = Array.from({ length: 252 }, () => one.run(work('return None')));
    const refused = one.run(work('return 1'));
    await expect(refused).rejects.toThrow('256 expressions wait already');
    open(null);
    await Promise.all([...waiting, ...queued]);
    await expect(one.run(work('return 1'))).resolves.toMatchObject({ result: 1 });
  });

  it('ends everything when it closes', async () => {
    const one = pool();
    const { host, called } = waitingHost();
    const jobs = Promise.allSettled(
      Array.from({ length: 20 }, () => one.run(work('return ak_user_by(pk=1)', { host }))),
    );
    await called;
    const pids = one.pids;
    await one.close();
    for (const job of await jobs)
      expect(job).toMatchObject({ status: 'rejected', reason: new Error('the server is ending') });
    expect(one.pids).toEqual([]);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
