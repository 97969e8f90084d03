import type { CompiledObject } from '../engine/flow.ts';
import { type PlanContext, promptPairs } from '../engine/plan-context.ts';
import type { Outcome, Response } from '../engine/stage.ts';
import type { Json } from '../kernel/json.ts';
import { Secret } from '../kernel/secrets.ts';
import type { PromptField } from '../protocol/challenge.ts';
import { promptField } from '../stages/prompt/field.ts';
import { prompt } from '../stages/prompt/stage.ts';
import { type DeskOptions, deskFor, testUser } from './desk.ts';

/** A prompt's configuration, as far as it matters to a test. */
export type Field = Readonly<Record<string, Json>> & { readonly field_key: string };

/** A user with a name, an address and a language. */
export const ada = testUser({
  id: 7,
  username: 'ada',
  name: 'Ada',
  email: 'ada@example.com',
  attributes: { settings: { locale: 'de' } },
});

/** A desk of a stage that asks for these fields, by default optional texts. */
export function deskOf(fields: readonly Field[], options: DeskOptions = {}) {
  const objects = fields.map((field, index): CompiledObject => {
    const name = `${index} ${field.field_key}`;
    const config = promptField.parse({ name, label: field.field_key, type: 'text', required: false, ...field });
    return { pk: `p${index}`, kind: 'prompt', name, config: config as unknown as Json };
  });
  return deskFor(prompt, { objects, ...options, config: { fields: objects.map(({ pk }) => pk), ...options.config } });
}

/** The fields that are shown on arrival. */
export async function ask(fields: readonly Field[], options: DeskOptions = {}): Promise<readonly PromptField[]> {
  return shown(await prompt.enter(deskOf(fields, options)));
}

/** What the stage decides on an answer. */
export async function reply(fields: readonly Field[], response: Response, options: DeskOptions = {}): Promise<Outcome> {
  if (prompt.answer === undefined) throw new Error('a prompt takes answers');
  return prompt.answer(deskOf(fields, options), response);
}

/** The fields of an outcome's challenge. */
export function shown(outcome: Outcome): readonly PromptField[] {
  const challenge = outcome.kind === 'ask' || outcome.kind === 'retry' ? outcome.challenge : undefined;
  if (challenge?.component !== 'ak-stage-prompt') throw new Error(`no prompt but ${outcome.kind}`);
  return challenge.fields as readonly PromptField[];
}

/** prompt_data after the stage; secrets in the clear behind `secret:`. */
export function collected(outcome: Outcome): Record<string, unknown> {
  if (outcome.kind !== 'pass') throw new Error(`no pass but ${JSON.stringify(outcome)}`);
  const pairs = promptPairs((outcome.context ?? {}) as PlanContext) ?? [];
  return Object.fromEntries(
    pairs.map(([key, value]) => [key, value instanceof Secret ? `secret:${value.reveal()}` : value]),
  );
}

/** Codes by field. */
export function problems(outcome: Outcome): Record<string, readonly string[]> {
  if (outcome.kind !== 'retry') throw new Error(`no retry but ${outcome.kind}`);
  return Object.fromEntries(Object.entries(outcome.problems).map(([key, list]) => [key, list.map(({ code }) => code)]));
}
