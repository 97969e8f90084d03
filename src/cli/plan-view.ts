import type { AppliedBlueprints } from '../app/blueprints.ts';
import type { Json } from '../kernel/json.ts';
import { printable } from './command.ts';

type Change = AppliedBlueprints['changes'][number];
type FlowChange = AppliedBlueprints['flowChanges'][number];

interface View {
  /** What would be changed, at length; otherwise what was changed, in short. */
  readonly plan: boolean;
  readonly endRuns: boolean;
  readonly color: boolean;
}

const signs = { added: '+', changed: '~', removed: '-' } as const;
const colors = { added: 32, changed: 33, removed: 31 } as const;
const wide = 100;

/** What blueprints change, line by line for a terminal. */
export function planLines(done: AppliedBlueprints, { plan, endRuns, color }: View): readonly string[] {
  const lines = changeLines(done.changes, { members: plan, color });
  const flows = done.flowChanges.map((flow) => `flow ${printable(flow.slug)}: ${flowWords(flow, plan, endRuns)}`);
  const { created, updated, unchanged, deleted } = done;
  const counts = plan
    ? `Plan: ${created} to create, ${updated} to update, ${deleted} to delete, ${unchanged} unchanged. Nothing was changed.`
    : `${created} created, ${updated} updated, ${unchanged} unchanged, ${deleted} deleted`;
  const between = (part: readonly string[]) => (plan && part.length > 0 ? [...part, ''] : part);
  return [...between(lines), ...between(flows), counts];
}

/** A line for each object, and for each of its members where they are wanted. */
export function changeLines(
  changes: readonly Change[],
  { members, color }: { readonly members: boolean; readonly color: boolean },
): readonly string[] {
  return changes.flatMap((change) => [
    painted(`${signs[change.action]} ${printable(change.label)}`, colors[change.action], color),
    ...(members ? change.members.flatMap((member) => memberLines(change.action, member, color)) : []),
  ]);
}

/** What changed, in one line. */
export function changeSummary(changes: readonly Change[]): string {
  const [first, second, ...rest] = changeLines(changes, { members: false, color: false });
  if (first === undefined) return 'nothing';
  return [
    first,
    ...(second === undefined ? [] : [second]),
    ...(rest.length === 0 ? [] : [`and ${rest.length} more`]),
  ].join(', ');
}

function flowWords({ from, to, openRuns }: FlowChange, plan: boolean, endRuns: boolean): string {
  const visitors = openRuns === 1 ? '1 visitor' : `${openRuns} visitors`;
  if (to === null) return `${plan ? 'goes away' : 'is gone'}${openRuns === 0 ? '' : `; ${visitors} in it start again`}`;
  if (from === null) return plan ? `new, version ${to}` : `is now version ${to}`;
  const way = plan ? `version ${from} → ${to}` : `is now version ${to}`;
  if (openRuns === 0) return way;
  return `${way}; ${visitors} in it ${endRuns ? 'start again' : 'finish on theirs'}`;
}

function memberLines(
  action: Change['action'],
  { name, before, after }: Change['members'][number],
  color: boolean,
): readonly string[] {
  const label = `    ${printable(name)}`;
  const isLong = [before, after].some((value) => typeof value === 'string' && value.includes('\n'));
  if (isLong) return [`${label}:`, ...textLines(before, after, color)];
  if (action === 'added') return [`${label}: ${shown(after)}`];
  return [`${label}: ${shown(before)} → ${shown(after)}`];
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = Array.isArray(value)
    ? `[${value.map(shown).join(', ')}]`
    : isPlain(value)
      ? value
      : JSON.stringify(value);
  const safe = printable(text);
  return safe.length > wide ? `${safe.slice(0, wide)}…` : safe;
}

/** A text that reads as what it is without quotes. */
function isPlain(value: Json): value is string {
  return (
    typeof value === 'string' && /^[^\s"'[{][^\n]*(?<!\s)$/.test(value) && !/^(?:true|false|null|[-\d.]+)$/.test(value)
  );
}

/** A text of several lines: those that go, those that come, and those that stay. */
function textLines(before: Json | undefined, after: Json | undefined, color: boolean): readonly string[] {
  const [old, now] = [before, after].map((value) =>
    value === undefined || value === '' ? [] : String(value).replace(/\n$/, '').split('\n'),
  ) as [string[], string[]];
  return lineDifference(old, now).map(({ sign, line }) => {
    const text = `      ${sign} ${printable(line)}`;
    if (sign === ' ') return text;
    return painted(text, sign === '+' ? colors.added : colors.removed, color);
  });
}

/** By the longest common sequence of lines; very long texts as a whole. */
function lineDifference(
  old: readonly string[],
  now: readonly string[],
): readonly { readonly sign: '+' | '-' | ' '; readonly line: string }[] {
  const all = (sign: '+' | '-', lines: readonly string[]) => lines.map((line) => ({ sign, line }));
  if (old.length * now.length > 1_000_000) return [...all('-', old), ...all('+', now)];
  const common = old.map(() => now.map(() => 0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      (common[i] as number[])[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: { sign: '+' | '-' | ' '; line: string }[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      lines.push({ sign: ' ', line: old[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if (at(i + 1, j) >= at(i, j + 1)) lines.push({ sign: '-', line: old[i++] ?? '' });
    else lines.push({ sign: '+', line: now[j++] ?? '' });
  }
  return [...lines, ...all('-', old.slice(i)), ...all('+', now.slice(j))];
}

function painted(text: string, code: number, color: boolean): string {
  return color ? `\u001b[${code}m${text}\u001b[0m` : text;
}
