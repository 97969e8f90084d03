import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import {
  CodeException,
  type ExpressionAnswer,
  type ExpressionJob,
  type ExpressionLanguage,
} from '../../engine/expressions.ts';
import { launchOf } from './launch.ts';
import type { FromRunner, HostCall, ToRunner } from './messages.ts';
import { Watch } from './watch.ts';

/** Given beyond the engine's own limit, which normally ends the code: then the process is killed. */
const graceMs = 100;
const watchEveryMs = 25;
/** A runner has 60 to 110 MB; the engines' own limits are 8 and 20 MB. */
const residentLimitBytes = 256 * 1024 * 1024;
const pageBytes = 4096;
/** Until a process runs and has loaded a language; a machine that is busy takes long. */
const startLimitMs = 20_000;

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
  readonly #loading = new Map<ExpressionLanguage, { done: boolean; heard(): void; loaded: Promise<void> }>();
  readonly gone: Promise<void>;
  #dead: Error | undefined;
  #guard: NodeJS.Timeout | undefined;
  #held = 0;

  constructor() {
    const { file, args, execArgv } = launchOf();
    this.#child = fork(file, args, { execArgv, env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.gone = new Promise((resolve) => {
      const end = (error: Error) => {
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
    this.#child.on('message', (message: FromRunner) => this.#hear(message));
    this.#child.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /** @throws Error where it does not start */
  load(language: ExpressionLanguage): Promise<void> {
    const known = this.#loading.get(language);
    if (known !== undefined) return known.loaded;
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const entry = { done: false, heard: () => {}, loaded: Promise.resolve() };
    const limit = setTimeout(
      () => this.kill(new Error('the runner of expressions does not start in time')),
      startLimitMs,
    );
    this.#hold();
    entry.loaded = new Promise<void>((resolve, reject) => {
      entry.heard = resolve;
      void this.gone.then(() => reject(this.#dead));
    }).finally(() => {
      entry.done = true;
      clearTimeout(limit);
      this.#release();
    });
    this.#loading.set(language, entry);
    this.#send({ type: 'load', language });
    return entry.loaded;
  }

  async run(work: Work): Promise<ExpressionAnswer | string | null> {
    // What is there is not waited for: a turn of the event loop is dear to a policy that takes a fraction of a millisecond.
    if (this.#loading.get(work.message.language)?.done !== true) await this.load(work.message.language);
    return this.#start(work);
  }

  #start(work: Work): Promise<ExpressionAnswer | string | null> {
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
      this.#hold();
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

  #hear(message: FromRunner): void {
    if (message.type === 'loaded') {
      this.#loading.get(message.language)?.heard();
      return;
    }
    if (message.type === 'unable') {
      this.kill(new Error(`the runner of expressions does not start: ${message.message}`));
      return;
    }
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
    this.#release();
  }

  #end(error: Error): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    for (const [job, running] of [...this.#jobs]) {
      this.#finish(job, running);
      running.reject(error);
    }
  }

  /** While something runs, the server's process lives and the memory is watched; else nothing keeps it alive. */
  #hold(): void {
    this.#held += 1;
    if (this.#held > 1) return;
    this.#child.channel?.ref();
    this.#guard = setInterval(() => void this.#weigh(), watchEveryMs);
  }

  #release(): void {
    this.#held -= 1;
    if (this.#held > 0) return;
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
