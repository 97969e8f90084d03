import type * as MontyModule from '@pydantic/monty';
import { CodeError } from '../engine.ts';

/** Where a source stands in the program that Monty runs. */
export interface Place {
  readonly source: string;
  readonly before: number;
}

/** What a source has that cannot run here, by its line. */
export class SourceError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** `raise SkipObject` is translated to this. */
export const skipMessage = '__SkipObject__';

export function skips(error: unknown): boolean {
  return isPythonError(error) && error.exception.message === skipMessage;
}

/** What is wrong with a source, with the line in it. */
export function problemOf(error: unknown, place: Place): string {
  if (error instanceof SourceError) return `line ${error.line}: ${error.message}`;
  if (!isPythonError(error)) return error instanceof Error ? error.message : String(error);
  const { message } = error.exception;
  const unsupported = /does not yet support (.*)$/.exec(message);
  const text = unsupported === null ? message : `${unsupported[1]} cannot be used here; write it another way`;
  return `line ${lineOf(error, place)}: ${text}`;
}

/**
 * Why a run failed, for the log. The text of an exception may hold what a visitor typed, so only that of errors about
 * names and types is told, and only when what it quotes stands in the source.
 */
export function failureOf(error: unknown, place: Place, limitMs: number): string {
  if (error instanceof SourceError) return problemOf(error, place);
  if (error instanceof CodeError) return `${error.type}: ${error.message}`;
  if (!isPythonError(error)) return error instanceof Error ? error.message : String(error);
  const { typeName, message } = error.exception;
  if (typeName === 'TimeoutError' && message.startsWith('time limit exceeded'))
    return `it took longer than its ${limitMs} ms`;
  if (typeName === 'MemoryError') return 'it took more than 8 MB of memory';
  if (typeName === 'SyntaxError' || typeName === 'NotImplementedError') return problemOf(error, place);
  const told = isTold(typeName, message, place.source) ? `: ${message}` : '';
  return `line ${lineOf(error, place)}: ${typeName}${told}`;
}

const tellingTypes = new Set([
  'NameError',
  'AttributeError',
  'TypeError',
  'ModuleNotFoundError',
  'ImportError',
  'RecursionError',
]);
const typeNames = new Set([
  'str',
  'int',
  'float',
  'bool',
  'list',
  'dict',
  'tuple',
  'set',
  'NoneType',
  'dataclass',
  'bytes',
]);

function isTold(type: string, message: string, source: string): boolean {
  if (!tellingTypes.has(type)) return false;
  const quoted = [...message.matchAll(/'([^']*)'/g)].map(([, text = '']) => text);
  return message.length < 200 && quoted.every((text) => typeNames.has(text) || source.includes(text));
}

function lineOf(error: MontyModule.MontyError, { source, before }: Place): number {
  const frames = 'traceback' in error ? (error as MontyModule.MontyRuntimeError).traceback() : [];
  const last = source.split('\n').length;
  const lines = frames.map(({ line }) => line - before).filter((line) => line >= 1 && line <= last);
  return lines.at(-1) ?? writtenLine(error, before, last);
}

/** Syntax errors tell their line only in the text that is written of them. */
function writtenLine(error: MontyModule.MontyError, before: number, last: number): number {
  const display = (error as { display(format?: string): string }).display('traceback');
  const line = Number(/line (\d+)/.exec(display)?.[1] ?? before + 1) - before;
  return Math.min(Math.max(line, 1), last);
}

/** By shape: the classes belong to a package that is loaded by address. */
function isPythonError(error: unknown): error is MontyModule.MontyError {
  return error instanceof Error && error.name.startsWith('Monty') && 'exception' in error;
}
