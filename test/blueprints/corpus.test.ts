import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelTable } from '../../src/blueprints/models.ts';
import { tagNames } from '../../src/blueprints/tags.ts';
import { designations } from '../../src/engine/flow.ts';
import type { BlueprintSource, Doorward } from '../../src/index.ts';
import { policies } from '../../src/policies/index.ts';
import { promptTypes } from '../../src/protocol/challenge.ts';
import { stages } from '../../src/stages/index.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { rigOnEachDatabase } from '../support/each-database.ts';

const folder = join(import.meta.dirname, '..', 'data', 'blueprints');
// Those that apply others come first on purpose.
const files = ['sign-in', 'sign-up', 'base', 'profile', 'recovery', 'others'].map(read);
const how = { filesDir: join(folder, 'texts'), env: { CORPUS_REGION: '' } };
const slugs = ['sign-in', 'sign-up', 'profile', 'leave', 'consent', 'unenroll', 'setup'].map((one) => `corpus-${one}`);
const password = 'quiet anvil meadow 42';

function read(name: string): BlueprintSource {
  return { name: `${name}.yaml`, text: readFileSync(join(folder, `${name}.yaml`), 'utf8') };
}

function exported(auth: Doorward): Promise<BlueprintSource[]> {
  return Promise.all(
    [...slugs, 'default-recovery-link'].map(async (slug) => ({ name: slug, text: await auth.flows.export(slug) })),
  );
}

const text = [...files, read('once')].map((file) => file.text).join('\n');

describe('the corpus', () => {
  it('uses every model, tag, state, designation, language and type of field; a new one belongs into it', () => {
    const models = [...text.matchAll(/model: (\w+\.\w+)/g)].map(([, model = '']) => model.toLowerCase());
    const uses = (what: string) => text.includes(what);
    expect({
      models: [...modelTable({ stages, policies }).keys()].filter((model) => !models.includes(model)),
      tags: tagNames.filter((tag) => !new RegExp(`${tag}\\b`).test(text)),
      states: ['present', 'created', 'must_created', 'absent'].filter((state) => !uses(`state: ${state}\n`)),
      designations: designations.filter((designation) => !uses(`designation: ${designation}`)),
      types: promptTypes.filter((type) => !uses(`type: ${type},`) && !uses(`type: ${type}\n`)),
      languages: ['language: javascript'].filter((language) => !uses(language)),
    }).toEqual({ models: [], tags: [], states: [], designations: [], types: [], languages: [] });
  });
});

