/**
 * What does not compile. The compiler is the test: `tsc` complains of each expected error that is missing, and vitest
 * only needs something to run.
 */
import { expect, it } from 'vitest';
import * as z from 'zod';
import { definePolicy } from '../../engine/policy.ts';
import { defineStage } from '../../engine/stage.ts';
import { dispatch, protectedFields } from '../../stages/user-write/dispatch.ts';
import type { WriteProblem } from './check.ts';
import { inGroup, not, policy } from './condition.ts';
import { field } from './field.ts';
import { type AttributesOf, defineFlow } from './flow.ts';
import {
  deny,
  dummy,
  identification,
  initialSetup,
  invitation,
  oneTimeLink,
  password,
  prompt,
  redirect,
  stage,
  userLogin,
  userLogout,
  userWrite,
} from './stages.ts';

const flow = { slug: 'a', designation: 'enrollment' } as const;
const name = prompt({ fields: { username: field.username() } });

it('what is right compiles', () => {
  defineFlow({ ...flow, stages: [] });
  defineFlow({ ...flow, stages: [name, userWrite(), userLogin()] });
  defineFlow({ ...flow, stages: [identification(), password(), userLogin()] });
  defineFlow({ ...flow, stages: [identification({ password: password() }), userLogin()] });
  defineFlow({
    ...flow,
    stages: [invitation({ continueFlowWithoutInvitation: true }), name, userWrite(), userLogin()],
  });
  // An invitation may bring what is written.
  defineFlow({ ...flow, stages: [invitation(), userWrite()] });
  defineFlow({ ...flow, stages: [oneTimeLink(), name, userWrite(), oneTimeLink()] });
  defineFlow({
    ...flow,
    stages: [initialSetup({ group: 'admins' }), name, userWrite(), dummy(), userLogout(), deny()],
  });
  defineFlow({ ...flow, stages: [redirect({ to: '/x' })] });
  defineFlow({ ...flow, stages: [redirect({ flow: 'b', keepContext: false })] });
  // Who is signed in is the pending user (W4).
  defineFlow({ ...flow, authentication: 'require_authenticated', stages: [password()] });
  // A policy gives it.
  defineFlow({ ...flow, given: ['pending_user'], stages: [userLogin()] });
  // No write follows, so a key may be anything.
  defineFlow({ ...flow, stages: [prompt({ fields: { code: field.text() } })] });
  defineFlow({
    ...flow,
    stages: [prompt({ fields: { terms: field.checkbox({ written: false }) } }), name, userWrite()],
  });
  const shown = { intro: field.static(), line: field.separator(), password: field.password() };
  const repeated = { ...shown, password_repeat: field.passwordRepeat() };
  defineFlow({ ...flow, stages: [prompt({ fields: repeated }), name, userWrite()] });
  const where = prompt({ fields: { path: field.hidden(), is_active: field.checkbox() } });
  defineFlow({ ...flow, stages: [where, userWrite({ writableFields: ['path', 'is_active'] })] });
});

it('a field whose key the write stage would discard does not', () => {
  defineFlow({
    ...flow,
    // @ts-expect-error user_write would discard "company": ask for "attributes.company", …
    stages: [prompt({ fields: { company: field.text() } }), userWrite()],
  });
  // @ts-expect-error user_write never writes "id" from a prompt
  defineFlow({ ...flow, stages: [prompt({ fields: { id: field.text() } }), userWrite()] });
  // @ts-expect-error user_write never writes "groups" from a prompt
  defineFlow({ ...flow, stages: [prompt({ fields: { groups: field.text() } }), userWrite()] });
  // @ts-expect-error "is_superuser" is a protected field, which no prompt can write
  defineFlow({ ...flow, stages: [prompt({ fields: { is_superuser: field.checkbox() } }), userWrite()] });
  // @ts-expect-error a prompt cannot overwrite all attributes: ask for "attributes.…"
  defineFlow({ ...flow, stages: [prompt({ fields: { attributes: field.text() } }), userWrite()] });
  // @ts-expect-error "attributes.a..b" has an empty part between its dots
  defineFlow({ ...flow, stages: [prompt({ fields: { 'attributes.a..b': field.text() } }), userWrite()] });
  // @ts-expect-error "attributes.constructor.x" holds a name that is never written
  defineFlow({ ...flow, stages: [prompt({ fields: { 'attributes.constructor.x': field.text() } }), userWrite()] });
  // @ts-expect-error the write comes two stages later all the same
  defineFlow({ ...flow, stages: [prompt({ fields: { company: field.text() } }), dummy(), name, userWrite()] });
  // @ts-expect-error the key "component" is taken by the protocol
  defineFlow({ ...flow, stages: [prompt({ fields: { component: field.text() } })] });
});

