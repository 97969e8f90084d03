import { createHash } from 'node:crypto';
import { Cache, type Statement } from './driver.ts';
import { numbered, type Param } from './sql.ts';

/** A text to send, with the name that it is prepared under once it has come a second time. */
export interface Prepared {
  readonly text: string;
  readonly name: string | undefined;
  readonly values: Param[];
}

/** Above this the database spends more time planning than the round trips cost. */
const mostFolded = 40;

/** Whether the statements can be sent as one: they are few, and no two of them touch the same thing. */
export function isFoldable(statements: readonly Statement[]): boolean {
  const touched = statements.flatMap((statement) => statement.touches);
  return statements.length <= mostFolded && new Set(touched).size === touched.length;
}

/** Turns statements into texts for PostgreSQL; texts that come again are prepared by name. */
export class Texts {
  readonly #known = new Cache<{ readonly text: string; readonly name: string; uses: number }>(500);

  single(text: string, params: readonly Param[]): Prepared {
    return this.#prepared(text, () => numbered(text), params);
  }

  /**
   * All statements as one: each is a part of a WITH whose rows are counted. A count that is not the expected one calls
   * `doorward_refuse`, which raises with the statement's number, and then nothing of it all has happened.
   */
  folded(statements: readonly Statement[]): Prepared {
    const key = statements.map(({ sql, expect }) => `${expect ?? ''}:${sql.text}`).join(';');
    const params = statements.flatMap(({ sql }) => sql.params);
    return this.#prepared(key, () => foldedText(statements), params);
  }

  #prepared(key: string, make: () => string, params: readonly Param[]): Prepared {
    const known = this.#known.get(key, () => {
      const text = make();
      return { text, name: `dw_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`, uses: 0 };
    });
    known.uses += 1;
    return { text: known.text, name: known.uses > 1 ? known.name : undefined, values: [...params] };
  }
}

/** The counts stand in the order of the statements, so an earlier guard answers first, as it does on SQLite. */
function foldedText(statements: readonly Statement[]): string {
  const parts: string[] = [];
  const counts: string[] = [];
  let next = 1;
  for (const [index, { sql, expect }] of statements.entries()) {
    parts.push(`s${index} AS (${numbered(sql.text, next)} RETURNING 1)`);
    const count = `(SELECT count(*) FROM s${index})`;
    counts.push(
      expect === undefined ? count : `CASE WHEN ${count} = ${expect} THEN 1 ELSE doorward_refuse('${index}') END`,
    );
    next += sql.params.length;
  }
  return `WITH ${parts.join(', ')} SELECT ${counts.join(', ')}`;
}
