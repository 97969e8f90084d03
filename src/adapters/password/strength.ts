import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { createJobPool } from './pool.ts';

/** Tells how hard passwords are to guess. */
export interface StrengthMeter {
  /**
   * From 0 (a guesser's first tries) to 4 (out of reach), by zxcvbn with the English and the general dictionaries.
   *
   * @param known names and the like that a guesser knows of the owner
   * @throws DoorwardError `too_busy`; Error when it takes longer than ten seconds
   */
  score(password: string, known: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * The time grows faster than the length: 72 characters take up to a second, 256 up to three. What is hard to guess after
 * 72 characters stays so; the reference looks at as many.
 */
const lookedAt = 72;
const jobMs = 10_000;
const idleMs = 60_000;
const waiting = 64;

const resolve = createRequire(import.meta.url).resolve;

/** Plain text: a bundle has no file for it, and the packages load from where they are installed. */
const source = `
const { parentPort, workerData } = require('node:worker_threads');
const { ZxcvbnFactory } = require(workerData.core);
const common = require(workerData.common);
const english = require(workerData.english);
const dictionary = { ...common.dictionary, ...english.dictionary };
const meter = new ZxcvbnFactory({ dictionary, graphs: common.adjacencyGraphs });
parentPort.on('message', ({ password, known }) => parentPort.postMessage(meter.check(password, known).score));
`;

/**
 * A thread of its own, since a check takes long enough for others to notice; it is started when it is first needed and
 * ends when it was not for a minute, for its dictionaries take 60 MB.
 */
export function createStrengthMeter(): StrengthMeter {
  const line = createJobPool(1, waiting);
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  const stop = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = worker;
    worker = null;
    await ending?.terminate();
  };
  return {
    score: (password, known) =>
      line.run(async () => {
        clearTimeout(idle);
        worker ??= startWorker();
        try {
          return await ask(worker, { password: password.slice(0, lookedAt), known });
        } catch (error) {
          await stop();
          throw error;
        } finally {
          idle = setTimeout(stop, idleMs).unref();
        }
      }),
    close: stop,
  };
}

function startWorker(): Worker {
  const workerData = {
    core: resolve('@zxcvbn-ts/core'),
    common: resolve('@zxcvbn-ts/language-common'),
    english: resolve('@zxcvbn-ts/language-en'),
  };
  // Nothing of the server's own: neither its environment nor what node was started with.
  const worker = new Worker(source, { eval: true, workerData, env: {}, execArgv: [] });
  worker.unref();
  return worker;
}

/** One question at a time, so the next message is its answer. */
function ask(worker: Worker, job: { readonly password: string; readonly known: readonly string[] }): Promise<number> {
  return new Promise((done, fail) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      worker.off('message', answered).off('error', failed).off('exit', gone);
      settle();
    };
    const answered = (score: number): void => finish(() => done(score));
    const failed = (error: unknown): void => finish(() => fail(error));
    const gone = (): void => failed(new Error('the strength meter ended'));
    const timer = setTimeout(() => failed(new Error('the strength of a password could not be told in time')), jobMs);
    worker.on('message', answered).on('error', failed).on('exit', gone);
    worker.postMessage(job);
  });
}
