import { type Severity, severities } from '../blueprints/proof/codes.ts';
import type { Finding, PathStep } from '../blueprints/proof/finding.ts';
import { printable } from './command.ts';

const colors: Readonly<Record<Severity, number>> = { error: 31, warning: 33, note: 36 };
const dim = 2;
const bold = 1;
const wide = 96;

/** Whether a severity is this one or worse. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) <= severities.indexOf(least);
}

/** Findings for a terminal: what can happen, the path drawn line by line, what to change. */
export function proofLines(findings: readonly Finding[], color: boolean): readonly string[] {
  return findings.flatMap((finding) => [...findingLines(finding, color), '']);
}

/** `2 errors, 1 warning`. */
export function countsOf(findings: readonly Finding[]): string {
  const counts = severities.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return counts.length === 0 ? 'nothing found' : counts.join(', ');
}

function findingLines(finding: Finding, color: boolean): readonly string[] {
  const { severity, code, message, change, place, flow, stage } = finding;
  const paint = (text: string, style: number) => (color ? `\u001b[${style}m${text}\u001b[0m` : text);
  const where =
    place === null
      ? `flow ${flow}${stage === null ? '' : `, stage "${stage}"`}`
      : `${place.file}:${place.line}:${place.column} (flow ${flow})`;
  return [
    `${paint(`${severity}[${code}]`, colors[severity])} ${paint(printable(where), dim)}`,
    ...wrapped(message, '  ').map((line) => paint(line, bold)),
    ...drawn(finding).map((line) => paint(line, dim)),
    ...wrapped(change, '  → ', '    '),
  ];
}

/** The path as a line of stations; the one where it happens is the last. */
function drawn({ path, visitor }: Finding): readonly string[] {
  if (path.length === 0) return [];
  const width = Math.max(...path.map((step) => labelOf(step).length));
  const who = visitor === 'signed_in' ? 'somebody who is signed in' : 'an anonymous visitor';
  return [
    `    ${who}`,
    ...path.map((step, index) => {
      const sign = step.what === 'begins' ? '┬' : step.what === 'skipped' ? '╎' : '│';
      const rail = index === path.length - 1 ? '╰' : index === 0 ? '╭' : step.what === 'begins' ? '├' : sign;
      const station = { begins: '─', visited: '●', skipped: '○' }[step.what];
      const why = step.why === '' ? '' : `: ${step.why}`;
      const words = step.what === 'begins' ? `flow begins${why}` : `${step.what}${why}`;
      return printable(`    ${rail}─${station} ${labelOf(step).padEnd(width)}  ${words}`);
    }),
  ];
}

function labelOf({ order, stage, flow, kind }: PathStep): string {
  return stage === null ? flow : `${String(order).padStart(3)} ${stage}${kind === null ? '' : ` (${kind})`}`;
}

function wrapped(text: string, first: string, rest = first): readonly string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of printable(text).split(' ')) {
    if (line.trim() !== first.trim() && line.trim() !== '' && line.length + word.length > wide) {
      lines.push(line.trimEnd());
      line = rest;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
