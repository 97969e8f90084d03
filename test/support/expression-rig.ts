import { afterAll } from 'vitest';
import { createExpressions } from '../../src/adapters/expressions/expressions.ts';
import type { CompiledObject, PolicyBinding } from '../../src/engine/flow.ts';
import type { PolicyResult } from '../../src/engine/policy-request.ts';
import { createPolicies } from '../../src/policies/evaluate.ts';
import { expression } from '../../src/policies/expression/policy.ts';
import { dummy } from '../../src/stages/dummy/stage.ts';
import { type DeskOptions, deskFor, type TestDesk } from '../../src/testing/desk.ts';

/** What a test says of one policy and its binding. */
export interface Asked extends DeskOptions {
  readonly language?: 'python' | 'javascript';
  readonly logging?: boolean;
  readonly binding?: Partial<PolicyBinding>;
  /** Whom the policy is asked about; by default who is signed in. */
  readonly about?: number | null;
  /** Sources of other policies, by name. */
  readonly others?: Readonly<Record<string, string>>;
}

/** How a policy was judged. */
export interface Judged extends PolicyResult {
  /** Why it could not run; null when it could. */
  readonly error: string | null;
  readonly logged: TestDesk<Record<string, never>>['logged'];
}

/** A busy machine may take long about little; what a limit does is tried where it is the matter. */
const patienceMs = 60_000;

/** Real runners for a test file, ended with it. */
export function runners(): ReturnType<typeof createExpressions> {
  const expressions = createExpressions(patienceMs);
  afterAll(() => expressions.close());
  return expressions;
}

/** Runs one expression policy as a binding's, on real runners. */
export async function judge(
  expressions: ReturnType<typeof createExpressions>,
  source: string,
  asked: Asked = {},
): Promise<Judged> {
  const { language = 'python', logging = false, others = {} } = asked;
  const desk = deskFor(dummy, { expressions, ...asked });
  let error: string | null = null;
  const policies = createPolicies({
    table: [expression],
    tools: desk.tools,
    onError: (_, reason) => {
      error = reason instanceof Error ? reason.message : String(reason);
    },
  });
  const configOf = (code: string) => ({ expression: code, language, execution_logging: logging });
  const objects = Object.entries(others).map(([name, code]): CompiledObject => {
    return { pk: name, kind: 'policy', name, config: { kind: 'expression', config: configOf(code) } };
  });
  const binding: PolicyBinding = {
    ...{ pk: 'binding', order: 0, enabled: true, negate: false, timeout: 30, failureResult: false },
    ...{ writableContext: [], group: null, user: null },
    policy: { pk: 'policy', kind: 'expression', name: 'the policy', config: configOf(source) },
    ...asked.binding,
  };
  const known = [...objects, ...(asked.objects ?? [])];
  const result = await policies.evaluate(
    { pk: 'bound', policyEngineMode: 'all', policies: [binding] },
    {
      userId: asked.about === undefined ? (desk.visitor.user?.id ?? null) : asked.about,
      ...{ context: desk.context, visitor: desk.visitor },
      flow: { ...desk.flow, objects: Object.fromEntries(known.map((object) => [object.pk, object])) },
    },
    desk.read,
  );
  return { ...result, error, logged: desk.logged };
}
