/** A piece of TypeScript source; comments and the insides of strings and regular expressions are not code. */
export interface Token {
  readonly kind: 'word' | 'mark' | 'string' | 'template' | 'pattern';
  readonly text: string;
  readonly line: number;
}

/** One module named by a file: `import`, `export … from`, `import()`, `typeof import()`, `import x = require()`. */
export interface ModuleReference {
  readonly specifier: string;
  readonly line: number;
  /** True when the compiler erases the whole reference. */
  readonly typeOnly: boolean;
}

const word = /[\p{L}\p{N}_$#]+/uy;
const quoted = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/sy;
const comment = /\/\/[^\n]*|\/\*.*?(?:\*\/|$)/sy;
const pattern = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templatePart = /(?:[^`\\$]|\\.|\$(?!\{))*/sy;

const wordsBeforePattern = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);
// Not `<`, `>` and `}`: in JSX a slash stands after them.
const marksBeforePattern = new Set(['(', ',', '=', ':', '[', '!', '&', '|', '?', '{', ';', '+', '-', '*', '%', '=>']);

/** Splits TypeScript (also with JSX) into tokens, well enough to read imports and type names. */
export function tokenise(source: string): Token[] {
  return new Scanner(source).scan();
}

class Scanner {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  /** One entry for each open `${`: how many braces are open inside of it. */
  readonly #templates: number[] = [];
  #at = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  scan(): Token[] {
    if (this.#source.startsWith('#!')) this.#advance(this.#source.split('\n', 1)[0] ?? '');
    while (this.#at < this.#source.length) this.#step();
    return this.#tokens;
  }

  #step(): void {
    const skipped = this.#match(/\s+/y) ?? this.#match(comment);
    if (skipped) this.#advance(skipped);
    else if (!this.#readWordOrLiteral()) this.#readMark();
  }

  #readWordOrLiteral(): boolean {
    const name = this.#match(word);
    const text = name ? undefined : this.#match(quoted);
    const expression = name || text || !mayBePattern(this.#tokens.at(-1)) ? undefined : this.#match(pattern);
    if (name) this.#push('word', name);
    else if (text) this.#push('string', text.slice(1, -1), text);
    else if (expression) this.#push('pattern', expression);
    else return false;
    return true;
  }

  #readMark(): void {
    const mark = this.#source.startsWith('=>', this.#at) ? '=>' : (this.#source[this.#at] ?? '');
    const depth = this.#templates.at(-1);
    if (mark === '`') {
      this.#push('mark', mark);
      this.#readTemplate(true);
    } else if (mark === '}' && depth === 0) {
      this.#templates.pop();
      this.#advance(mark);
      this.#readTemplate(false);
    } else {
      const change = mark === '{' ? 1 : mark === '}' ? -1 : 0;
      if (depth !== undefined) this.#templates[this.#templates.length - 1] = depth + change;
      this.#push('mark', mark);
    }
  }

  #readTemplate(first: boolean): void {
    const text = this.#match(templatePart) ?? '';
    const closed = this.#source[this.#at + text.length] === '`';
    this.#push(first && closed ? 'string' : 'template', text);
    if (this.#source.startsWith('${', this.#at)) {
      this.#advance('${');
      this.#templates.push(0);
    } else this.#advance('`');
  }

  #match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    return expression.exec(this.#source)?.[0];
  }

  #push(kind: Token['kind'], text: string, written = text): void {
    this.#tokens.push({ kind, text, line: this.#line });
    this.#advance(written);
  }

  #advance(text: string): void {
    this.#at += text.length;
    for (const letter of text) if (letter === '\n') this.#line++;
  }
}

function mayBePattern(before: Token | undefined): boolean {
  if (!before) return true;
  if (before.kind === 'word') return wordsBeforePattern.has(before.text);
  return before.kind === 'mark' && marksBeforePattern.has(before.text);
}

