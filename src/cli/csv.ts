import { DoorwardError } from '../kernel/errors.ts';

/** A row, and the line of the file on which it begins (from 1). */
export interface CsvRow {
  readonly line: number;
  /** null: nothing stood there, not even quotes. */
  readonly cells: readonly (string | null)[];
}

/** A row longer than this is a quote that nobody closed. */
const longestRow = 4_000_000;

/**
 * Reads CSV piece by piece (RFC 4180: commas, quotes doubled inside quotes, line breaks inside quotes; lines may also
 * end in LF alone). Empty lines are left out.
 *
 * @throws DoorwardError `invalid_request` naming the line, where quotes stand wrong
 */
export async function* csvRows(chunks: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  const parser = new CsvParser();
  for await (const chunk of chunks) yield* parser.take(chunk);
  yield* parser.end();
}

class CsvParser {
  #state: 'begin' | 'plain' | 'quoted' | 'closed' = 'begin';
  #cell = '';
  #cells: (string | null)[] = [];
  #line = 1;
  #begunAt = 1;
  #length = 0;

  *take(chunk: string): Generator<CsvRow> {
    for (const character of chunk) {
      this.#length += 1;
      if (this.#length > longestRow) throw this.#wrong('the row does not end; is a quote missing?');
      if (this.#state === 'quoted') this.#takeQuoted(character);
      else if (character === ',') this.#endCell();
      else if (character === '\n') yield* this.#endRow();
      else this.#takePlain(character);
      if (character === '\n') this.#line += 1;
      if (this.#length === 0) this.#begunAt = this.#line;
    }
  }

  *end(): Generator<CsvRow> {
    if (this.#state === 'quoted') throw this.#wrong('the row does not end; is a quote missing?');
    yield* this.#endRow();
  }

  #takeQuoted(character: string): void {
    if (character === '"') this.#state = 'closed';
    else this.#cell += character;
  }

  #takePlain(character: string): void {
    if (character === '"' && this.#state === 'closed') {
      this.#cell += '"';
      this.#state = 'quoted';
    } else if (character === '"' && this.#state === 'begin') this.#state = 'quoted';
    else if (this.#state === 'closed') {
      if (character !== '\r') throw this.#wrong('something stands after a closing quote');
    } else if (character === '"') throw this.#wrong('a quote stands inside a value that has none around it');
    else {
      this.#cell += character;
      this.#state = 'plain';
    }
  }

  #endCell(): void {
    this.#cells.push(this.#state === 'begin' ? null : this.#cell);
    this.#cell = '';
    this.#state = 'begin';
  }

  *#endRow(): Generator<CsvRow> {
    if (this.#state === 'plain' && this.#cell.endsWith('\r')) {
      this.#cell = this.#cell.slice(0, -1);
      if (this.#cell === '') this.#state = 'begin';
    }
    const isEmpty = this.#cells.length === 0 && this.#state === 'begin';
    this.#endCell();
    if (!isEmpty) yield { line: this.#begunAt, cells: this.#cells };
    this.#cells = [];
    this.#length = 0;
  }

  #wrong(what: string): DoorwardError {
    return new DoorwardError('invalid_request', `line ${this.#begunAt}: ${what}`);
  }
}
