/**
 * The prompt stage asks for the fields an administrator chose and keeps the answers in the plan context's
 * `prompt_data`, each under its own flat key (stages.md 2, user-write.md D-5). It reads its own fields only: what else
 * a client sends is never looked at (B-7).
 */
import {
  type Baseline,
  mergePrompt,
  type PlanContext,
  type PromptValue,
  promptPairs,
  promptValue,
} from '../../engine/plan-context.ts';
import type { PolicyResult } from '../../engine/policy-request.ts';
import type { Origin } from '../../engine/provenance.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, type Json, type JsonObject, member, sameJson } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { usernameKey } from '../../kernel/text.ts';
import type { PromptChallenge } from '../../protocol/challenge.ts';
import { isLocale } from '../../protocol/localize.ts';
import { type FieldProblem, type FieldProblems, type Text, text, wholeForm } from '../../protocol/text.ts';
import { isFixed, plainKey } from '../fixed-key.ts';
import { isUserField, mayBeShown, ownUser, ownValue, watched } from '../own-field.ts';
import { computedFields } from './computed.ts';
import { fieldsOf, type PromptConfig, type PromptFieldConfig, promptConfig } from './field.ts';
import { type Choice, fieldTypes, type Parsed, problem } from './field-types.ts';
import { isEmail } from './formats.ts';
import { type Background, choicesOf, initialValue, shownPlaceholder, shownValue, typedAgain } from './initial-value.ts';
import { promptProof } from './proof.ts';
import { sanitizeHtml } from './sanitize-html.ts';

type PromptDesk = Desk<PromptConfig>;

/** Types that show what they show, whoever decided it. */
const unanswered: readonly PromptFieldConfig['type'][] = ['static', 'hidden', 'separator'];

/** A field with all that is needed to ask and to judge it. */
interface Question {
  readonly field: PromptFieldConfig;
  readonly choices: readonly Choice[];
  readonly initial: PromptValue;
  /** Shown only: answered before, and a revision is about other fields; or an invitation says what it is. */
  readonly fixed?: boolean;
}

/** Asks for values; the table of types is in `field-types.ts`. */
export const prompt = defineStage({
  kind: 'prompt',
  model: 'authentik_stages_prompt.promptstage',
  component: 'ak-stage-prompt-form',
  description: 'Asks for the fields that you choose.',
  config: promptConfig,
  references: { fields: 'prompt', validation_policies: 'policy' },
  needs: [],
  gives: ['prompt_data'],
  proof: promptProof,
  secretFields: (desk) => fieldsOf(desk).flatMap(({ type, field_key }) => (type === 'password' ? [field_key] : [])),
  collects: (desk) => openFields(desk).map(({ field_key }) => field_key),
  enter,
  answer,
  unattended: knownAnswers,
});

async function enter(desk: PromptDesk): Promise<Outcome> {
  const fields = await computedFields(desk, fieldsOf(desk));
  const user = fields.some(({ field_key }) => isUserField(field_key)) ? await ownUser(desk) : null;
  const questions = revisedQuestions(desk, questionsOf(desk, fields, user));
  return {
    kind: 'ask',
    challenge: challengeOf(questions, () => undefined),
    ...(user === null ? {} : { memo: { baseline: { ...baselineOf(user, questions) } } }),
  };
}

async function answer(desk: PromptDesk, response: Response): Promise<Outcome> {
  const fields = await computedFields(desk, fieldsOf(desk));
  const user = fields.some(({ prefill }) => prefill) ? await ownUser(desk) : null;
  const asked = revisedQuestions(desk, questionsOf(desk, fields, user));
  const hashed = hasTrustedHash(desk);
  const questions = asked.filter(({ fixed, field }) => !fixed && !(hashed && field.type === 'password'));
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
  const prompt_data = mergePrompt(promptPairs(desk.context) ?? [], values);
  const verdict = await desk.policies(desk.config.validation_policies, { prompt_data });
  const { effects, messages, contextPatch, decisions } = verdict;
  const told = { effects, decisions };
  if (verdict.failed && !isExplained(verdict)) return { kind: 'deny', message: text('flow.policy_failed'), ...told };
  if (!verdict.passing) return { ...retry(asked, response, { [wholeForm]: refusals(messages) }), ...told };
  const context = { prompt_data, ...keptBaseline(desk), ...keptOrigins(desk), ...contextPatch };
  return { kind: 'pass', context, messages, ...told };
}

/** What could not be checked is not taken; where a policy says why, the visitor may try again. */
function isExplained({ decisions }: PolicyResult): boolean {
  const failures = decisions.filter(({ failed }) => failed);
  return failures.length > 0 && failures.every(({ messages }) => messages.length > 0);
}

