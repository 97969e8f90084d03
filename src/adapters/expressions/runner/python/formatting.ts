import type { Edits } from './edits.ts';
import { SourceError } from './failures.ts';
import { partners, type Token } from './tokens.ts';

/** How a value is written where a text is made of it. */
type Shown = (value: string) => string;

const plainText = /^u?r?$/;
const percent = /%(?:\((\w+)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?([a-zA-Z%])|[{}%]/g;

/** `"…" % x` and `"…".format(x)` of written texts become f-strings: the interpreter has only those. */
export function replaceFormatting(tokens: readonly Token[], edits: Edits, shown: Shown): void {
  const partner = partners(tokens);
  tokens.forEach((token, index) => {
    const isPercent = token.kind === 'sign' && token.text === '%';
    const isFormat = token.text === '.' && tokens[index + 1]?.text === 'format' && tokens[index + 2]?.text === '(';
    if (!isPercent && !isFormat) return;
    const texts = textsBefore(tokens, partner, index);
    if (texts === null) return;
    if (isFormat) {
      replaceTexts(texts, edits, '*__a, **__k', new Fields(shown));
      edits.replace({ start: token.start, end: tokens[index + 1]?.end ?? token.end }, '');
      return;
    }
    const end = endOfOperand(tokens, partner, index + 1);
    if (end === null) return;
    const values = new Percents(shown);
    replaceTexts(texts, edits, '__v', values);
    edits.replace(token, `(${values.opens()}`);
    edits.wrap(tokens[index + 1]?.start ?? token.end, end, '', `${values.closes()})`);
  });
}

/** The written texts that stand before an operator, in parentheses or not; null when something else does. */
function textsBefore(tokens: readonly Token[], partner: readonly number[], index: number): readonly Token[] | null {
  let last = index - 1;
  let first = last;
  if (tokens[last]?.text === ')' && partner[last] !== last) {
    [first, last] = [(partner[last] ?? 0) + 1, last - 1];
    // `f("…") % x` is a call.
    if (/^(?:name|string|number)$/.test(tokens[first - 2]?.kind ?? '') && !isKeyword(tokens[first - 2])) return null;
  } else {
    while (tokens[first - 1]?.kind === 'string') first -= 1;
    if (/^(?:\*|\/|\/\/|%|@)$/.test(tokens[first - 1]?.text ?? '')) return null;
  }
  const texts = tokens.slice(first, last + 1);
  const written =
    texts.length > 0 && texts.every(({ kind, prefix = '' }) => kind === 'string' && plainText.test(prefix));
  return written ? texts : null;
}

function isKeyword(token: Token | undefined): boolean {
  return /^(?:return|in|and|or|not|if|elif|else|yield|assert|raise|is|lambda|while)$/.test(token?.text ?? '');
}

/** Where the value after `%` ends: a name, a text or brackets, with what is called, read or taken of it. */
function endOfOperand(tokens: readonly Token[], partner: readonly number[], from: number): number | null {
  let at = from;
  while (/^[-+~]$/.test(tokens[at]?.text ?? '')) at += 1;
  const first = tokens[at];
  if (first === undefined || first.kind === 'newline') return null;
  at = partner[at] ?? at;
  if (first.kind === 'string') while (tokens[at + 1]?.kind === 'string') at += 1;
  for (;;) {
    const next = tokens[at + 1]?.text;
    if (next === '.') at += 2;
    else if (next === '(' || next === '[') at = partner[at + 1] ?? at + 1;
    else if (next === '**') return endOfOperand(tokens, partner, at + 2);
    else return tokens[at]?.end ?? null;
  }
}

interface Writer {
  write(content: string, line: number): string;
}

function replaceTexts(texts: readonly Token[], edits: Edits, parameters: string, writer: Writer): void {
  texts.forEach((token, index) => {
    const { prefix = '', quote = '', text, line } = token;
    const content = text.slice(prefix.length + quote.length, text.length - quote.length);
    const written = `${prefix.replace('u', '')}f${quote}${writer.write(content, line)}${quote}`;
    const before = index === 0 ? `(lambda ${parameters}: ` : '';
    edits.replace(token, `${before}${written}${index === texts.length - 1 ? ')' : ''}`);
  });
}

class Percents implements Writer {
  readonly #shown: Shown;
  #count = 0;
  #named = false;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  opens(): string {
    return this.#named ? '' : '__fields__(';
  }

  closes(): string {
    return this.#named ? '' : `, ${this.#count})`;
  }

  write(content: string, line: number): string {
    return content.replace(percent, (whole, name?: string, flags = '', width = '', precision = '', type = '') => {
      if (whole === '{' || whole === '}') return whole + whole;
      if (type === '%') return '%';
      if (whole === '%' || width === '*' || precision === '*') throw cannot(whole, line);
      const value = name === undefined ? `__v[${this.#next()}]` : this.#member(name);
      return this.#field(value, { flags, width, precision: precision === '' ? '' : `.${precision}`, type, line });
    });
  }

  #next(): number {
    this.#count += 1;
    return this.#count - 1;
  }

  #member(name: string): string {
    this.#named = true;
    return `__v[${JSON.stringify(name)}]`;
  }

  #field(value: string, form: Record<'flags' | 'width' | 'precision' | 'type', string> & { line: number }): string {
    const { flags, width, precision, type, line } = form;
    const left = flags.includes('-');
    const spec = (rest: string) => (rest === '' ? '' : `:${rest}`);
    if (type === 's' || type === 'r') {
      const aligned = width === '' ? '' : `${left ? '<' : '>'}${width}`;
      const conversion = type === 'r' ? '!r' : '!s';
      return `{${type === 's' ? this.#shown(value) : value}${conversion}${spec(`${aligned}${precision}`)}}`;
    }
    const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
    const zero = flags.includes('0') && !left ? '0' : '';
    const rest = `${left && width !== '' ? '<' : ''}${sign}${flags.includes('#') ? '#' : ''}${zero}${width}`;
    if (/^[diu]$/.test(type)) return `{int(${value}):${rest}d}`;
    if (/^[xXo]$/.test(type)) return `{int(${value}):${rest}${type}}`;
    if (/^[eEfFgG]$/.test(type)) return `{float(${value}):${rest}${precision}${type}}`;
    throw cannot(`%${type}`, line);
  }
}

