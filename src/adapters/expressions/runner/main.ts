import type { Json } from '../../../kernel/json.ts';
import type { FromRunner, ToRunner } from '../messages.ts';
import { CodeError, type Engine, type Host } from './engine.ts';

/**
 * The runner process: takes expressions from its parent, one message each, and answers. It has no secret, no file and no
 * standard stream. Its parent ends it by SIGKILL when an expression overruns, and it ends itself when its parent is gone.
 */
const calls = new Map<number, { job: number; resolve(value: Json): void; reject(error: Error): void }>();
const running = new Set<number>();
let lastCall = 0;

const engines: Record<'python' | 'javascript', () => Promise<Engine>> = {
  python: once(async () => (await import('./python/engine.ts')).createPython(process.argv[2])),
  javascript: once(async () => (await import('./javascript/engine.ts')).createJavaScript()),
};

function send(message: FromRunner): void {
  process.send?.(message);
}

function hostOf(job: number): Host {
  return (call) =>
    new Promise((resolve, reject) => {
      lastCall += 1;
      calls.set(lastCall, { job, resolve, reject });
      send({ type: 'call', job, call: lastCall, ...call });
    });
}

async function work(message: Extract<ToRunner, { type: 'check' | 'evaluate' }>): Promise<void> {
  const { job } = message;
  running.add(job);
  const reply = await answer(message).catch(
    (error: Error): FromRunner => ({
      type: 'failure',
      job,
      message: error.message,
    }),
  );
  if (running.delete(job)) send(reply);
}

async function answer(message: Extract<ToRunner, { type: 'check' | 'evaluate' }>): Promise<FromRunner> {
  const { job } = message;
  const engine = await engines[message.language]();
  if (message.type === 'check') return { type: 'checked', job, problem: await engine.check(message.source) };
  return { type: 'answer', job, answer: await engine.evaluate(message, hostOf(job)) };
}

process.on('message', (message: ToRunner) => {
  switch (message.type) {
    case 'load':
      engines[message.language]().then(
        () => send({ type: 'loaded', language: message.language }),
        (error: Error) => send({ type: 'unable', message: error.message }),
      );
      return;
    case 'check':
    case 'evaluate':
      void work(message);
      return;
    case 'value':
      calls.get(message.call)?.resolve(message.value);
      calls.delete(message.call);
      return;
    case 'exception':
      calls.get(message.call)?.reject(new CodeError(message.exception.type, message.exception.message));
      calls.delete(message.call);
      return;
    case 'drop':
      running.delete(message.job);
      for (const [call, { job, reject }] of calls) {
        if (job !== message.job) continue;
        calls.delete(call);
        reject(new Error('nobody waits for it any more'));
      }
  }
});
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches the whole group; what the server still answers may need its runners.
process.on('SIGINT', () => {});

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
