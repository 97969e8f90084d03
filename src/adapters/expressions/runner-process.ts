import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { CodeException, type ExpressionAnswer, type ExpressionJob } from '../../engine/expressions.ts';
import { launchOf } from './launch.ts';
import type { FromRunner, HostCall, ToRunner } from './messages.ts';
import { Watch } from './watch.ts';

/** Given beyond the engine's own limit, which normally ends the code: then the process is killed. */
const graceMs = 100;
const watchEveryMs = 25;
/** A runner has 60 to 110 MB; the engines' own limits are 8 and 20 MB. */
const residentLimitBytes = 256 * 1024 * 1024;
const pageBytes = 4096;

/** A job in a runner, as the pool gives it. */
export interface Work {
  readonly message:
    | Omit<Extract<ToRunner, { type: 'check' }>, 'job'>
    | Omit<Extract<ToRunner, { type: 'evaluate' }>, 'job'>;
  readonly limitMs: number;
  /** Milliseconds that the host may take for all calls of this job. */
  readonly hostLimitMs: number;
  readonly host: ExpressionJob['host'];
}

interface Running {
  readonly work: Work;
  readonly watch: Watch;
  resolve(answer: ExpressionAnswer | string | null): void;
  reject(error: Error): void;
}

let lastJob = 0;

/** One runner process: empty environment, no files but its own, no standard streams; killed when a job overruns. */
export class RunnerProcess {
  readonly #child: ChildProcess;
  readonly #jobs = new Map<number, Running>();
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  #dead: Error | undefined;
  #guard: NodeJS.Timeout | undefined;

  constructor() {
    const { file, args, execArgv } = launchOf();
    this.#child = fork(file, args, { execArgv, env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const started = { resolve() {}, reject(_: Error) {} };
    this.ready = new Promise((resolve, reject) => Object.assign(started, { resolve, reject }));
    this.gone = new Promise((resolve) => {
      const end = (error: Error) => {
        started.reject(error);
        this.#end(error);
        resolve();
      };
      this.#child.once('error', (error) =>
        end(new Error(`the runner of expressions does not start: ${error.message}`)),
      );
      this.#child.once('exit', (code, signal) =>
        end(new Error(`the runner of expressions ended (${signal ?? `code ${code}`})`)),
      );
    });
    // Who waits for a runner asks `ready` anyway; a spare that does not start is nobody's failure yet.
    this.ready.catch(() => {});
    this.#child.on('message', (message: FromRunner) => {
      if (message.type === 'ready') started.resolve();
      else if (message.type === 'unable')
        this.kill(new Error(`the runner of expressions does not start: ${message.message}`));
      else this.#hear(message);
    });
    this.#child.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  run(work: Work): Promise<ExpressionAnswer | string | null> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    lastJob += 1;
    const job = lastJob;
    return new Promise((resolve, reject) => {
      const watch = new Watch({
        ownMs: work.limitMs + graceMs,
        hostMs: work.hostLimitMs,
        ownOver: () => this.kill(new Error(`it took longer than its ${work.limitMs} ms, so its process was killed`)),
        hostOver: () =>
          this.#abandon(job, new Error(`what it asked of the server took longer than ${work.hostLimitMs} ms`)),
      });
      this.#jobs.set(job, { work, watch, resolve, reject });
      if (this.#jobs.size === 1) this.#busy();
      watch.start();
      this.#send({ ...work.message, job });
    });
  }

  /** At once; what ran in it fails. */
  kill(reason: Error): void {
    this.#child.kill('SIGKILL');
    // Who waits for its end (a command that closes) must not come to its own end before.
    this.#child.ref();
    this.#end(reason);
  }

  #hear(message: Exclude<FromRunner, { type: 'ready' | 'unable' }>): void {
    const running = this.#jobs.get(message.job);
    if (running === undefined) return;
    if (message.type === 'call') {
      void this.#answerCall(message.job, running, message.call, message);
      return;
    }
    this.#finish(message.job, running);
    if (message.type === 'failure') running.reject(new Error(message.message));
    else running.resolve(message.type === 'answer' ? message.answer : message.problem);
  }

  async #answerCall(job: number, running: Running, call: number, { name, args, named }: HostCall): Promise<void> {
    running.watch.hostBegins();
    try {
      const value = await running.work.host(name, args, named);
      if (this.#jobs.get(job) === running) this.#send({ type: 'value', call, value });
    } catch (error) {
      if (!(error instanceof CodeException))
        this.#abandon(job, error instanceof Error ? error : new Error(String(error)));
      else if (this.#jobs.get(job) === running)
        this.#send({ type: 'exception', call, exception: { type: error.type, message: error.message } });
    }
    running.watch.hostEnds();
  }

  /** Ends a job whose runner is sound: it only waits. */
  #abandon(job: number, error: Error): void {
    const running = this.#jobs.get(job);
    if (running === undefined) return;
    this.#finish(job, running);
    this.#send({ type: 'drop', job });
    running.reject(error);
  }

  #finish(job: number, running: Running): void {
    running.watch.stop();
    this.#jobs.delete(job);
    if (this.#jobs.size === 0) this.#idle();
  }

  #end(error: Error): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    for (const [job, running] of [...this.#jobs]) {
      this.#finish(job, running);
      running.reject(error);
    }
    this.#idle();
  }

  /** While something runs, the server's process lives and the memory is watched; else nothing keeps it alive. */
  #busy(): void {
    this.#child.channel?.ref();
    this.#guard = setInterval(() => void this.#weigh(), watchEveryMs);
  }

  #idle(): void {
    this.#child.channel?.unref();
    clearInterval(this.#guard);
  }

  /** Where the system tells; elsewhere the engines' limits and that of the heap stand alone. */
  async #weigh(): Promise<void> {
    const pages = await readFile(`/proc/${this.pid}/statm`, 'latin1').then(
      (text) => Number(text.split(' ')[1]),
      () => 0,
    );
    if (pages * pageBytes > residentLimitBytes && this.alive)
      this.kill(new Error('it took too much memory, so its process was killed'));
  }

  #send(message: ToRunner): void {
    // A channel that just closed is told by `exit`.
    if (this.alive) this.#child.send(message, () => {});
  }
}
