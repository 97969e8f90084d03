import type { BlueprintSource } from '../../src/app/options.ts';
import { flowYaml, type StagePart } from '../support/flow-yaml.ts';

/** The flows that the drills walk: a sign-up in two steps, one in a single step, and a profile. */
export const signUpFlow = 'drill-sign-up';
export const shortSignUpFlow = 'drill-short-sign-up';
export const profileFlow = 'drill-profile';

/** Attributes that the profile asks for, each by `attributeKey`. */
export const profileSize = 50;

/** Whoever signs up joins this group. */
const group = 'drill-people';

export function attributeKey(index: number): string {
  return `attributes.part_${index}`;
}

const username = { field_key: 'username', type: 'username' };
const name = { field_key: 'name' };
const email = { field_key: 'email', type: 'email' };
const password = { field_key: 'password', type: 'password' };
const parts = Array.from({ length: profileSize }, (_, index) => ({
  ...{ field_key: attributeKey(index), required: false, prefill: true },
}));

const writing: readonly StagePart[] = [
  { kind: 'user_write', attrs: { create_users_group: `!Find [authentik_core.group, [name, ${group}]]` } },
  { kind: 'user_login' },
];

export const blueprints: readonly BlueprintSource[] = [
  {
    name: 'drill-group.yaml',
    text: `version: 1\nentries:\n  - {model: authentik_core.group, identifiers: {name: ${group}}, attrs: {}}\n`,
  },
  flowYaml({
    slug: signUpFlow,
    stages: [{ kind: 'prompt', fields: [username, name] }, { kind: 'prompt', fields: [email, password] }, ...writing],
  }),
  flowYaml({
    slug: shortSignUpFlow,
    stages: [{ kind: 'prompt', fields: [username, name, email, password] }, ...writing],
  }),
  flowYaml({
    slug: profileFlow,
    attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' },
    stages: [
      { kind: 'prompt', fields: parts },
      { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
    ],
  }),
];

/** What somebody of this name answers to a sign-up. */
export function signUpAnswers(who: string, contact = who): Readonly<Record<string, string>> {
  return { username: who, name: `Drill ${who}`, email: `${contact}@example.com`, password: `password of ${contact}` };
}
