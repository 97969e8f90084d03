import { mayBeOfServer } from './absences.ts';
import type { Edits } from './edits.ts';
import { partners, type Token } from './tokens.ts';

/** What a method of one of the server's objects returns passes through `__made__`, which completes it. */
export function completeMethodCalls(tokens: readonly Token[], edits: Edits): void {
  const partner = partners(tokens);
  tokens.forEach((token, index) => {
    const [name, open] = [tokens[index + 1], tokens[index + 2]];
    if (token.kind !== 'sign' || token.text !== '.' || name?.kind !== 'name' || open?.text !== '(') return;
    const close = partner[index + 2] ?? index + 2;
    const start = startOfOperand(tokens, partner, index - 1);
    const [first, last] = [tokens[start], tokens[close]];
    if (first === undefined || last === undefined || close === index + 2) return;
    const keywords = tokens
      .slice(index + 3, close)
      .some(({ kind, text }) => kind === 'sign' && (text === '=' || text === '**'));
    if (!mayBeOfServer(name.text, keywords, first.text === 'requests')) return;
    edits.wrap(first.start, last.end, '__made__(', ')');
  });
}

/** Where a name, a text or brackets begin, with what they were called on, read from or taken of. */
function startOfOperand(tokens: readonly Token[], partner: readonly number[], from: number): number {
  let at = from;
  for (;;) {
    const token = tokens[at];
    const before = tokens[(partner[at] ?? at) - 1];
    if (token?.text === ')' || token?.text === ']') {
      at = partner[at] ?? at;
      if (before === undefined || !isOperand(before)) return at;
      at -= 1;
    } else if (before?.text === '.') at = (partner[at] ?? at) - 2;
    else if (token?.kind === 'string' && before?.kind === 'string') at -= 1;
    else return partner[at] ?? at;
  }
}

const keyword =
  /^(?:and|as|assert|await|elif|else|except|for|from|if|import|in|is|lambda|not|or|raise|return|while|with|yield)$/;

function isOperand({ kind, text }: Token): boolean {
  return kind === 'string' || (kind === 'name' && !keyword.test(text)) || (kind === 'sign' && /^[)\]}]$/.test(text));
}
