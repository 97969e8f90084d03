import type { ExpressionAnswer } from '../../../../engine/expressions.ts';
import type { Json, JsonObject } from '../../../../kernel/json.ts';
import type { Evaluation, Raised } from '../../messages.ts';
import { ipAddress, ipNetwork } from '../addresses.ts';
import { CodeError, type Engine, type Host } from '../engine.ts';
import { slugify } from '../slugify.ts';
import { failureText, problemText } from './failures.ts';
import { hasGrown, type Module, newModule, type Outside, Sandbox, SandboxError } from './sandbox.ts';

const identifier =
  /^(?!(?:arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$)[A-Za-z_$][\w$]*$/;
const checkLimitMs = 1_000;

/** JavaScript by QuickJS: a realm for each evaluation, in a memory that cannot grow beyond its end. */
export async function createJavaScript(): Promise<Engine> {
  const sandboxes = new Sandboxes();
  await sandboxes.prepare();
  return {
    async check(source) {
      const sandbox = await sandboxes.take();
      let sound = true;
      try {
        sandbox.lendTo(silent, checkLimitMs);
        sandbox.compile(codeOf(source, []));
        return null;
      } catch (error) {
        sound = error instanceof SandboxError;
        return error instanceof SandboxError ? problemText(error, source) : 'it is too much to be looked at';
      } finally {
        sandboxes.release(sandbox, sound);
      }
    },
    async evaluate(given, host) {
      const sandbox = await sandboxes.take();
      const run = new Run(sandbox, given, host);
      try {
        return await run.answer();
      } finally {
        sandboxes.release(sandbox, run.isSound);
      }
    },
  };
}

/** One realm is always ready: making it takes longer than most expressions. */
class Sandboxes {
  #module: Promise<Module> = newModule();
  #spare: Sandbox | undefined;

  async take(): Promise<Sandbox> {
    const sandbox = this.#spare ?? new Sandbox(await this.#module);
    this.#spare = undefined;
    return sandbox;
  }

  /** A module that ran out of memory, or whose realm did not end as it should, is not used again. */
  release(sandbox: Sandbox, sound: boolean): void {
    let ended = sound && !hasGrown(sandbox.module);
    try {
      sandbox.dispose();
    } catch {
      ended = false;
    }
    if (!ended) {
      this.#module = newModule();
      this.#spare = undefined;
    }
    // The answer leaves first.
    setImmediate(() => void this.prepare());
  }

  async prepare(): Promise<void> {
    const module = await this.#module;
    this.#spare ??= new Sandbox(module);
  }
}

const silent: Outside = { call() {}, local: () => 'null', finish() {}, fail() {} };

interface Reply {
  readonly id: number;
  readonly value: Json;
  readonly problem: Raised | null;
}

/** One evaluation: the code runs until it waits for the server, and on with what that says. */
class Run {
  readonly sandbox: Sandbox;
  readonly #given: Evaluation;
  readonly #host: Host;
  readonly #names: readonly string[];
  readonly #returned: readonly string[];
  /** Calls whose answer the code has not got yet, and those answers that are here, in the order of their coming. */
  readonly #asked = new Set<number>();
  readonly #arrived: (Reply | Error)[] = [];
  #wake = () => {};
  #outcome: { answer: string } | { raised: Raised; stack: string } | undefined;
  isSound = true;

  constructor(sandbox: Sandbox, given: Evaluation, host: Host) {
    this.#given = given;
    this.#host = host;
    this.#names = Object.keys(given.variables).filter((name) => identifier.test(name));
    this.#returned = this.#names.filter((name) => isReturned(given.variables[name]));
    this.sandbox = sandbox;
    const outside: Outside = {
      call: (id, name, args) => this.#call(id, name, args),
      local,
      finish: (answer) => {
        this.#outcome = { answer };
      },
      fail: (raised, stack) => {
        this.#outcome = { raised, stack };
      },
    };
    sandbox.lendTo(outside, given.limitMs);
  }

  async answer(): Promise<ExpressionAnswer> {
    const { source, variables, limitMs } = this.#given;
    const sent = Object.fromEntries(this.#names.map((name) => [name, variables[name] ?? null]));
    this.#step(() =>
      this.sandbox.begin(codeOf(source, this.#names), JSON.stringify(sent), JSON.stringify(this.#returned)),
    );
    while (this.#outcome === undefined) {
      if (this.#asked.size === 0) throw new Error('it never ends: it waits for what nobody will bring');
      const { id, value, problem } = await this.#next();
      this.#asked.delete(id);
      this.#step(() =>
        this.sandbox.settle(id, JSON.stringify(value), problem === null ? null : JSON.stringify(problem)),
      );
    }
    if ('raised' in this.#outcome && this.sandbox.isOver) throw new Error(`it took longer than its ${limitMs} ms`);
    if ('raised' in this.#outcome)
      throw new Error(failureText(this.#outcome.raised, this.#outcome.stack, { source, limitMs }));
    const [result, messages, changed] = JSON.parse(this.#outcome.answer) as [Json, string[], Json[]];
    return {
      result,
      messages,
      variables: Object.fromEntries(this.#returned.map((name, index) => [name, changed[index] ?? null])),
    };
  }

  #step(work: () => void): void {
    const { source, limitMs } = this.#given;
    try {
      work();
    } catch (error) {
      if (this.sandbox.isOver) throw new Error(`it took longer than its ${limitMs} ms`);
      if (error instanceof SandboxError) throw new Error(failureText(error.raised, error.stack, { source, limitMs }));
      this.isSound = false;
      throw new Error('it took more than 20 MB of memory');
    }
    if (this.sandbox.isOver && this.#outcome === undefined) throw new Error(`it took longer than its ${limitMs} ms`);
  }

  #call(id: number, name: string, text: string): void {
    const [args, named] = JSON.parse(text) as [Json[], JsonObject];
    this.#asked.add(id);
    const arrive = (reply: Reply | Error) => {
      this.#arrived.push(reply);
      this.#wake();
    };
    this.#host({ name, args, named }).then(
      (value) => arrive({ id, value, problem: null }),
      (error: Error) => {
        const raised = error instanceof CodeError ? { type: error.type, message: error.message } : null;
        arrive(raised === null ? error : { id, value: null, problem: raised });
      },
    );
  }

  async #next(): Promise<Reply> {
    if (this.#arrived.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const reply = this.#arrived.shift();
    if (reply === undefined || reply instanceof Error) throw reply ?? new Error('no answer came');
    return reply;
  }
}

/** On one line with the source's first, so that lines are the source's own. */
function codeOf(source: string, names: readonly string[]): string {
  return `(async function (${names.join(', ')}) { "use strict"; ${source}\n})`;
}

function isReturned(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Object.hasOwn(value, '$object');
}

/** Helpers that the sandbox asks at once. */
function local(name: string, text: string): string {
  const [first, second] = JSON.parse(text) as Json[];
  try {
    if (name === 'slugify') return JSON.stringify({ value: slugify(String(first)) });
    const value = name === 'ip_network' ? ipNetwork(String(first), second !== false) : ipAddress(String(first));
    return JSON.stringify({ value });
  } catch (error) {
    return JSON.stringify({ problem: error instanceof Error ? error.message : String(error) });
  }
}
