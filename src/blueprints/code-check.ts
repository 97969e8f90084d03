/** Code that administrators write is looked at before it is applied: a mistake is told with its place, not at sign-in. */
import type { Definition } from '../engine/definition.ts';
import { codeProblem } from '../engine/expression-check.ts';
import type { Expressions } from '../engine/expressions.ts';
import type { AnyPolicy } from '../engine/policy.ts';
import type { JsonObject } from '../kernel/json.ts';
import { promptField } from '../stages/prompt/field.ts';
import { promptModel } from './models.ts';
import { type Place, wrong } from './place.ts';

/** A member whose code cannot run. */
interface Mistake {
  readonly member: string;
  readonly text: string;
}

/** What the check works with. */
export interface CodeCheck {
  readonly policies: readonly AnyPolicy[];
  readonly expressions: Expressions;
  /** Where each object was last declared. */
  readonly places: ReadonlyMap<string, Place>;
}

/** @throws DoorwardError `blueprint`, with the place of the object */
export async function checkCode(definitions: readonly Definition[], check: CodeCheck): Promise<void> {
  for (const { pk, model, attrs } of definitions) {
    const [mistake] = await mistakes(model, attrs, check);
    if (mistake === undefined) continue;
    const at = check.places.get(pk) ?? { file: model, line: 1, column: 1 };
    throw wrong(at, `${mistake.member} of "${String(attrs.name)}": ${mistake.text}`);
  }
}

async function mistakes(model: string, attrs: JsonObject, check: CodeCheck): Promise<readonly Mistake[]> {
  try {
    return model === promptModel ? await inPrompt(attrs, check) : await inPolicy(model, attrs, check);
  } catch (error) {
    return [{ member: 'the code', text: error instanceof Error ? error.message : String(error) }];
  }
}

async function inPolicy(model: string, attrs: JsonObject, check: CodeCheck): Promise<readonly Mistake[]> {
  const policy = check.policies.find((one) => one.model.toLowerCase() === model);
  if (policy?.problems === undefined) return [];
  const { name: _, ...config } = attrs;
  return policy.problems(policy.config.parse(config), check);
}

async function inPrompt(attrs: JsonObject, { expressions }: CodeCheck): Promise<readonly Mistake[]> {
  const field = promptField.parse(attrs);
  for (const member of ['placeholder', 'initial_value'] as const) {
    if (!field[`${member}_expression`]) continue;
    const code = field[member];
    const text =
      typeof code === 'string'
        ? await codeProblem(expressions, field.expression_language ?? 'python', code)
        : 'code cannot be in several languages';
    if (text !== null) return [{ member, text }];
  }
  return [];
}
