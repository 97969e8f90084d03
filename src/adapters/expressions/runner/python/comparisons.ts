import type { Edits } from './edits.ts';
import { partners, type Token } from './tokens.ts';

/** Words and signs that end what is compared. */
const bounds = new Set([
  ...['and', 'or', 'not', 'if', 'elif', 'else', 'while', 'return', 'yield', 'assert', 'lambda', 'for', 'from', 'raise'],
  ...['del', 'with', 'as', ',', ':', ';', '->'],
]);
const assignment = /^(?:(?:[-+*/%&|^@]|\/\/|\*\*|>>|<<)?=|:=)$/;
const comparisons = new Set(['in', 'is', '<', '>', '<=', '>=', '==', '!=']);
const ordering = new Set(['<', '>', '<=', '>=']);

/** The places of its tokens: `not in` and `is not` have two. */
interface Operator {
  readonly first: number;
  readonly last: number;
}

/**
 * Comparisons of order become calls: where Python raises an error (`None > 5`), the interpreter says False, and a policy
 * that asks for the contrary would pass. With addresses `in` is one too, since objects of ours have no operators.
 */
export function replaceComparisons(tokens: readonly Token[], edits: Edits, addresses: boolean): void {
  const partner = partners(tokens);
  const done = new Set<number>();
  tokens.forEach((_, index) => {
    const start = operatorAt(tokens, index);
    if (start === null || done.has(start.first)) return;
    const left = boundary(tokens, partner, start.first, -1);
    const chain = [start];
    let right = boundary(tokens, partner, start.last, 1);
    for (let next = operatorAt(tokens, right); next !== null; next = operatorAt(tokens, right)) {
      chain.push(next);
      right = boundary(tokens, partner, next.last, 1);
    }
    for (const { first } of chain) done.add(first);
    const [from, to] = [tokens[left + 1], tokens[right - 1]];
    if (from === undefined || to === undefined || left + 1 >= start.first || isLoop(tokens, partner, left)) return;
    const words = chain.map(({ first, last }) =>
      tokens
        .slice(first, last + 1)
        .map(({ text }) => text)
        .join(' '),
    );
    if (!words.some((word) => ordering.has(word) || (addresses && word.endsWith('in')))) return;
    edits.wrap(from.start, to.end, '__compare__(', ')');
    chain.forEach(({ first, last }, at) => {
      const place = { start: tokens[first]?.start ?? 0, end: tokens[last]?.end ?? 0 };
      edits.replace(place, `, "${words[at]}",`);
    });
  });
}

/** The operator that begins at a token. */
function operatorAt(tokens: readonly Token[], index: number): Operator | null {
  const [token, next] = [tokens[index], tokens[index + 1]];
  if (token === undefined || token.kind === 'string') return null;
  if (token.text === 'not') return next?.text === 'in' ? { first: index, last: index + 1 } : null;
  if (!comparisons.has(token.text) || (token.text === 'in' && tokens[index - 1]?.text === 'not')) return null;
  return { first: index, last: token.text === 'is' && next?.text === 'not' ? index + 1 : index };
}

/** The place of the nearest token that ends an operand, in a direction. */
function boundary(tokens: readonly Token[], partner: readonly number[], from: number, step: 1 | -1): number {
  let at = from + step;
  for (;;) {
    const token = tokens[at];
    if (token === undefined || token.kind === 'newline') return at;
    if (token.kind !== 'string' && isBound(token.text)) return at;
    const other = partner[at] ?? at;
    const isBracket = token.kind === 'sign' && /^[()[\]{}]$/.test(token.text);
    if (isBracket && (step === 1 ? other <= at : other >= at)) return at;
    at = other + step;
  }
}

function isBound(text: string): boolean {
  return bounds.has(text) || comparisons.has(text) || assignment.test(text);
}

/** `for a, b in c`: to the left, behind commas, there is a `for`. */
function isLoop(tokens: readonly Token[], partner: readonly number[], from: number): boolean {
  let at = from;
  while (tokens[at]?.text === ',') at = boundary(tokens, partner, at, -1);
  return tokens[at]?.text === 'for';
}
