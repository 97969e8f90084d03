import type { Edits } from './edits.ts';
import { SourceError } from './failures.ts';
import { type Imported, importedFrom, moduleNames, ownModules } from './modules.ts';
import type { Token } from './tokens.ts';

interface Clause {
  readonly name: string;
  readonly as: string;
}

/**
 * Imports of what the interpreter lacks become assignments of what stands in for it, in the same place.
 *
 * @throws SourceError for a module or a name that there is not
 */
export function replaceImports(tokens: readonly Token[], edits: Edits, constants: Record<string, Imported>): void {
  tokens.forEach((token, index) => {
    if (token.kind !== 'name' || (token.text !== 'import' && token.text !== 'from') || !startsStatement(tokens, index))
      return;
    const statement = upToEnd(tokens, index);
    if (token.text === 'import') checkPlain(statement);
    else replaceFrom(statement, edits, constants);
  });
}

/** Whether a statement begins at a token. */
export function startsStatement(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  return before === undefined || before.kind === 'newline' || before.text === ';' || before.text === ':';
}

/** The tokens of the statement that begins at a token. */
export function upToEnd(tokens: readonly Token[], index: number): readonly Token[] {
  const rest = tokens.slice(index);
  const end = rest.findIndex(({ kind, text }) => kind === 'newline' || (kind === 'sign' && text === ';'));
  return end === -1 ? rest : rest.slice(0, end);
}

/** `import re, json as j`: only of what is there. */
function checkPlain([first, ...rest]: readonly Token[]): void {
  for (const { name } of clauses(rest)) {
    if (ownModules.includes(name)) continue;
    const known = importedFrom(name, '') !== undefined;
    throw new SourceError(
      first?.line ?? 1,
      known ? `write "from ${name} import …" with the names that you use` : noModule(name),
    );
  }
}

function replaceFrom(statement: readonly Token[], edits: Edits, constants: Record<string, Imported>): void {
  const [first, last] = [statement[0], statement.at(-1)];
  const at = statement.findIndex(({ kind, text }) => kind === 'name' && text === 'import');
  // Wrong code is told by the interpreter.
  if (first === undefined || last === undefined || at === -1) return;
  const module = statement
    .slice(1, at)
    .map(({ text }) => text)
    .join('');
  if (ownModules.includes(module)) return;
  const assignments = clauses(statement.slice(at + 1)).map(({ name, as }) => {
    const imported = importedFrom(module, name);
    if (imported === undefined) throw new SourceError(first.line, noModule(module));
    if (imported === null) throw new SourceError(first.line, `there is no ${name} in ${module} here`);
    if ('helper' in imported) return imported.helper === as ? 'pass' : `${as} = ${imported.helper}`;
    if (typeof imported.value === 'string') return `${as} = ${JSON.stringify(imported.value)}`;
    const constant = `__import_${name}__`;
    constants[constant] = imported;
    return `${as} = ${constant}`;
  });
  const lines = '\n'.repeat(last.line - first.line);
  edits.replace({ start: first.start, end: last.end }, `${assignments.join('; ')}${lines}`);
}

/** `a.b as c, d`, with or without parentheses. */
function clauses(tokens: readonly Token[]): readonly Clause[] {
  const plain = tokens.filter(({ text }) => text !== '(' && text !== ')');
  const parts: Token[][] = [[]];
  for (const token of plain) {
    if (token.text === ',') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts
    .filter((part) => part.length > 0)
    .map((part) => {
      const as = part.findIndex(({ kind, text }) => kind === 'name' && text === 'as');
      const name = (as === -1 ? part : part.slice(0, as)).map(({ text }) => text).join('');
      return { name, as: part[as + 1]?.text && as !== -1 ? String(part[as + 1]?.text) : name };
    });
}

function noModule(name: string): string {
  return `there is no module ${name} here; there are ${moduleNames.join(', ')}`;
}
