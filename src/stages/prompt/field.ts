import * as z from 'zod';
import { expressionLanguages } from '../../engine/expressions.ts';
import type { Desk } from '../../engine/stage.ts';
import { DoorwardError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { bodyLimits, fileLimits } from '../../protocol/body-limits.ts';
import { promptTypes } from '../../protocol/challenge.ts';
import { wholeForm } from '../../protocol/text.ts';

/** A text of the administrator, in one or several languages. */
const shownText = z.union([z.string(), z.object({ $lang: z.record(z.string(), z.string()) })]);

/** Keys of an answer that mean something else. */
const reservedKeys: readonly string[] = ['component', wholeForm];

/**
 * One field of a prompt, as blueprints and the API write it (model `authentik_stages_prompt.prompt`; stages.md 2).
 * `prefill`, `choices`, `max_length`, `max_size`, `expression_language` and the type `multi-select` are Doorward's own.
 */
export const promptField = z.object({
  name: z.string().min(1).describe('Unique among prompts; decides between fields of the same order.'),
  field_key: z
    .string()
    .min(1)
    .refine((key) => !reservedKeys.includes(key), 'this key is taken by the protocol')
    .describe('Under which the answer is kept: username, name, email, password, attributes.…'),
  label: shownText,
  type: z.enum(promptTypes),
  required: z.boolean().default(true),
  placeholder: shownText.default('').describe('A hint in the empty field; for choices the single choice.'),
  placeholder_expression: z.boolean().default(false),
  initial_value: shownText.default('').describe('What stands in the field at first, and counts when nothing is sent.'),
  initial_value_expression: z.boolean().default(false),
  expression_language: z
    .enum(expressionLanguages)
    .optional()
    .describe('What the expressions of this prompt are written in; Python unless told.'),
  sub_text: shownText.default('').describe('Shown below the field; a few HTML elements are allowed.'),
  order: z.int().default(0),
  prefill: z.boolean().default(false).describe("Start with the user's own value of the field."),
  choices: z.array(z.string()).default([]).describe('For radio-button-group, dropdown and multi-select.'),
  max_length: z.int().positive().optional().describe('Unicode code points.'),
  max_size: z
    .int()
    .positive()
    // As text it has a third more, and all attributes of a user together may have 256 KiB (D-18).
    .default(180 * 1024)
    .describe('Bytes of a file. What is to be written to the user has room for 180 KiB at most.'),
});

/** The same as it is declared: a file that no request could bring is not asked for. What is stored is asked as it is. */
export const promptAttrs = promptField.refine(({ type, max_size }) => type !== 'file' || max_size <= fileLimits.form, {
  path: ['max_size'],
  message: `at most ${fileLimits.form}, since a form may have ${bodyLimits.form} bytes in all`,
});

/** A prompt field's checked configuration. */
export type PromptFieldConfig = z.infer<typeof promptField>;

/** What a stage with prompts is set up with. */
export const promptConfig = z.object({
  fields: z.array(z.string()).default([]).describe('The prompts to ask together.'),
  validation_policies: z.array(z.string()).default([]).describe('Must all pass for the answers to be taken.'),
});
export type PromptConfig = z.infer<typeof promptConfig>;

/** A flow version never changes, so its fields are checked once. */
const fieldsByConfig = new WeakMap<PromptConfig, readonly PromptFieldConfig[]>();

/**
 * The stage's fields in the order they are shown; of two with the same key the later one counts.
 *
 * @throws DoorwardError `internal` when the flow's version lacks a field: nothing is asked rather than too little
 */
export function fieldsOf({
  config,
  object,
}: Pick<Desk<PromptConfig>, 'config' | 'object'>): readonly PromptFieldConfig[] {
  const known = fieldsByConfig.get(config);
  if (known !== undefined) return known;
  const fields = allFields(config, object);
  const last = fields.filter((field) => field === fields.findLast(({ field_key }) => field_key === field.field_key));
  fieldsByConfig.set(config, last);
  return last;
}

/** The same, those included that a later one with their key replaces. @throws as `fieldsOf` */
export function allFields(config: PromptConfig, object: Desk['object']): readonly PromptFieldConfig[] {
  const fields = config.fields.map((pk) => {
    const found = object(pk);
    if (found === null) throw new DoorwardError('internal', `the prompt ${pk} is not part of this version of the flow`);
    return promptField.parse({ name: found.name, ...(found.config as JsonObject) });
  });
  return fields.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
}