class Fields implements Writer {
  readonly #shown: Shown;
  #next = 0;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  write(content: string, line: number): string {
    return content.replace(
      /\{\{|\}\}|\{([^{}!:]*)(![rsa])?(:(?:[^{}]|\{[^{}]*\})*)?\}|[{}]/g,
      (whole, field, conversion = '', spec = '') => {
        if (whole === '{{' || whole === '}}') return whole;
        if (field === undefined) throw cannot(whole, line);
        const value = this.#value(field, line);
        const within = spec.replace(/\{([^{}]*)\}/g, (_: string, inner: string) => `{${this.#value(inner, line)}}`);
        return `{${conversion === '!r' ? value : this.#shown(value)}${conversion}${within}}`;
      },
    );
  }

  #value(field: string, line: number): string {
    const parts = /^(\d+|[A-Za-z_]\w*)?((?:\.[A-Za-z_]\w*|\[[^\]]+\])*)$/.exec(field.trim());
    if (parts === null) throw cannot(`{${field}}`, line);
    const [, first = String(this.#next++), rest = ''] = parts;
    const value = /^\d/.test(first) ? `__a[${first}]` : `__k[${JSON.stringify(first)}]`;
    const path = rest.replace(
      /\[([^\]]+)\]/g,
      (_, key: string) => `[${/^\d+$/.test(key) ? key : JSON.stringify(key)}]`,
    );
    return `${value}${path}`;
  }
}

function cannot(what: string, line: number): SourceError {
  return new SourceError(line, `"${what}" in a text that is formatted cannot be used here; write an f-string`);
}
