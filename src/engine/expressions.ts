import type { Json } from '../kernel/json.ts';

export const expressionLanguages = ['python', 'javascript'] as const;
export type ExpressionLanguage = (typeof expressionLanguages)[number];

/** Code of an administrator, to be run apart from the server: in a process of its own, under limits of time and memory. */
export interface ExpressionJob {
  readonly language: ExpressionLanguage;
  /** The body of a function; at most 16 KB. */
  readonly source: string;
  /** What the code may see, by name. Only what the source names crosses, as JSON. */
  readonly variables: Readonly<Record<string, Json>>;
  /** Answers the calls that only the server can answer (`ak_user_by`, …); counted apart from the code's own time. */
  readonly host: (name: string, args: readonly Json[], named: Readonly<Record<string, Json>>) => Promise<Json>;
  /** Milliseconds of the code's own time; 100 by default. */
  readonly limitMs?: number;
}

/** What the code said. */
export interface ExpressionAnswer {
  readonly result: Json;
  /** The texts of `ak_message`, in order. */
  readonly messages: readonly string[];
  /** The variables afterwards, those that crossed: what the code changed in them is the caller's to take or leave. */
  readonly variables: Readonly<Record<string, Json>>;
}

/** The adapter that runs expressions answers. */
export interface Expressions {
  /** Why the code could not run (syntax, size, an import that does not exist here), with its line; null when it can. */
  check(language: ExpressionLanguage, source: string): Promise<string | null>;
  /** @throws Error when the code fails, takes too long, wants too much memory, or there is no runner: its policy denies */
  evaluate(job: ExpressionJob): Promise<ExpressionAnswer>;
}