rigOnEachDatabase('the corpus', {}, (rig) => {
  it('is applied as one, and warns of nothing but what it is to warn of', async () => {
    const { warnings, flows } = await rig().auth.flows.apply([...files, read('once')], how);
    expect(warnings.map(({ file, message }) => `${file} ${message}`)).toEqual([
      'base.yaml !File no-such-file.txt: there is no such file; the default was taken',
      expect.stringMatching(/^recovery\.yaml the flow default-recovery-link came with Doorward; .* taken out: /),
    ]);
    expect(flows.map(({ slug }) => slug).toSorted()).toEqual([...slugs, 'default-recovery-link'].toSorted());
  });

  it('applied again changes nothing, but for what may be made once only', async () => {
    const { changes, flowChanges, warnings } = await rig().auth.flows.plan(files, how);
    expect({ changes, flowChanges, warnings: warnings.length }).toEqual({ changes: [], flowChanges: [], warnings: 1 });
    await expect(rig().auth.flows.plan([read('once')])).rejects.toThrow('once.yaml:5:5: state must_created');
  });

  it('makes of each tag what it says', async () => {
    const groups = await rig().auth.groups.list();
    const attributes = (name: string) => groups.find((group) => group.name === name)?.attributes;
    const everybody = groups.find(({ name }) => name === 'corpus everybody');
    expect(everybody?.attributes).toEqual({
      ...{ active: true, archived: false, mode: 420, closes: 63000, since: '1999-12-31' },
      ...{ greeting: 'Welcome to Example (north)', terms: 'Read and agreed.', absent: 'instead', missing: ['a', 'b'] },
      ...{ limits: { seats: 12, rooms: ['a', 'b'] }, licensed: false, unknown: 'right' },
    });
    expect(attributes('corpus engines')).toEqual({
      numbered: ['00 analytical', '01 difference'],
      by_team: {
        engines: [
          { team: 'engines', engine: 'analytical' },
          { team: 'engines', engine: 'difference' },
        ],
        looms: [],
      },
      ...{ letters: { all: ['a', 'b', 'c'] }, first: 'analytical', second: 'no fifth' },
      ...{ parent_name: 'corpus everybody', chosen: { b: everybody?.pk } },
    });
    expect(attributes('corpus never made')).toBeUndefined();
  });

  it('walks: sign-up is judged by its policies, asks everything, and signs in', async () => {
    const visitor = rig().visitor();
    await visitor.open('corpus-sign-up');
    const first = { username: 'ada', email: 'ada@example.com', password, password_repeat: password };
    await visitor.answer({ ...first, password: 'shorter 42', password_repeat: 'shorter 42' });
    expect(said(visitor)).toContain('Longer, please.');
    await visitor.answer({ ...first, username: 'admin1' });
    expect(said(visitor)).toContain('This name is not for you.');
    await visitor.answer({ ...first, email: 'ada@elsewhere.org' });
    expect(said(visitor)).toContain('elsewhere.org is not one of ours');
    await visitor.answer(first);
    const fields = visitor.expectAsk('ak-stage-prompt').fields as Record<string, unknown>[];
    expect(fields).toHaveLength(16);
    const shown = (key: string) => fields.find((field) => field.field_key === key);
    expect(shown('name')).toMatchObject({ placeholder: 'Ada' });
    expect(shown('attributes.terms')).toMatchObject({ label: 'Read and agreed.' });
    expect(shown('attributes.topic')).toMatchObject({ choices: ['RELEASES', 'SECURITY'] });
    await visitor.answer({
      ...{ name: 'Ada   Lovelace', 'attributes.about': 'Poet\nof numbers', 'attributes.seats': 3 },
      ...{ 'attributes.terms': true, 'attributes.color': 'blue', 'attributes.topic': 'SECURITY' },
      ...{ 'attributes.tags': ['a', 'c'], 'attributes.born': '1815-12-10', 'attributes.meets': '2025-01-01T12:00' },
      ...{ 'attributes.portrait': 'data:text/plain;base64,aGk=', 'attributes.settings.locale': 'de' },
      'attributes.campaign': 'forged',
    });
    if (visitor.challenge.component === 'ak-stage-user-login') await visitor.answer({ remember_me: false });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('ada');
    const user = await rig().auth.users.get({ username: 'ada' });
    expect(user).toMatchObject({
      ...{ name: 'Ada Lovelace', type: 'internal', path: 'corpus/ada-lovelace', email: 'ada@example.com' },
      attributes: { color: 'blue', topic: 'SECURITY', tags: ['a', 'c'], seats: 3, settings: { locale: 'de' } },
    });
  });

  it('walks: who is invited has the address of the invitation, and may have it elsewhere', async () => {
    const invite = { name: 'elsewhere', flow: 'corpus-sign-up', fixedData: { email: 'grace@elsewhere.org' } };
    const { address } = await rig().auth.invitations.create(invite);
    const visitor = rig().visitor();
    await visitor.open('corpus-sign-up', new URL(address ?? '').search.slice(1));
    await visitor.answer({ username: 'grace', email: 'eve@example.com', password, password_repeat: password });
    await visitor.answer({ name: 'Grace Hopper' });
    expect(await rig().auth.users.get({ username: 'grace' })).toMatchObject({ email: 'grace@elsewhere.org' });
  });

  it('walks: sign-in', async () => {
    const visitor = await signIn(rig());
    expect(await visitor.whoAmI()).toBe('ada');
  });

  it('walks: the profile shows what is known, and both languages judge what is typed', async () => {
    const visitor = await signIn(rig());
    await visitor.open('corpus-profile');
    const fields = visitor.expectAsk('ak-stage-prompt').fields as Record<string, unknown>[];
    expect(fields.map((field) => field.initial_value)).toEqual(['Ada Lovelace', 'de', '']);
    await visitor.answer({ name: 'Ada', 'attributes.motto': 'LOUD' });
    expect(said(visitor)).toContain('Please do not shout.');
    await visitor.answer({ name: 'Ada King', 'attributes.settings.locale': 'en', 'attributes.motto': 'Quietly' });
    visitor.expectEnd();
    expect(await rig().auth.users.get({ username: 'ada' })).toMatchObject({
      ...{ name: 'Ada King', attributes: { motto: 'Quietly', settings: { locale: 'en' }, color: 'blue' } },
    });
    await rig()
      .visitor()
      .open('corpus-profile')
      .then(({ component }) => expect(component).toBe('ak-stage-access-denied'));
  });

  it('walks: recovery by a one-time link sets the new password', async () => {
    const user = await rig().auth.users.get({ username: 'ada' });
    const { address } = await rig().auth.tokens.recoveryLink(user?.id ?? 0);
    const visitor = rig().visitor();
    await visitor.open('default-recovery-link', new URL(address).search.slice(1));
    expect(visitor.expectAsk('ak-stage-prompt')).toMatchObject({ flow_info: { title: 'A new password' } });
    await visitor.answer({ password });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('ada');
  });

  it('walks: authorization asks who belongs to the group, and leads into invalidation', async () => {
    await rig().auth.users.create({ username: 'guest', email: 'guest@example.com', password });
    const guest = await signIn(rig(), 'guest');
    await guest.open('corpus-consent');
    guest.expectDenied();
    const visitor = await signIn(rig());
    await visitor.open('corpus-consent');
    await visitor.answer({ agree: true });
    await visitor.answer({ token: visitor.expectAsk('ak-stage-consent').token });
    visitor.expectEnd('/if/flow/corpus-leave/');
    await visitor.open('corpus-leave');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('walks: unenrollment closes the account and leaves for another page', async () => {
    const visitor = await signIn(rig());
    await visitor.open('corpus-unenroll');
    await visitor.answer({ agree: true });
    await visitor.answer();
    expect(await rig().auth.users.get({ username: 'ada' })).toMatchObject({ isActive: false });
  });

  it('walks: the set-up lets nobody in without its secret', async () => {
    const visitor = rig().visitor();
    await visitor.open('corpus-setup');
    visitor.expectDenied();
  });

  it('exported and applied again changes nothing', async () => {
    const again = await exported(rig().auth);
    const { changes, flowChanges, warnings, unchanged } = await rig().auth.flows.apply(again);
    expect({ changes, flowChanges, warnings }).toEqual({ changes: [], flowChanges: [], warnings: [] });
    expect(unchanged).toBeGreaterThan(60);
  });

  it('exported and applied to another installation makes the same flows there', async () => {
    const there = await createRig();
    try {
      const before = await exported(rig().auth);
      await there.auth.flows.apply([read('base')], how);
      // Who is referred to comes first: the flows themselves say what they expect to find.
      const order = ['default-recovery-link', 'corpus-sign-up', 'corpus-leave'];
      const rank = ({ name }: BlueprintSource) => (order.includes(name) ? 0 : 1);
      await there.auth.flows.apply(before.toSorted((a, b) => rank(a) - rank(b)));
      expect(await exported(there.auth)).toEqual(before);
    } finally {
      await there.close();
    }
  });
});

/** All that the last challenge says is wrong. */
function said({ challenge }: Visitor): readonly string[] {
  return Object.values(challenge.response_errors ?? {}).flatMap((problems) => problems.map(({ string }) => string));
}

async function signIn(rig: Rig, username = 'ada'): Promise<Visitor> {
  const visitor = rig.visitor();
  await visitor.open('corpus-sign-in');
  await visitor.answer({ uid_field: `${username}@example.com` });
  visitor.expectAsk('ak-stage-password');
  await visitor.answer({ password });
  visitor.expectEnd();
  return visitor;
}
