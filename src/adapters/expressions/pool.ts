import { AsyncLocalStorage } from 'node:async_hooks';
import { availableParallelism } from 'node:os';
import type { ExpressionAnswer, ExpressionLanguage } from '../../engine/expressions.ts';
import { RunnerProcess, type Work } from './runner-process.ts';

const mostWaiting = 256;

type Answered = ExpressionAnswer | string | null;

interface Waiting {
  readonly work: Work;
  resolve(answer: Promise<Answered>): void;
  reject(error: Error): void;
}

/**
 * The runner processes: as many as are needed, up to one a core and four, and one spare that takes over at once when
 * one is killed. Each runs one job at a time. What a job's host call asks for (`ak_call_policy`) runs in the process that
 * waits for it, so that jobs that wait for others never fill the pool.
 */
export class Pool {
  readonly #most = Math.min(availableParallelism(), 4);
  readonly #runners = new Set<RunnerProcess>();
  readonly #idle: RunnerProcess[] = [];
  readonly #queue: Waiting[] = [];
  readonly #asking = new AsyncLocalStorage<{ runner: RunnerProcess; calls: number }>();
  /** Those that were asked for: a new process has them loaded before its first job. */
  readonly #languages = new Set<ExpressionLanguage>();
  #busy = 0;
  #closed = false;

  /** @throws Error when the job fails, its runner dies, too many wait, or the pool is closed */
  run(work: Work): Promise<Answered> {
    if (this.#closed) return Promise.reject(new Error('expressions no longer run: the server is ending'));
    this.#languages.add(work.message.language);
    const asking = this.#asking.getStore();
    if (asking !== undefined && asking.calls > 0) return asking.runner.run(this.#asked(work, asking.runner));
    if (this.#queue.length >= mostWaiting)
      return Promise.reject(new Error(`${mostWaiting} expressions wait already; try again in a moment`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#dispatch();
    });
  }

  /** Kills all processes; what runs or waits fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const reason = new Error('the server is ending');
    for (const { reject } of this.#queue.splice(0)) reject(reason);
    for (const runner of this.#runners) runner.kill(reason);
    await Promise.all([...this.#runners].map(({ gone }) => gone));
  }

  /** The process numbers, for tests and metrics. */
  get pids(): readonly number[] {
    return [...this.#runners].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#busy < this.#most) {
      const runner = this.#idle.pop();
      if (runner === undefined) break;
      const waiting = this.#queue.shift();
      if (waiting !== undefined) this.#lend(runner, waiting);
    }
    const wanted = Math.min(this.#busy + this.#queue.length, this.#most) + 1;
    while (!this.#closed && this.#runners.size < wanted) this.#start();
  }

  #lend(runner: RunnerProcess, { work, resolve }: Waiting): void {
    this.#busy += 1;
    const done = runner.run(this.#asked(work, runner));
    const giveBack = () => {
      this.#busy -= 1;
      if (runner.alive) this.#idle.push(runner);
      this.#dispatch();
    };
    done.then(giveBack, giveBack);
    resolve(done);
  }

  /** A host that asks for another expression asks the runner that waits for it. */
  #asked(work: Work, runner: RunnerProcess): Work {
    const host: Work['host'] = async (name, args, named) => {
      const asking = { runner, calls: 1 };
      try {
        return await this.#asking.run(asking, () => work.host(name, args, named));
      } finally {
        asking.calls = 0;
      }
    };
    return { ...work, host };
  }

  #start(): void {
    const runner = new RunnerProcess();
    this.#runners.add(runner);
    let started = false;
    Promise.all([...this.#languages].map((language) => runner.load(language))).then(
      () => {
        started = true;
        this.#idle.push(runner);
        this.#dispatch();
      },
      (error: Error) => {
        // Where no runner starts, nobody waits for one; the next job tries again.
        if (![...this.#runners].some((other) => other !== runner && other.alive))
          for (const { reject } of this.#queue.splice(0)) reject(error);
      },
    );
    void runner.gone.then(() => {
      this.#runners.delete(runner);
      const at = this.#idle.indexOf(runner);
      if (at !== -1) this.#idle.splice(at, 1);
      if (started) this.#dispatch();
    });
  }
}
