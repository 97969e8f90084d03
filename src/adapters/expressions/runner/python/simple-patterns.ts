import { Recent } from '../../recent.ts';

const longestText = 1_000;
const kept = new Recent<RegExp | null>(256);

const part = new RegExp(
  [
    /(?<anchor>\^|\$|\\b)/,
    /(?<group>\((?:\?:)?|\)|\|)/,
    /(?<set>\[\^?(?:[A-Za-z0-9_.@+%!#$*/=?{},:;<> '"()-]|\\[-\].\\])+\]|\\[dDwW]|\.|\\s)/,
    /(?<char>[A-Za-z0-9_@%!#&/=,:;<> '"~-]|\\[-.@/+*?()[\]{}|^$\\])/,
    /(?<quantifier>[*+?]\??|\{\d{1,2}(?:,\d{0,2})?\}\??)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

/**
 * Whether a text has a pattern, where that can be told at once; null where it cannot. The interpreter compiles a pattern for
 * every evaluation, which takes longer than all the rest of most policies. Simple are those with at most one repetition
 * without an end, none of a group, on short texts of printable ASCII: there both languages mean the same, and it never takes long.
 */
export function simpleMatch(text: unknown, pattern: unknown): boolean | null {
  if (typeof text !== 'string' || typeof pattern !== 'string') return null;
  if (text.length > longestText || /[^ -~\t-\r]/.test(text)) return null;
  const simple = kept.get(pattern, () => simpleOf(pattern));
  return simple === null ? null : simple.test(text);
}

function simpleOf(pattern: string): RegExp | null {
  const count = { endless: 0, bounded: 0 };
  let [written, at, before] = ['', 0, ''];
  while (at < pattern.length) {
    part.lastIndex = at;
    const { 0: text = '', groups = {} } = part.exec(pattern) ?? {};
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? '';
    const next = at + text.length;
    if (text === '' || (kind === 'quantifier' && before !== 'set' && before !== 'char')) return null;
    if ((text === '^' && at > 0) || (text === '$' && next < pattern.length)) return null;
    if (kind === 'quantifier') count[/^(?:[*+]|\{\d+,\})/.test(text) ? 'endless' : 'bounded'] += 1;
    written += inJavaScript(text);
    [at, before] = [next, kind];
  }
  if (count.endless > 1 || count.bounded > 2) return null;
  try {
    return new RegExp(written);
  } catch {
    return null;
  }
}

/** What the interpreter means by it, for those texts; its `$` is the end alone. */
function inJavaScript(text: string): string {
  if (text === '.') return '[^\\n]';
  return text === '\\s' ? '[ \\t-\\r]' : text;
}
