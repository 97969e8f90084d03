/**
 * The prompt stage asks for the fields an administrator chose and keeps the answers in the plan context's
 * `prompt_data`, each under its own flat key (stages.md 2, user-write.md D-5). It reads its own fields only: what else
 * a client sends is never looked at (B-7).
 */
import { mergePrompt, type PromptValue, promptPairs, promptValue } from '../../engine/plan-context.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import { isPlainObject, type Json, type JsonObject, member } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { usernameKey } from '../../kernel/text.ts';
import type { PromptChallenge } from '../../protocol/challenge.ts';
import { isLocale } from '../../protocol/localize.ts';
import { type FieldProblem, type FieldProblems, type Text, text, wholeForm } from '../../protocol/text.ts';
import { fieldsOf, type PromptConfig, type PromptFieldConfig, promptConfig } from './field.ts';
import { type Choice, fieldTypes, type Parsed, problem } from './field-types.ts';
import { isEmail } from './formats.ts';
import { type Background, choicesOf, initialValue, shownPlaceholder, shownValue, typedAgain } from './initial-value.ts';
import { isOwnField, mayBeShown, ownUser, ownValue } from './own-field.ts';
import { sanitizeHtml } from './sanitize-html.ts';

type PromptDesk = Desk<PromptConfig>;

/** A field with all that is needed to ask and to judge it. */
interface Question {
  readonly field: PromptFieldConfig;
  readonly choices: readonly Choice[];
  readonly initial: PromptValue;
  /** Answered before and shown only, since a revision is about other fields. */
  readonly fixed?: boolean;
}

/** Asks for values; the table of types is in `field-types.ts`. */
export const prompt = defineStage<PromptConfig>({
  kind: 'prompt',
  model: 'authentik_stages_prompt.promptstage',
  component: 'ak-stage-prompt-form',
  description: 'Asks for the fields that you choose.',
  config: promptConfig,
  references: { fields: 'prompt', validation_policies: 'policy' },
  needs: [],
  gives: ['prompt_data'],
  secretFields: (desk) => fieldsOf(desk).flatMap(({ type, field_key }) => (type === 'password' ? [field_key] : [])),
  collects: (desk) => fieldsOf(desk).map(({ field_key }) => field_key),
  enter,
  answer,
  unattended: (desk) => Object.fromEntries(fieldsOf(desk).flatMap((field) => knownAnswer(desk, field))),
});

async function enter(desk: PromptDesk): Promise<Outcome> {
  // Policies over answers cannot run yet; an answer that nobody checked must not go on.
  if (desk.config.validation_policies.length > 0) return { kind: 'deny', message: text('flow.policy_failed') };
  const fields = fieldsOf(desk);
  for (const field of fields) warnOfExpressions(desk, field);
  const baseline = await baselineOf(desk, fields);
  return {
    kind: 'ask',
    challenge: challengeOf(revisedQuestions(desk, await questionsOf(desk, fields)), () => undefined),
    ...(baseline === null ? {} : { memo: { baseline } }),
  };
}

async function answer(desk: PromptDesk, response: Response): Promise<Outcome> {
  const asked = revisedQuestions(desk, await questionsOf(desk, fieldsOf(desk)));
  const questions = asked.filter(({ fixed }) => !fixed);
  const values: [string, PromptValue][] = [];
  const problems: [string, readonly FieldProblem[]][] = [];
  for (const question of questions) {
    const key = question.field.field_key;
    const parsed = await judge(desk, question, sentValue(response, key));
    if ('problem' in parsed) problems.push([key, [parsed.problem]]);
    else if (parsed.value !== undefined) values.push([key, parsed.value]);
  }
  if (problems.length === 0 && !passwordsMatch(questions, new Map(values)))
    problems.push([wholeForm, [{ code: 'invalid', text: text('prompt.passwords_differ') }]]);
  if (problems.length > 0) return retry(asked, response, Object.fromEntries(problems));
  return {
    kind: 'pass',
    context: { prompt_data: mergePrompt(promptPairs(desk.context) ?? [], values), ...keptBaseline(desk) },
  };
}

/**
 * In a revision the fields with problems are open again, and the others stay as they were answered: shown, but for
 * what is secret or cannot be shown. Passwords are asked together, since they must match.
 */
function revisedQuestions({ revise }: PromptDesk, questions: readonly Question[]): readonly Question[] {
  if (revise === null) return questions;
  const keys = new Set(Object.keys(revise));
  const aboutPassword = questions.some(({ field }) => field.type === 'password' && keys.has(field.field_key));
  return questions.flatMap((question) => {
    const { field } = question;
    if (keys.has(field.field_key) || (field.type === 'password' && aboutPassword)) return [question];
    if (['password', 'file', 'hidden', 'separator'].includes(field.type)) return [];
    return [{ ...question, fixed: true }];
  });
}

/** What was typed stays in the form, passwords and files excepted. */
function retry(questions: readonly Question[], response: Response, problems: FieldProblems): Outcome {
  const challenge = challengeOf(questions, ({ field, choices }) =>
    typedAgain(field, choices, sentValue(response, field.field_key)),
  );
  return { kind: 'retry', problems, challenge };
}

