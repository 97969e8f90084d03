import type { ExpressionAnswer } from '../../../engine/expressions.ts';
import type { Json } from '../../../kernel/json.ts';
import type { Evaluation, HostCall } from '../messages.ts';

/** A language, in the runner process. */
export interface Engine {
  /** What is wrong with a source, with its line; null when nothing is. */
  check(source: string): Promise<string | null>;
  /** @throws Error with what the code's author has to know */
  evaluate(evaluation: Evaluation, host: Host): Promise<ExpressionAnswer>;
}

/** @throws CodeError for what the code may catch, another Error when the job ends */
export type Host = (call: HostCall) => Promise<Json>;

/** An exception that is raised in the code, by Python's name of its type. */
export class CodeError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}
