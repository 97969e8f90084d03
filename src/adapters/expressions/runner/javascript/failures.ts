import type { Raised } from '../../messages.ts';
import type { SandboxError } from './sandbox.ts';

/** What is wrong with a source, with the line in it. */
export function problemText({ raised, stack }: SandboxError, source: string): string {
  return `line ${lineOf(stack, source)}: ${raised.message}`;
}

const telling = new Set(['TypeError', 'ReferenceError', 'SyntaxError', 'InternalError']);

/**
 * Why a run failed, for the log. The text of an error may hold what a visitor typed, so only that of the language's own
 * errors is told, and only when what it quotes stands in the source.
 */
export function failureText(
  { type, message }: Raised,
  stack: string,
  { source, limitMs }: { readonly source: string; readonly limitMs: number },
): string {
  if (type === 'InternalError' && message === 'interrupted') return `it took longer than its ${limitMs} ms`;
  if (type === 'InternalError' && /out of memory|string too long/.test(message))
    return 'it took more than 8 MB of memory';
  const kind = /^[A-Za-z]{1,40}$/.test(type) ? type : 'Error';
  const quoted = [...message.matchAll(/'([^']*)'/g)].map(([, text = '']) => text);
  const told = telling.has(kind) && message.length < 200 && quoted.every((text) => source.includes(text));
  return `line ${lineOf(stack, source)}: ${kind}${told ? `: ${message}` : ''}`;
}

function lineOf(stack: string, source: string): number {
  const line = Number(/expression:(\d+)/.exec(stack)?.[1] ?? 1);
  return Math.min(Math.max(line, 1), source.split('\n').length);
}