it('a protected field without permission does not', () => {
  // @ts-expect-error "path" is a protected field: allow it with userWrite({ writableFields: ['path'] })
  defineFlow({ ...flow, stages: [prompt({ fields: { path: field.text() } }), userWrite()] });
  const type = prompt({ fields: { type: field.dropdown({ choices: ['internal', 'external'] }) } });
  // @ts-expect-error another one is allowed
  defineFlow({ ...flow, stages: [type, userWrite({ writableFields: ['is_active'] })] });
  // @ts-expect-error no field of this name can be allowed
  userWrite({ writableFields: ['uuid'] });
});

it('a stage whose needs nobody gives does not', () => {
  // @ts-expect-error the stage user_login needs pending_user, which no stage before it gives: …
  defineFlow({ ...flow, stages: [userLogin()] });
  // @ts-expect-error the stage password needs pending_user: identification comes too late
  defineFlow({ ...flow, stages: [password(), identification()] });
  // @ts-expect-error the stage user_write needs prompt_data: …
  defineFlow({ ...flow, stages: [userWrite(), userLogin()] });
  // @ts-expect-error a prompt gives no pending user
  defineFlow({ ...flow, authentication: 'require_unauthenticated', stages: [name, userLogin()] });
  const needy = defineStage({
    ...{ kind: 'needy', model: 'tests.needy', component: 'ak-stage-own-needy', description: 'Needs a parcel.' },
    ...{ config: z.object({}), enter: async () => ({ kind: 'pass' }) },
    needs: ['parcel'],
    gives: [],
  });
  // @ts-expect-error nor does anybody bring the parcel
  defineFlow({ ...flow, stages: [stage(needy, {})] });
  defineFlow({ ...flow, given: ['parcel'], stages: [stage(needy, {})] });
});

it('two prompts for one key do not', () => {
  // @ts-expect-error two prompts ask for "username"; only the later answer would count
  defineFlow({ ...flow, stages: [name, prompt({ fields: { username: field.username() } }), userWrite()] });
});

it('names and configuration that do not exist do not', () => {
  // @ts-expect-error no such designation
  defineFlow({ slug: 'a', designation: 'sign-up', stages: [] });
  // @ts-expect-error no such option
  userLogin({ sessionDurations: 'days=1' });
  // @ts-expect-error a text, not a number
  userLogin({ sessionDuration: 14 });
  // @ts-expect-error no such mode
  userWrite({ userCreationMode: 'sometimes' });
  // @ts-expect-error neither an address nor a flow
  redirect({});
  // @ts-expect-error choices are needed
  field.dropdown({});
  // @ts-expect-error no such option
  field.text({ requierd: false });
});

