import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../src/cli/environment.ts';
import { optionsOf } from '../../src/cli/open.ts';
import { createRig } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { rigOnEachDatabase, signIn } from '../support/each-database.ts';
import { flowYaml } from '../support/flow-yaml.ts';

const profileSchema = {
  type: 'object',
  required: ['phone'],
  properties: {
    phone: { type: 'string', pattern: '^\\+?[0-9 ]+$' },
    level: { type: 'integer', maximum: 9, 'x-doorward-write': ['administrator', 'library'] },
    company: {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 10 }, number: { 'x-doorward-write': ['administrator'] } },
      additionalProperties: false,
    },
    settings: { type: 'object' },
  },
};

const enrollment = flowYaml({
  slug: 'join',
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'username', type: 'username' },
        { field_key: 'password', type: 'password' },
      ],
    },
    {
      kind: 'prompt',
      fields: [
        { field_key: 'attributes_phone', required: false },
        { field_key: 'attributes.company.name', required: false },
      ],
    },
    { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
    { kind: 'user_login' },
  ],
});
const profile = flowYaml({
  slug: 'profile',
  attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' },
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'name', required: false, prefill: true },
        { field_key: 'attributes.phone', required: false, prefill: true },
        { field_key: 'attributes.level', type: 'number', required: false, prefill: true },
        { field_key: 'attributes.company.number', required: false, prefill: true },
      ],
    },
    { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
  ],
});
const blueprints = [enrollment, profile];

rigOnEachDatabase('the profile schema', { profileSchema, blueprints }, (rig) => {
  test('what does not fit comes again at the field that asked, the password is kept, and then it is written', async () => {
    const visitor = rig().visitor({ language: 'de' });
    await visitor.open('join');
    await visitor.answer({ username: 'ada', password: 'correct horse' });
    await visitor.answer({ attributes_phone: 'none', 'attributes.company.name': 'much too long a name' });
    visitor.expectProblem('attributes_phone', 'invalid');
    visitor.expectProblem('attributes.company.name', 'max_length');
    expect(visitor.challenge.response_errors?.attributes_phone?.[0]?.string).toBe(
      'Diese Angabe hat nicht die erwartete Form.',
    );
    await visitor.answer({ attributes_phone: '', 'attributes.company.name': 'Acme' });
    visitor.expectProblem('attributes_phone', 'invalid');
    await visitor.answer({ attributes_phone: '+49 731 1' });
    visitor.expectEnd();
    const user = await rig().auth.users.get({ username: 'ada' });
    expect(user?.attributes).toEqual({ phone: '+49 731 1', company: { name: 'Acme' } });
    await signIn(rig(), 'ada', 'correct horse');
  });

  test('a required attribute that was left out comes again where it was asked', async () => {
    const visitor = rig().visitor();
    await visitor.open('join');
    await visitor.answer({ username: 'grace', password: 'correct horse' });
    await visitor.answer({});
    visitor.expectProblem('attributes_phone', 'required');
  });

  test('an attribute that is not theirs to write is discarded, and a program writes it', async () => {
    const { id: pk } = await rig().auth.users.create({
      ...{ username: 'level', password: 'correct horse' },
      attributes: { phone: '1', level: 3 },
    });
    const visitor = await signIn(rig(), 'level', 'correct horse');
    await visitor.open('profile');
    const answer = { 'attributes.phone': '2', 'attributes.level': 9, 'attributes.company.number': '7' };
    await visitor.answer(answer);
    visitor.expectEnd();
    expect((await rig().auth.users.get({ pk }))?.attributes).toEqual({ phone: '2', level: 3 });
    await rig().auth.users.update(pk, { attributes: { phone: '2', level: 4 } });
    expect((await rig().auth.users.get({ pk }))?.attributes).toEqual({ phone: '2', level: 4 });
    const group = (await rig().auth.groups.list()).find(({ isSuperuser }) => isSuperuser);
    await rig().auth.users.join(pk, group?.pk ?? '');
    await visitor.open('profile');
    await visitor.answer(answer);
    expect((await rig().auth.users.get({ pk }))?.attributes).toEqual({
      phone: '2',
      level: 9,
      company: { number: '7' },
    });
  });

  test('programs are told which attribute, and nothing is written', async () => {
    const create = (attributes: object) =>
      rig().auth.users.create({ username: 'program', attributes: attributes as never });
    await expect(create({})).rejects.toMatchObject({ code: 'invalid_request', detail: /^attributes\.phone: / });
    await expect(create({ phone: '1', level: 10 })).rejects.toMatchObject({ detail: /^attributes\.level: / });
    await expect(create({ phone: '1', company: { number: 1 } })).rejects.toMatchObject({
      code: 'refused',
      detail: /^attributes\.company\.number: /,
    });
    expect(await rig().auth.users.get({ username: 'program' })).toBeNull();
  });
});

test('a schema can come after the users: what was wrong before keeps nobody from changing something else', async () => {
  const { database, remove } = await emptyDatabase('sqlite');
  const before = await createRig({ database, blueprints });
  const attributes = { company: { name: 'much too long a name' } };
  const { id: pk } = await before.auth.users.create({ username: 'ada', password: 'correct horse', attributes });
  await before.close();
  const rig = await createRig({ database, blueprints, profileSchema });
  const visitor = await signIn(rig, 'ada', 'correct horse');
  await visitor.open('profile');
  await visitor.answer({ name: 'Ada', 'attributes.phone': '1' });
  visitor.expectEnd();
  expect(await rig.auth.users.get({ pk })).toMatchObject({ name: 'Ada', attributes: { ...attributes, phone: '1' } });
  await rig.close();
  await remove();
});

test('a schema that is none does not start', async () => {
  await expect(createRig({ profileSchema: { type: 'nonsense' } })).rejects.toMatchObject({ code: 'configuration' });
});

test('the server reads it from a file, and says by the variable what is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-profile-'));
  const file = join(folder, 'profile.json');
  const env = { DOORWARD_DATA_DIR: folder, DOORWARD_PROFILE_SCHEMA: file };
  const read = () => optionsOf(readEnvironment(env), () => undefined).profileSchema;
  expect(read).toThrow(`DOORWARD_PROFILE_SCHEMA: ${file} cannot be used`);
  writeFileSync(file, '[]');
  expect(read).toThrow(`DOORWARD_PROFILE_SCHEMA: ${file} must hold a JSON object`);
  writeFileSync(file, JSON.stringify(profileSchema));
  expect(read()).toEqual(profileSchema);
  rmSync(folder, { recursive: true });
});
