/**
 * The profile schema: a JSON Schema that the administrator gives for users' attributes, checked with Ajv, and the
 * annotation `x-doorward-write`, which says who may write an attribute. Loaded only where there is a schema.
 */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Profile, type ProfileProblem, profileWriters } from '../engine/profile.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject } from '../kernel/json.ts';
import { type FieldProblem, text } from '../protocol/text.ts';
import { writeRules } from './profile-write-rules.ts';

/**
 * Compiles a profile schema: draft 2020-12, or draft 7 where `$schema` names it.
 *
 * @throws DoorwardError `configuration` for what is no valid schema, unknown keywords included
 */
export async function compileProfile(schema: object): Promise<Profile> {
  if (!isPlainObject(schema)) throw new DoorwardError('configuration', 'profileSchema must be a JSON object');
  const validate = await compile(schema);
  return {
    check(attributes) {
      if (validate(attributes)) return [];
      return (validate.errors ?? []).flatMap(problemOf);
    },
    mayWrite: writeRules(schema),
  };
}

async function compile(schema: Record<string, unknown>) {
  const [{ Ajv2020 }, { Ajv }, { default: formats }] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv'),
    import('ajv-formats'),
  ]);
  const Draft = String(schema.$schema ?? '').includes('draft-07') ? Ajv : Ajv2020;
  const ajv = new Draft({ allErrors: true, strictTypes: false, strictRequired: false, strictTuples: false });
  formats.default(ajv);
  ajv.addKeyword({
    keyword: 'x-doorward-write',
    schemaType: 'array',
    metaSchema: { type: 'array', items: { enum: profileWriters }, uniqueItems: true },
    errors: false,
  });
  try {
    return ajv.compile(schema);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new DoorwardError('configuration', `profileSchema (DOORWARD_PROFILE_SCHEMA) cannot be used: ${detail}`);
  }
}

/** Keywords whose errors only sum up others. */
const summaries = new Set(['if', 'allOf']);

function problemOf(error: ErrorObject): readonly ProfileProblem[] {
  if (summaries.has(error.keyword)) return [];
  const { missingProperty, additionalProperty, unevaluatedProperty, propertyName } = error.params;
  const inner: unknown = missingProperty ?? additionalProperty ?? unevaluatedProperty ?? propertyName;
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  return [{ path: typeof inner === 'string' ? [...path, inner] : path, problem: wordsOf(error) }];
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The catalogues' words for a keyword: Ajv's own are English, and speak of schemas. */
function wordsOf({ keyword, params }: ErrorObject): FieldProblem {
  const limit = Number(params.limit);
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return { code: 'required', text: text('prompt.required') };
    case 'minLength':
      return limit === 1
        ? { code: 'blank', text: text('prompt.blank') }
        : { code: 'min_length', text: text('prompt.min_length', { min: limit }) };
    case 'maxLength':
      return { code: 'max_length', text: text('prompt.max_length', { max: limit }) };
    case 'minimum':
      return { code: 'min_value', text: text('profile.minimum', { min: limit }) };
    case 'maximum':
      return { code: 'max_value', text: text('profile.maximum', { max: limit }) };
    case 'enum':
    case 'const':
      return { code: 'invalid_choice', text: text('prompt.invalid_choice') };
    case 'format':
      return { code: 'invalid', text: text(params.format === 'email' ? 'prompt.invalid_email' : 'profile.format') };
    case 'pattern':
      return { code: 'invalid', text: text('profile.format') };
    case 'additionalProperties':
    case 'unevaluatedProperties':
    case 'propertyNames':
      return { code: 'unknown', text: text('profile.unknown') };
    default:
      return { code: 'invalid', text: text('prompt.invalid') };
  }
}
