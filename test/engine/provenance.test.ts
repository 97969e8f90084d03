import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/kernel/clock.ts';
import { testUser } from '../../src/testing/desk.ts';
import { rigOnEachDatabase, signIn } from '../support/each-database.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { runUserWrite } from '../support/user-write-rig.ts';

const clock = new ManualClock(Date.UTC(2025, 0, 1, 12));

const join = flowYaml({
  slug: 'join',
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'username', type: 'username' },
        { field_key: 'password', type: 'password' },
        { field_key: 'attributes_settings.locale', required: false },
      ],
    },
    { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
    { kind: 'user_login' },
  ],
});
const profile = flowYaml({
  slug: 'profile',
  attrs: { title: 'Your profile', designation: 'stage_configuration', authentication: 'require_authenticated' },
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'name', required: false, prefill: true },
        { field_key: 'email', required: false, prefill: true },
      ],
    },
    { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
  ],
});

rigOnEachDatabase('where values came from', { blueprints: [join, profile], clock }, (rig) => {
  test('a form, by flow and stage; values are nowhere in it', async () => {
    const at = clock.now();
    const visitor = rig().visitor();
    await visitor.open('join');
    await visitor.answer({ username: 'ada', password: 'correct horse', 'attributes_settings.locale': 'de' });
    visitor.expectEnd();
    const user = await rig().auth.users.get({ username: 'ada' });
    const known = await rig().auth.users.provenance(user?.id ?? 0);
    const form = { origin: { kind: 'prompt', flow: 'join', stage: 'join-0-prompt' }, at, by: 'self' };
    expect(known).toEqual({ username: form, password: form, 'attributes.settings.locale': form });

    clock.advance(60_000);
    await visitor.open('profile');
    await visitor.answer({ name: 'Ada', email: '' });
    const later = await rig().auth.users.provenance(user?.id ?? 0);
    expect(later.name).toEqual({
      origin: { kind: 'prompt', flow: 'profile', stage: 'profile-0-prompt' },
      at: at + 60_000,
      by: 'self',
    });
    expect(later.username).toEqual(form);
    expect(later, 'what did not change says nothing new').not.toHaveProperty('email');
    clock.advance(60_000);
    await visitor.open('profile');
    await visitor.answer({ name: 'Ada', email: '' });
    expect(await rig().auth.users.provenance(user?.id ?? 0)).toEqual(later);
  });

  test('in the API and, in words, on the account page', async () => {
    const { id: pk } = await rig().auth.users.create(
      { username: 'grace', name: 'Grace', password: 'correct horse' },
      { via: 'cli' },
    );
    const visitor = await signIn(rig(), 'grace', 'correct horse');
    await visitor.open('profile');
    await visitor.answer({ name: 'Grace H.', email: '' });
    const me = (await (await visitor.request('/api/v3/core/users/me/')).json()) as {
      user: { provenance: Record<string, unknown> };
    };
    expect(me.user.provenance).toMatchObject({
      name: { origin: { kind: 'prompt', flow: 'profile' }, at: expect.stringMatching(/^2025-01-01T/), by: 'self' },
      username: { origin: { kind: 'program', via: 'cli' }, by: null },
    });
    const german = { headers: { 'accept-language': 'de' } };
    const page = await (await visitor.request('/if/user/', german)).text();
    expect(page).toContain('Von Ihnen angegeben unter „Your profile“ · <time datetime="2025-01-01T');
    expect(page).toContain('Von der Verwaltung gesetzt');
    await rig().auth.users.update(pk, { name: 'G. Hopper' });
    expect(await (await visitor.request('/if/user/')).text()).toContain('Set by an application');
  });

  test('programs: attributes value by value, passwords, and nothing of what is gone', async () => {
    const { id: pk } = await rig().auth.users.create({ username: 'prog', attributes: { a: { b: 1, c: 1 } } });
    const { users } = rig().auth;
    expect(Object.keys(await users.provenance(pk)).sort()).toEqual([
      ...['attributes.a.b', 'attributes.a.c', 'path', 'type', 'username'],
    ]);
    clock.advance(1_000);
    await users.update(pk, { attributes: { a: { b: 2 } } }, { via: 'api', by: 7 });
    await users.setPassword(pk, 'correct horse');
    const known = await users.provenance(pk);
    expect(known['attributes.a.b']).toEqual({ origin: { kind: 'program', via: 'api' }, at: clock.now(), by: 7 });
    expect(known.password).toMatchObject({ origin: { kind: 'program', via: 'library' } });
    expect(known).not.toHaveProperty(['attributes.a.c']);
    await expect(users.provenance(999_999_999)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a run without a browser, and the initial setup', async () => {
    const ran = await rig().auth.flows.execute('join', {
      context: { prompt_data: { username: 'imported', password: 'correct horse' } },
    });
    expect(ran.status).toBe('done');
    const imported = await rig().auth.users.get({ username: 'imported' });
    expect((await rig().auth.users.provenance(imported?.id ?? 0)).username).toMatchObject({
      origin: { kind: 'unattended', flow: 'join' },
      by: null,
    });
    const address = new URL((await rig().auth.setupAddress()) ?? '');
    const visitor = rig().visitor();
    await visitor.open('initial-setup', address.search.slice(1));
    const password = 'correct horse';
    await visitor.answer({ username: 'root', name: 'R', email: 'r@example.org', password, password_repeat: password });
    visitor.expectEnd();
    const root = await rig().auth.users.get({ username: 'root' });
    expect((await rig().auth.users.provenance(root?.id ?? 0)).username).toMatchObject({ origin: { kind: 'setup' } });
  });
});

describe('who wrote it', () => {
  const ada = testUser({ id: 1, username: 'ada' });
  const admin = testUser({ id: 2, username: 'admin' });
  const prompt = { origin: { kind: 'prompt', flow: 'f', stage: 's' }, keys: ['name'] } as const;
  const context = { prompt_data: { name: 'New' }, 'doorward/origins': [prompt] };

  test('W37: the administrator who acts as the user', async () => {
    const { outcome } = await runUserWrite({
      users: [ada, admin],
      visitor: { user: ada, impersonator: admin },
      context,
    });
    expect(outcome.effects?.[0]).toMatchObject({ provenance: { fields: { name: [0, expect.any(Number), admin.id] } } });
  });

  test('a source gives what no form asked, its own mark included', async () => {
    const connection = { source: 'github', identifier: '1', isNew: false };
    const { outcome } = await runUserWrite({
      users: [ada],
      context: {
        pending_user: { ref: 1 },
        prompt_data: { name: 'New', email: 'a@example.org', attributes: { a: 1 } },
        'doorward/origins': [prompt],
        'goauthentik.io/sources/connection': connection,
      },
    });
    expect(outcome.effects?.[0]).toMatchObject({
      provenance: {
        origins: [prompt.origin, { kind: 'source', source: 'github' }],
        fields: {
          name: [0, expect.any(Number), 'self'],
          email: [1, expect.any(Number), 'self'],
          'attributes.a': [1, expect.any(Number), 'self'],
          'attributes.goauthentik\\.io/user/sources': [1, expect.any(Number), 'self'],
        },
      },
    });
  });
});
