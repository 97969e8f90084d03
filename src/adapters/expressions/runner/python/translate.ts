/** A source as Monty can run it. */
export interface Translated {
  /** The lines of the function's body, indented; as many as the source has. */
  readonly body: readonly string[];
  readonly helpers: readonly string[];
  readonly constants: Readonly<Record<string, unknown>>;
  /** It yields: its value is the list of what it yielded. */
  readonly generates: boolean;
}

/** @throws SourceError with the line of what cannot run here */
export function translate(source: string): Translated {
  return { body: source.split('\n').map((line) => `    ${line}`), helpers: [], constants: {}, generates: false };
}
