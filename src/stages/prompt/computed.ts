/**
 * What code says of a field: its placeholder, its initial value, its choices (PR-1 to PR-4). Code that fails leaves its
 * text empty and a line in the log; the source itself is never shown, as the reference does.
 */
import { evaluateExpression } from '../../engine/expression-run.ts';
import type { ExpressionScene } from '../../engine/expression-scene.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import type { Json } from '../../kernel/json.ts';
import { mayBeShown, ownUser } from '../own-field.ts';
import type { PromptConfig, PromptFieldConfig } from './field.ts';
import { fieldTypes, scalarText } from './field-types.ts';

type PromptDesk = Desk<PromptConfig>;
/** Fields of one form ask the store about its user once. */
type CodeDesk = PromptDesk & Pick<ExpressionScene, 'user'>;
type Member = 'placeholder' | 'initial_value';

/** The fields with what their code says in the place of the code. */
export async function computedFields(
  desk: PromptDesk,
  fields: readonly PromptFieldConfig[],
): Promise<readonly PromptFieldConfig[]> {
  if (!fields.some(isComputed)) return fields;
  let own: Promise<User | null> | null = null;
  const user = (): Promise<User | null> => {
    own ??= shownUser(desk);
    return own;
  };
  return Promise.all(fields.map((field) => computed({ ...desk, user }, field)));
}

/** Identification alone shows nobody's values, to code neither. */
async function shownUser(desk: Desk): Promise<User | null> {
  const own = await ownUser(desk);
  return own !== null && mayBeShown(own, desk) ? own : null;
}

function isComputed(field: PromptFieldConfig): boolean {
  return field.placeholder_expression || field.initial_value_expression;
}

async function computed(desk: CodeDesk, field: PromptFieldConfig): Promise<PromptFieldConfig> {
  if (!isComputed(field)) return field;
  const [placeholder, initial] = await Promise.all([
    field.placeholder_expression ? saidBy(desk, field, 'placeholder') : undefined,
    field.initial_value_expression ? saidBy(desk, field, 'initial_value') : undefined,
  ]);
  return {
    ...field,
    ...(placeholder === undefined ? {} : { ...saidPlaceholder(field, placeholder), placeholder_expression: false }),
    ...(initial === undefined ? {} : { initial_value: asText(initial), initial_value_expression: false }),
  };
}

/** A field with choices is given them; a single value is the only choice. Without any, the configured ones stay. */
function saidPlaceholder(field: PromptFieldConfig, said: Json): Pick<PromptFieldConfig, 'choices' | 'placeholder'> {
  if (!fieldTypes[field.type].hasChoices) return { choices: field.choices, placeholder: asText(said) };
  const choices = (Array.isArray(said) ? said : [said]).map((one: Json) => scalarText(one) ?? '');
  const given = choices.filter((choice) => choice !== '');
  return { choices: given.length > 0 ? given : field.choices, placeholder: '' };
}

async function saidBy(desk: CodeDesk, field: PromptFieldConfig, member: Member): Promise<Json> {
  const source = field[member];
  const language = field.expression_language ?? 'python';
  try {
    if (typeof source !== 'string') throw new Error('code cannot be in several languages');
    const { result, skipped } = await evaluateExpression(sceneOf(desk, field), { language, source });
    return skipped ? null : result;
  } catch (error) {
    desk.tools.log('warn', 'an expression of a prompt failed, so its text is left empty', {
      ...{ stage: desk.stage.name, prompt: field.name, member },
      error: error instanceof Error ? error.message : String(error),
    });
    return null;
  }
}

function sceneOf(desk: CodeDesk, { name }: PromptFieldConfig): ExpressionScene {
  const { flow, context, visitor, user, read, tools } = desk;
  return { name: `prompt "${name}"`, flow, context, visitor, user, read, tools };
}

function asText(value: Json): string {
  return value === null ? '' : (scalarText(value) ?? JSON.stringify(value));
}