it('functions know the answers that they are about', () => {
  const ask = prompt({
    fields: {
      'attributes.size': field.dropdown({ choices: ['s', 'm'] }),
      'attributes.age': field.number({ required: false }),
      line: field.separator(),
    },
    validate: (answers) => {
      const size: 's' | 'm' = answers['attributes.size'];
      const age: number | null | undefined = answers['attributes.age'];
      // @ts-expect-error it may be empty
      const certain: number = answers['attributes.age'];
      // @ts-expect-error no such field
      answers['attributes.colour'];
      // @ts-expect-error a separator has no answer
      answers.line;
      return { passing: size === 's' && age === certain, messages: ['no'] };
    },
  });
  dummy({ when: (request) => request.answersTo(ask)['attributes.size'] === 'm' });
  // @ts-expect-error no such choice
  dummy({ when: (request) => request.answersTo(ask)['attributes.size'] === 'xl' });
  // @ts-expect-error a text decides nothing
  dummy({ when: () => 'yes' });
  const hours = definePolicy({
    ...{ kind: 'hours', model: 'tests.hours', component: 'x', description: 'x' },
    config: z.object({ from: z.number() }),
    evaluate: async () => ({ passing: true, messages: [] }),
  });
  dummy({ when: [policy(hours, { from: 9 }), not(inGroup('staff'))] });
  // @ts-expect-error a number
  policy(hours, { from: 'nine' });
});

it("users' attributes are inferred from all flows", () => {
  const one = defineFlow({
    ...flow,
    stages: [
      prompt({
        fields: {
          ...{ username: field.username(), 'attributes.company': field.text({ required: false }) },
          ...{ 'attributes.address.city': field.text(), 'attributes.terms': field.checkbox({ written: false }) },
        },
      }),
      userWrite(),
    ],
  });
  const two = defineFlow({
    ...flow,
    stages: [
      prompt({ fields: { attributes_size: field.dropdown({ choices: ['s', 'm'] }) } }),
      prompt({
        fields: { 'attributes.address.zip': field.number(), 'attributes.tags': field.multiSelect({ choices: ['x'] }) },
      }),
      userWrite(),
    ],
  });
  type Attributes = AttributesOf<readonly [typeof one, typeof two]>;
  const known: Attributes = { company: 'ACME', address: { city: 'Berlin', zip: 1 }, size: 's', tags: ['x'] };
  const company: string | undefined = known.company;
  const zip: number | undefined = known.address?.zip;
  // @ts-expect-error a text
  const wrong: number | undefined = known.company;
  // @ts-expect-error not a choice
  const size: 'xl' | undefined = known.size;
  // @ts-expect-error for policies alone, so it is never written
  known.terms;
  // @ts-expect-error no flow asks for it
  known.nickname;
  expect([company, zip, wrong, size]).toEqual(['ACME', 1, 'ACME', 's']);
});

/** What the compiler says of a key, which must be what the dispatch does with it (W10 to W23). */
const verdicts = {
  username: 'written',
  name: 'written',
  email: 'written',
  'attributes.a': 'written',
  'attributes.a.b': 'written',
  attributes_a: 'written',
  'attributes_a.b': 'written',
  path: 'written',
  groups: 'refused',
  id: 'refused',
  pk: 'refused',
  attributes: 'refused',
  'attributes.': 'refused',
  'attributes.a.': 'refused',
  'attributes.__proto__': 'refused',
  'attributes.a.prototype.b': 'refused',
  uuid: 'refused',
  date_joined: 'refused',
  last_login: 'refused',
  is_superuser: 'refused',
  is_staff: 'refused',
  password_change_date: 'refused',
  last_updated: 'refused',
  company: 'refused',
  'attribute.a': 'refused',
} as const satisfies { [Key in string]: 'written' | 'refused' };

type Agreement = {
  [Key in keyof typeof verdicts]: [WriteProblem<Key, 'path' | 'type' | 'is_active'>] extends [never]
    ? 'written'
    : 'refused';
};
const compilerSays: Agreement = verdicts;

it.each(Object.entries(compilerSays))('the write stage and the compiler agree on %s', (key, verdict) => {
  const rules = {
    attributes: {},
    writable: protectedFields,
    impersonating: false,
    trustedHashes: false,
    addressesVerifiedAt: null,
  };
  const result = dispatch([[key, 'x']], rules);
  expect(result.ok && result.changes.written.length === 1 ? 'written' : 'refused').toBe(verdict);
});
