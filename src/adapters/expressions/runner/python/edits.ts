interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How far what the edit belongs to reaches: of two at one place, the wider one opens first and closes last. */
  readonly reach: number;
  readonly closes: boolean;
}

/** Changes of a source that are collected first and made at once. They never change the number of its lines. */
export class Edits {
  readonly #edits: Edit[] = [];

  /** Puts something else where a token stands. */
  replace({ start, end }: { readonly start: number; readonly end: number }, text: string): void {
    this.#edits.push({ start, end, text, reach: 0, closes: false });
  }

  /** Puts `before` and `after` around a part. */
  wrap(start: number, end: number, before: string, after: string): void {
    const reach = end - start;
    this.#edits.push({ start, end: start, text: before, reach, closes: false });
    this.#edits.push({ start: end, end, text: after, reach, closes: true });
  }

  applyTo(source: string): string {
    const inOrder = this.#edits.toSorted((a, b) => {
      if (a.start !== b.start) return a.start - b.start;
      if (a.closes !== b.closes) return a.closes ? -1 : 1;
      // An insertion stands before what replaces the token there.
      if (a.end !== b.end) return a.end - b.end;
      return a.closes ? a.reach - b.reach : b.reach - a.reach;
    });
    let [text, at] = ['', 0];
    for (const edit of inOrder) {
      // Within something that is replaced already.
      if (edit.start < at) continue;
      text += source.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return text + source.slice(at);
  }
}
