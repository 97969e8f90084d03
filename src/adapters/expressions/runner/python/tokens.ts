/** A word, number, text, sign or the end of a logical line of a Python source. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'sign' | 'newline';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** From 1. */
  readonly line: number;
  /** Of a text: `f`, `rb`, … in small letters. */
  readonly prefix?: string;
  /** Of a text: its one or three quotes. */
  readonly quote?: string;
  /** Of an f-string: what stands in its braces. */
  readonly fields?: readonly (readonly Token[])[];
}

const word = /[\p{L}_][\p{L}\p{N}_]*/uy;
const number = /(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[\p{L}\d_]*/uy;
const opening = /([a-zA-Z]{0,2})("""|'''|"|')/y;
const sign = /\*\*=|\/\/=|>>=|<<=|\.\.\.|[-+*/%&|^@]=|\*\*|\/\/|>>|<<|->|:=|[<>=!]=|[-+*/%@&|^~<>=()[\]{},:;.!`?$]/y;

/** The tokens of a source, comments left out; a newline within brackets is none. Wrong code gives some tokens too. */
export function tokensOf(source: string): readonly Token[] {
  return new Reader(source).read(0, '').tokens;
}

class Reader {
  readonly #source: string;
  readonly #lineStarts: readonly number[];

  constructor(source: string) {
    this.#source = source;
    this.#lineStarts = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  /** To the end, or in an f-string's braces (`closing`) to what ends the expression there. */
  read(from: number, closing: '' | '}'): { tokens: Token[]; end: number } {
    const tokens: Token[] = [];
    let [at, depth] = [from, 0];
    while (at < this.#source.length) {
      const char = this.#source[at] ?? '';
      if (closing !== '' && depth === 0 && this.#endsField(at)) break;
      if (char === '\n') {
        if (depth === 0 && closing === '') tokens.push(this.#token('newline', at, at + 1));
        at += 1;
      } else if (char === '#') at = this.#endOfLine(at);
      else if (/\s/.test(char) || char === '\\') at += char === '\\' ? 2 : 1;
      else {
        const token = this.#next(at);
        if (/^[([{]$/.test(token.text)) depth += 1;
        if (/^[)\]}]$/.test(token.text)) depth = Math.max(0, depth - 1);
        tokens.push(token);
        at = token.end;
      }
    }
    return { tokens, end: at };
  }

  #next(at: number): Token {
    const text = this.#match(opening, at);
    if (text !== null) return this.#string(at, text);
    for (const [kind, pattern] of [
      ['name', word],
      ['number', number],
      ['sign', sign],
    ] as const) {
      const found = this.#match(pattern, at);
      if (found !== null) return this.#token(kind, at, at + found[0].length);
    }
    return this.#token('sign', at, at + 1);
  }

  #string(at: number, [whole = '', prefix = '', quote = '']: RegExpExecArray): Token {
    const small = prefix.toLowerCase();
    const fields: Token[][] = [];
    const end = this.#endOfString(at + whole.length, small, quote, fields);
    return { ...this.#token('string', at, end), prefix: small, quote, ...(small.includes('f') ? { fields } : {}) };
  }

  #endOfString(from: number, prefix: string, quote: string, fields: Token[][]): number {
    let at = from;
    while (at < this.#source.length) {
      const char = this.#source[at] ?? '';
      if (this.#source.startsWith(quote, at)) return at + quote.length;
      if (char === '\n' && quote.length === 1) return at;
      if (char === '\\') at += 2;
      else if (char === '{' && prefix.includes('f')) at = this.#field(at, fields);
      else at += 1;
    }
    return this.#source.length;
  }

  /** From an f-string's brace to behind the one that ends it. */
  #field(from: number, fields: Token[][]): number {
    if (this.#source[from + 1] === '{') return from + 2;
    const { tokens, end } = this.read(from + 1, '}');
    fields.push(tokens);
    let at = end;
    // What follows the expression (`!r:>5`) may have braces of its own.
    while (at < this.#source.length && this.#source[at] !== '}' && this.#source[at] !== '\n')
      at = this.#source[at] === '{' ? this.#field(at, fields) : at + 1;
    return at + 1;
  }

  #endsField(at: number): boolean {
    const [char, next] = [this.#source[at], this.#source[at + 1]];
    if (char === '}' || char === ':') return true;
    return (
      (char === '!' && next !== '=') || (char === '=' && next !== '=' && !/[=!<>]/.test(this.#source[at - 1] ?? ''))
    );
  }

  #endOfLine(at: number): number {
    const end = this.#source.indexOf('\n', at);
    return end === -1 ? this.#source.length : end;
  }

  #match(pattern: RegExp, at: number): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(this.#source);
  }

  #token(kind: Token['kind'], start: number, end: number): Token {
    return { kind, text: this.#source.slice(start, end), start, end, line: this.#lineOf(start) };
  }

  #lineOf(at: number): number {
    let [low, high] = [0, this.#lineStarts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }
}

/** Where the bracket that a token opens is closed, or that it closes was opened; the token's own place if it is none. */
export function partners(tokens: readonly Token[]): readonly number[] {
  const found = tokens.map((_, index) => index);
  const open: number[] = [];
  tokens.forEach(({ kind, text }, index) => {
    if (kind !== 'sign') return;
    if (/^[([{]$/.test(text)) open.push(index);
    if (!/^[)\]}]$/.test(text)) return;
    const from = open.pop();
    if (from !== undefined) [found[from], found[index]] = [index, from];
  });
  return found;
}

/** Every list of tokens: the source's own, and those in the braces of f-strings. */
export function listsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  return [tokens, ...tokens.flatMap(({ fields = [] }) => fields.flatMap((list) => listsOf(list)))];
}
