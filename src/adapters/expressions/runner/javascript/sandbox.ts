import packaged from '@jitl/quickjs-wasmfile-release-sync';
import wasm from '@jitl/quickjs-wasmfile-release-sync/wasm';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
  Scope,
} from 'quickjs-emscripten-core';
import type { Raised } from '../../messages.ts';
import prelude from './sandbox.prelude.js';

/** 16 MB, of which an empty sandbox uses 0.1; and the 20 beyond which it gets nothing. */
const pages = { initial: 256, maximum: 320 };
const heapBytes = 8 * 1024 * 1024;
const stackBytes = 256 * 1024;

/** The engine in a memory of its own. The engine's own limit does not count small allocations; the memory's end does. */
export interface Module {
  readonly quickjs: QuickJSWASMModule;
  readonly memory: WebAssembly.Memory;
}

/** Its types are those of the CommonJS file, which has it one step deeper. */
const variant = packaged as unknown as QuickJSSyncVariant;

let compiled: Promise<WebAssembly.Module> | undefined;

export async function newModule(): Promise<Module> {
  compiled ??= WebAssembly.compile(wasm as BufferSource);
  const memory = new WebAssembly.Memory(pages);
  const quickjs = await newQuickJSWASMModuleFromVariant(
    newVariant(variant, { wasmModule: await compiled, wasmMemory: memory }),
  );
  return { quickjs, memory };
}

/** Whether something needed more than there is at first: then the module is given up. */
export function hasGrown({ memory }: Module): boolean {
  return memory.buffer.byteLength > pages.initial * 65_536;
}

/** What a sandbox tells the outside. */
export interface Outside {
  call(id: number, name: string, args: string): void;
  local(name: string, args: string): string;
  finish(answer: string): void;
  fail(error: Raised, stack: string): void;
}

const silent: Outside = { call() {}, local: () => 'null', finish() {}, fail() {} };

/** One expression's realm. It is made ahead; its time runs only while its code does. */
export class Sandbox {
  readonly module: Module;
  #outside: Outside = silent;
  readonly #scope = new Scope();
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #api: QuickJSHandle;
  #leftMs = 0;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(module: Module) {
    this.module = module;
    this.#runtime = this.#scope.manage(module.quickjs.newRuntime());
    this.#runtime.setMemoryLimit(heapBytes);
    this.#runtime.setMaxStackSize(stackBytes);
    this.#runtime.setInterruptHandler(() => performance.now() > this.#deadline);
    this.#context = this.#scope.manage(this.#runtime.newContext());
    const context = this.#context;
    const text = (handle: QuickJSHandle) => context.getString(handle);
    const given = [
      this.#function('call', (id, name, args) => {
        this.#outside.call(context.getNumber(id), text(name), text(args));
        return undefined;
      }),
      this.#function('local', (name, args) => context.newString(this.#outside.local(text(name), text(args)))),
      this.#function('finish', (answer) => {
        this.#outside.finish(text(answer));
        return undefined;
      }),
      this.#function('fail', (type, message, stack) => {
        this.#outside.fail({ type: text(type), message: text(message) }, text(stack));
        return undefined;
      }),
    ];
    this.#api = this.#manage(context.evalCode(prelude, 'doorward', { type: 'module' }));
    const connect = this.#scope.manage(context.getProp(this.#api, 'connect'));
    this.#manage(context.callFunction(connect, context.undefined, ...given));
  }

  lendTo(outside: Outside, limitMs: number): void {
    this.#outside = outside;
    this.#leftMs = limitMs;
  }

  /** Compiles a source without running it. */
  compile(code: string): void {
    this.#timed(() => this.#manage(this.#context.evalCode(code, 'expression', { type: 'global', compileOnly: true })));
  }

  begin(code: string, variables: string, returned: string): void {
    const context = this.#context;
    this.#timed(() => {
      const compiledCode = this.#manage(context.evalCode(code, 'expression'));
      const begin = this.#scope.manage(context.getProp(this.#api, 'begin'));
      const args = [compiledCode, this.#string(variables), this.#string(returned)];
      this.#manage(context.callFunction(begin, context.undefined, ...args));
      this.#pending();
    });
  }

  settle(id: number, value: string, problem: string | null): void {
    const context = this.#context;
    this.#timed(() => {
      const settle = this.#scope.manage(context.getProp(this.#api, 'settle'));
      const told = problem === null ? context.undefined : this.#string(problem);
      const number = this.#scope.manage(context.newNumber(id));
      this.#manage(context.callFunction(settle, context.undefined, number, this.#string(value), told));
      this.#pending();
    });
  }

  get isOver(): boolean {
    return this.#leftMs <= 0;
  }

  dispose(): void {
    this.#scope.dispose();
  }

  #timed(work: () => void): void {
    const begun = performance.now();
    this.#deadline = begun + this.#leftMs;
    try {
      work();
    } finally {
      this.#leftMs -= performance.now() - begun;
      this.#deadline = Number.POSITIVE_INFINITY;
    }
  }

  #pending(): void {
    const done = this.#runtime.executePendingJobs();
    if (done.error !== undefined) this.#throw(this.#scope.manage(done.error));
    else done.dispose();
  }

  #function(name: string, body: (...args: QuickJSHandle[]) => QuickJSHandle | undefined): QuickJSHandle {
    return this.#scope.manage(this.#context.newFunction(name, (...args) => body(...args)));
  }

  #string(text: string): QuickJSHandle {
    return this.#scope.manage(this.#context.newString(text));
  }

  #manage(result: ReturnType<QuickJSContext['evalCode']>): QuickJSHandle {
    if (result.error !== undefined) this.#throw(this.#scope.manage(result.error));
    return this.#scope.manage(result.value);
  }

  #throw(error: QuickJSHandle): never {
    const dumped: unknown = this.#context.dump(error);
    const { name = 'Error', message = '', stack = '' } = errorLike(dumped);
    throw new SandboxError({ type: String(name), message: String(message) }, String(stack));
  }
}

function errorLike(thrown: unknown): { name?: unknown; message?: unknown; stack?: unknown } {
  // Where not even an error fits in.
  if (thrown === null) return { name: 'InternalError', message: 'out of memory' };
  return typeof thrown === 'object' ? thrown : {};
}

/** What came out of a sandbox as an error. */
export class SandboxError extends Error {
  readonly raised: Raised;
  override readonly stack: string;

  constructor(raised: Raised, stack: string) {
    super(raised.message);
    this.raised = raised;
    this.stack = stack;
  }
}