/** Lists every module that the tokens of a file name. */
export function moduleReferences(tokens: readonly Token[]): ModuleReference[] {
  const found: ModuleReference[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    const before = tokens[index - 1];
    if (token?.kind !== 'word' || (before?.kind === 'mark' && before.text === '.')) continue;
    const reference =
      token.text === 'import' || token.text === 'export'
        ? (callReference(tokens, index) ?? declarationReference(tokens, index))
        : token.text === 'require'
          ? requireReference(tokens, index)
          : undefined;
    if (reference) found.push(reference);
  }
  return found;
}

/** `import('x')`, and as a type `typeof import('x')`. */
function callReference(tokens: readonly Token[], index: number): ModuleReference | undefined {
  const open = tokens[index + 1];
  if (tokens[index]?.text !== 'import' || open?.text !== '(' || open.kind !== 'mark') return undefined;
  // A template literal has a mark of its own before the text.
  const specifier = tokens[index + 2]?.text === '`' ? tokens[index + 3] : tokens[index + 2];
  if (specifier?.kind !== 'string') return undefined;
  const typeOnly = tokens[index - 1]?.text === 'typeof';
  return { specifier: specifier.text, line: specifier.line, typeOnly };
}

/** `import x = require('x')`. */
function requireReference(tokens: readonly Token[], index: number): ModuleReference | undefined {
  const specifier = tokens[index + 2];
  if (tokens[index + 1]?.text !== '(' || specifier?.kind !== 'string') return undefined;
  return { specifier: specifier.text, line: specifier.line, typeOnly: false };
}

/** `import … from 'x'`, `import 'x'` and `export … from 'x'`. */
function declarationReference(tokens: readonly Token[], index: number): ModuleReference | undefined {
  const end = endOfDeclaration(tokens, index);
  const specifier = end === undefined ? undefined : tokens[end];
  if (specifier?.kind !== 'string') return undefined;
  const next = tokens[index + 1];
  // `import type from 'x'` imports a value by the name of type.
  const typeOnly = next?.kind === 'word' && next.text === 'type' && tokens[index + 2]?.text !== 'from';
  return { specifier: specifier.text, line: specifier.line, typeOnly };
}

/**
 * The index of the last token of the import or of the export list that begins at `index`: its specifier, or the closing
 * brace of `export { … }` alone. Undefined for everything else, such as `export const` and `import.meta`.
 */
export function endOfDeclaration(tokens: readonly Token[], index: number): number | undefined {
  const isExport = tokens[index]?.text === 'export';
  let at = index + 1;
  if (!isExport && tokens[at]?.kind === 'string') return at;
  if (isExport && tokens[at]?.text === 'type') at++;
  if (isExport && tokens[at]?.text !== '{' && tokens[at]?.text !== '*') return undefined;
  let braces = 0;
  for (; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind === 'mark') {
      if (!['{', '}', ',', '*'].includes(token.text)) return undefined;
      if (token.text === '{') braces++;
      if (token.text === '}' && --braces === 0 && tokens[at + 1]?.text !== 'from' && tokens[at + 1]?.text !== ',') {
        return isExport ? at : undefined;
      }
    } else if (braces === 0 && token?.text === 'from' && tokens[at + 1]?.kind === 'string') return at + 1;
  }
  return undefined;
}

/** The lines on which the tokens name the type `any`. */
export function linesWithAny(tokens: readonly Token[]): number[] {
  const before = new Set([':', '<', '|', '&', '=>', '=', 'as', 'extends', 'satisfies', 'is', 'readonly', 'keyof']);
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'word' || token.text !== 'any') return [];
    const [previous, next, afterNext] = [tokens[index - 1], tokens[index + 1], tokens[index + 2]];
    if (previous?.text === '.' || next?.text === '.' || next?.text === '(') return [];
    const typed = previous !== undefined && previous.kind !== 'string' && before.has(previous.text);
    const argument = previous?.text === ',' && next?.text === '>';
    const list = next?.text === '[' && afterNext?.text === ']';
    return typed || argument || list ? [token.line] : [];
  });
}