function challengeOf(
  questions: readonly Question[],
  typed: (question: Question) => PromptValue | undefined,
): PromptChallenge {
  return {
    component: 'ak-stage-prompt',
    fields: questions.map((question) => ({
      field_key: question.field.field_key,
      label: question.field.label,
      type: question.fixed === true && question.field.type !== 'static' ? 'text_read_only' : question.field.type,
      required: question.field.required,
      placeholder: shownPlaceholder(question.field),
      initial_value: shownValue(question.field, typed(question) ?? question.initial),
      order: question.field.order,
      sub_text: sanitized(question.field.sub_text),
      choices:
        fieldTypes[question.field.type].hasChoices && question.fixed !== true
          ? question.choices.map((choice) => shownValue(question.field, choice))
          : null,
    })),
  };
}

async function judge(desk: PromptDesk, { field, choices, initial }: Question, sent: Json | undefined): Promise<Parsed> {
  const { answeredBy, absent, parse } = fieldTypes[field.type];
  if (answeredBy !== undefined) return { value: answeredBy === 'server' ? initial : undefined };
  const typed = sent === undefined ? (absent ?? initial) : sent;
  if (typed instanceof Secret) return { value: undefined };
  if (sent === undefined && (typed === '' || typed === null))
    return field.required ? problem('required', 'prompt.required') : { value: undefined };
  const parsed = parse(typed, field, choices);
  const taken = field.type === 'username' && 'value' in parsed && (await isTaken(desk, parsed.value));
  return taken ? problem('unique', 'prompt.username_taken') : parsed;
}

/**
 * Advice to the visitor; the unique index decides (W32). Of a username that is an address nothing is said: whether an
 * address has an account stays unknown until its owner proved it.
 */
async function isTaken({ context, read, visitor }: PromptDesk, username: PromptValue | undefined): Promise<boolean> {
  if (typeof username !== 'string' || username === '' || isEmail(username)) return false;
  const found = await read.userByUsername(usernameKey(username));
  const pending = context.pending_user;
  const own = pending !== undefined && 'ref' in pending ? pending.ref : visitor.user?.id;
  return found !== null && found.id !== own;
}

/** PR-6, for any number of password fields; one that was left empty counts as empty. */
function passwordsMatch(questions: readonly Question[], values: ReadonlyMap<string, PromptValue>): boolean {
  const passwords = questions.flatMap(({ field }) => (field.type === 'password' ? [values.get(field.field_key)] : []));
  return new Set(passwords.map((password) => (password instanceof Secret ? password.reveal() : ''))).size <= 1;
}

async function questionsOf(desk: PromptDesk, fields: readonly PromptFieldConfig[]): Promise<readonly Question[]> {
  const user = fields.some(({ prefill }) => prefill) ? await ownUser(desk) : null;
  const background: Background = {
    context: desk.context,
    user: user !== null && mayBeShown(user, desk) ? user : null,
    locale: isLocale(desk.visitor.locale) ? desk.visitor.locale : 'en',
  };
  return fields.map((field) => {
    const choices = choicesOf(field, background);
    return { field, choices, initial: initialValue(field, choices, background) };
  });
}

/** The user's present values of the fields that are asked (W31); null for one that the user does not have. */
async function baselineOf(desk: PromptDesk, fields: readonly PromptFieldConfig[]): Promise<JsonObject | null> {
  const keys = fields.map(({ field_key }) => field_key).filter(isOwnField);
  const user = keys.length > 0 ? await ownUser(desk) : null;
  return user === null ? null : Object.fromEntries(keys.map((key) => [key, ownValue(user, key) ?? null]));
}

function keptBaseline({ context, memo }: PromptDesk): { readonly 'doorward/baseline'?: JsonObject } {
  const baseline = isPlainObject(memo) ? memo.baseline : undefined;
  return isPlainObject(baseline)
    ? { 'doorward/baseline': { ...context['doorward/baseline'], ...(baseline as JsonObject) } }
    : {};
}

/** What was sent for a field: under its own key, or nested at its dots (`{attributes: {settings: {locale}}}`). */
function sentValue(response: Response, key: string): Json | undefined {
  const flat = member(response, key);
  if (flat !== undefined || !key.includes('.')) return flat;
  let found: Json | undefined = response;
  for (const name of key.split('.')) found = isPlainObject(found) ? member(found as JsonObject, name) : undefined;
  return found;
}

/** Unattended, a field is answered by what `prompt_data` already has under its key; it is checked like any answer. */
function knownAnswer({ context }: PromptDesk, { field_key: key, type }: PromptFieldConfig): [string, Json][] {
  const known = fieldTypes[type].answeredBy === undefined ? promptValue(context, key) : undefined;
  if (known === undefined) return [];
  return [[key, known instanceof Secret ? known.reveal() : known]];
}

function sanitized(html: Text): Text {
  if (typeof html === 'string') return sanitizeHtml(html);
  if (!('$lang' in html)) return html;
  return {
    $lang: Object.fromEntries(Object.entries(html.$lang).map(([language, words]) => [language, sanitizeHtml(words)])),
  };
}

function warnOfExpressions({ stage, tools }: PromptDesk, field: PromptFieldConfig): void {
  if (field.placeholder_expression || field.initial_value_expression)
    tools.log('warn', 'expressions of prompts cannot run yet; the field is shown empty', {
      stage: stage.name,
      prompt: field.name,
    });
}
