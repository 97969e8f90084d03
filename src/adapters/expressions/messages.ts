import type { ExpressionAnswer, ExpressionLanguage } from '../../engine/expressions.ts';
import type { Json } from '../../kernel/json.ts';

/** What the server tells a runner process. `job` is a number of the server's; `call` one of the runner's. */
export type ToRunner =
  /** Loads a language's engine: what that takes is not the code's time. */
  | { readonly type: 'load'; readonly language: ExpressionLanguage }
  | { readonly type: 'check'; readonly job: number; readonly language: ExpressionLanguage; readonly source: string }
  | ({ readonly type: 'evaluate'; readonly job: number } & Evaluation)
  | { readonly type: 'value'; readonly call: number; readonly value: Json }
  | { readonly type: 'exception'; readonly call: number; readonly exception: Raised }
  /** Nobody waits for this job any more. */
  | { readonly type: 'drop'; readonly job: number };

/** What a runner process tells the server. */
export type FromRunner =
  | { readonly type: 'loaded'; readonly language: ExpressionLanguage }
  | { readonly type: 'unable'; readonly message: string }
  | ({ readonly type: 'call'; readonly job: number; readonly call: number } & HostCall)
  | { readonly type: 'checked'; readonly job: number; readonly problem: string | null }
  | { readonly type: 'answer'; readonly job: number; readonly answer: ExpressionAnswer }
  | { readonly type: 'failure'; readonly job: number; readonly message: string };

export interface Evaluation {
  readonly language: ExpressionLanguage;
  readonly source: string;
  readonly variables: Readonly<Record<string, Json>>;
  /** Milliseconds. */
  readonly limitMs: number;
}

export interface HostCall {
  readonly name: string;
  readonly args: readonly Json[];
  readonly named: Readonly<Record<string, Json>>;
}

/** An exception, by Python's name of its type. */
export interface Raised {
  readonly type: string;
  readonly message: string;
}