/** PR-8; never an empty list, which a client would take for no problem at all. */
function refusals(messages: readonly Text[]): readonly FieldProblem[] {
  const said = messages.filter((message) => message !== '');
  return (said.length > 0 ? said : [text('prompt.not_accepted')]).map((words) => ({ code: 'invalid', text: words }));
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
  const challenge = challengeOf(questions, ({ field, choices, fixed }) =>
    fixed === true ? undefined : typedAgain(field, choices, sentValue(response, field.field_key)),
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
      type:
        question.fixed === true && !unanswered.includes(question.field.type) ? 'text_read_only' : question.field.type,
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
  const made = Object.values(context['doorward/made'] ?? {});
  return found !== null && found.id !== own && !made.includes(found.id);
}

/** PR-6, for any number of password fields; one that was left empty counts as empty. */
function passwordsMatch(questions: readonly Question[], values: ReadonlyMap<string, PromptValue>): boolean {
  const passwords = questions.flatMap(({ field }) => (field.type === 'password' ? [values.get(field.field_key)] : []));
  return new Set(passwords.map((password) => (password instanceof Secret ? password.reveal() : ''))).size <= 1;
}

function questionsOf(desk: PromptDesk, fields: readonly PromptFieldConfig[], user: User | null): readonly Question[] {
  const background: Background = {
    context: desk.context,
    user: user !== null && mayBeShown(user, desk) ? user : null,
    locale: isLocale(desk.visitor.locale) ? desk.visitor.locale : 'en',
  };
  return fields.map((field) => {
    const choices = choicesOf(field, background);
    if (isFixed(desk.context, field.field_key))
      return { field, choices, initial: promptValue(desk.context, plainKey(field.field_key)) ?? '', fixed: true };
    return { field, choices, initial: initialValue(field, choices, background) };
  });
}

/** The user's values of the fields that are open, as the form shows them (W31); null for one that they do not have. */
function baselineOf(user: User, questions: readonly Question[]): Baseline {
  const keys = questions.flatMap(({ fixed, field }) => (fixed === true ? [] : [field.field_key])).filter(isUserField);
  return { user: user.id, values: Object.fromEntries(keys.map((key) => [key, watched(ownValue(user, key))])) };
}

/** A baseline that was somebody else's says nothing of this user. */
function keptBaseline({ context, memo }: PromptDesk): Pick<PlanContext, 'doorward/baseline'> {
  const baseline = isPlainObject(memo) ? (memo.baseline as unknown as Baseline | undefined) : undefined;
  if (baseline === undefined) return {};
  const known = context['doorward/baseline'];
  const values = { ...(known?.user === baseline.user ? known.values : {}), ...baseline.values };
  return { 'doorward/baseline': { user: baseline.user, values } };
}

/** The fields' keys come from this form. Without a browser nobody saw it: they come from who started the run. */
function keptOrigins(desk: PromptDesk): Pick<PlanContext, 'doorward/origins'> {
  const { context, flow, stage, unattended } = desk;
  if (unattended) return {};
  const origin: Origin = { kind: 'prompt', flow: flow.slug, stage: stage.name };
  const others = (context['doorward/origins'] ?? []).filter((known) => !sameJson({ ...known.origin }, { ...origin }));
  return { 'doorward/origins': [...others, { origin, keys: openFields(desk).map(({ field_key }) => field_key) }] };
}

/** The fields that the visitor answers; what an invitation fixed is neither theirs to change nor theirs to mend (IN-7). */
function openFields(desk: PromptDesk): readonly PromptFieldConfig[] {
  return fieldsOf(desk).filter(({ field_key }) => !isFixed(desk.context, field_key));
}

/** What was sent for a field: under its own key, or nested at its dots (`{attributes: {settings: {locale}}}`). */
function sentValue(response: Response, key: string): Json | undefined {
  const flat = member(response, key);
  if (flat !== undefined || !key.includes('.')) return flat;
  let found: Json | undefined = response;
  for (const name of key.split('.')) found = isPlainObject(found) ? member(found as JsonObject, name) : undefined;
  return found;
}

/** Unattended, what `prompt_data` already has is the answer, and a password need not be repeated. */
function knownAnswers(desk: PromptDesk): Response {
  const fields = fieldsOf(desk);
  const answers: JsonObject = Object.fromEntries(fields.flatMap((field) => knownAnswer(desk, field)));
  const password = member(answers, 'password');
  if (typeof password !== 'string') return answers;
  const repeated = fields.filter(({ type, field_key }) => type === 'password' && !Object.hasOwn(answers, field_key));
  return { ...answers, ...Object.fromEntries(repeated.map(({ field_key }) => [field_key, password])) };
}

/** A hash that is taken as the password (W11b): then there is none to ask for. */
function hasTrustedHash({ unattended, context }: PromptDesk): boolean {
  return (
    unattended && context['doorward/trusted_hashes'] === true && promptValue(context, 'password_hash') !== undefined
  );
}

/** A field is answered by what stands under its own key; it is checked like any answer. */
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
