import type { Json } from '../../../../kernel/json.ts';
import { replaceComparisons } from './comparisons.ts';
import { Edits } from './edits.ts';
import { SourceError } from './failures.ts';
import { replaceFormatting } from './formatting.ts';
import { replaceImports, startsStatement, upToEnd } from './imports.ts';
import { completeMethodCalls } from './method-calls.ts';
import type { Imported } from './modules.ts';
import { helpersFor } from './prelude.ts';
import { listsOf, type Token, tokensOf } from './tokens.ts';

/** A source as Monty can run it. */
export interface Translated {
  /** The lines of the function's body, indented; as many as the source has. */
  readonly body: readonly string[];
  readonly helpers: readonly string[];
  readonly constants: Readonly<Record<string, Json>>;
  /** It yields: its value is the list of what it yielded. */
  readonly generates: boolean;
}

/** @throws SourceError with the line of what cannot run here */
export function translate(source: string): Translated {
  const tokens = tokensOf(source);
  const lists = listsOf(tokens);
  const names = new Set(lists.flatMap((list) => list.filter(({ kind }) => kind === 'name').map(({ text }) => text)));
  const edits = new Edits();
  const imported: Record<string, Imported> = {};
  const addresses = ['ip_address', 'ip_network', 'ak_client_ip'].some((name) => names.has(name));
  replaceImports(tokens, edits, imported);
  if (names.has('SkipObject')) replaceSkips(tokens, edits);
  if (names.has('yield')) replaceYields(tokens, edits, names);
  for (const list of lists) {
    replaceFormatting(list, edits, addresses ? (value) => `__text__(${value})` : (value) => value);
    if (names.has('now') || names.has('utcnow') || names.has('today')) replaceClock(list, edits);
    replaceComparisons(list, edits, addresses);
    completeMethodCalls(list, edits);
    if (addresses) replaceText(list, list === tokens, edits);
  }
  const text = edits.applyTo(source);
  return {
    body: indented(text),
    helpers: helpersFor(text),
    constants: Object.fromEntries(
      Object.entries(imported).flatMap(([name, one]) => ('value' in one ? [[name, one.value]] : [])),
    ),
    generates: names.has('yield'),
  };
}

/** By four spaces; what stands within a text over several lines is the text's own. */
function indented(source: string): readonly string[] {
  const lines = source.split('\n');
  const within = new Set<number>();
  for (const { kind, line, text } of tokensOf(source))
    if (kind === 'string') for (let at = 1; at < text.split('\n').length; at += 1) within.add(line + at);
  return lines.map((line, index) => (within.has(index + 1) || line.trim() === '' ? line : `    ${line}`));
}

/** The interpreter has no exceptions besides Python's own. */
function replaceSkips(tokens: readonly Token[], edits: Edits): void {
  tokens.forEach((token, index) => {
    if (token.kind !== 'name' || token.text !== 'SkipObject') return;
    if (tokens[index - 1]?.text === 'except') edits.replace(token, 'StopIteration');
    else if (tokens[index - 1]?.text === 'raise' && tokens[index + 1]?.text !== '(')
      edits.replace(token, 'SkipObject()');
  });
}

/** What is yielded is collected: the value of the whole is the list of it. */
function replaceYields(tokens: readonly Token[], edits: Edits, names: ReadonlySet<string>): void {
  tokens.forEach((token, index) => {
    if (token.kind !== 'name' || token.text !== 'yield') return;
    if (!startsStatement(tokens, index) || names.has('def') || names.has('lambda'))
      throw new SourceError(token.line, '"yield" works as a statement outside of functions; collect in a list instead');
    const statement = upToEnd(tokens, index);
    const from = statement[1]?.text === 'from';
    const keyword = { start: token.start, end: (from ? statement[1] : token)?.end ?? token.end };
    const [first, last] = [statement[from ? 2 : 1], statement.at(-1)];
    edits.replace(keyword, `__yielded__.${from ? 'extend' : 'append'}`);
    if (first === undefined || last === undefined) edits.wrap(token.end, token.end, '(None)', '');
    else edits.wrap(first.start, last.end, '((', '))');
  });
}

/** `datetime.now()`: the interpreter has no clock. */
function replaceClock(tokens: readonly Token[], edits: Edits): void {
  tokens.forEach((token, index) => {
    const [dot, method, call] = tokens.slice(index + 1, index + 4).map(({ text }) => text);
    if (token.kind !== 'name' || dot !== '.' || call !== '(') return;
    const isDate = token.text === 'date' && method === 'today';
    if (!isDate && !(token.text === 'datetime' && /^(?:now|utcnow|today)$/.test(method ?? ''))) return;
    const start = tokens[index - 1]?.text === '.' ? tokens[index - 2] : token;
    edits.replace(
      { start: start?.start ?? token.start, end: tokens[index + 2]?.end ?? token.end },
      isDate ? '__today__' : '__now__',
    );
  });
}

/** An object of ours has no text of its own: `str(x)` and `f"{x}"` ask for it. */
function replaceText(tokens: readonly Token[], isSource: boolean, edits: Edits): void {
  tokens.forEach((token, index) => {
    const called = token.kind === 'name' && token.text === 'str' && tokens[index + 1]?.text === '(';
    if (called && tokens[index - 1]?.text !== '.') edits.replace(token, '__str__');
  });
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (!isSource && first !== undefined && last !== undefined) edits.wrap(first.start, last.end, '__text__(', ')');
}
