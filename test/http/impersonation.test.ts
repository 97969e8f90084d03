import { beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/store/sql.ts';
import { createRig, type Visitor } from '../../src/testing/rig.ts';
import { type EngineRig, field, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const origin = 'http://localhost:9000';
const administrators = { groups: ['Doorward Admins'] };

onBothDatabases('an administrator who acts as a user', (rig) => {
  const names = { user: { username: 'root' }, onBehalfOf: { username: 'ada' } };
  const active = field('is_active', { type: 'checkbox' });
  let ada = 0;
  beforeAll(async () => {
    await rig.user('root', administrators);
    ada = (await rig.user('ada')).id;
    await rig.flow('rename', [promptFor('name', active, 'password'), write({ writable_fields: ['is_active'] })]);
  });

  it('is the user, says who they are, and goes back to a session of their own (stages.md 8.1)', async () => {
    const root = await rig.signedIn('root');
    const [before] = root.cookies.values();
    expect(await start(root, ada)).toBe(204);
    const [during] = root.cookies.values();
    expect(await me(root)).toMatchObject({
      user: { username: 'ada', is_superuser: false },
      original: { username: 'root', is_superuser: true },
    });
    expect((await root.request('/api/v3/core/users/impersonate_end/')).status).toBe(204);
    expect(await me(root)).toMatchObject({ user: { username: 'root' } });
    expect(await me(root)).not.toHaveProperty('original');
    // Neither cookie of before is worth anything now.
    for (const cookie of [before, during]) expect(await withCookie(rig, root, cookie ?? '').whoAmI()).toBeNull();
    expect(await rig.events('impersonation_started')).toMatchObject([{ ...names, context: { reason: 'ticket 7' } }]);
    expect(await rig.events('impersonation_ended')).toMatchObject([names]);
    expect((await root.request('/api/v3/core/users/impersonate_end/')).status).toBe(204);
  });

  describe('is refused', () => {
    it.each<[string, (rig: EngineRig) => Promise<number>, number]>([
      ['as themselves', async () => (await rig.find('root'))?.id ?? 0, 401],
      ['as another administrator', async () => (await rig.user('second-root', administrators)).id, 403],
      ['as who is deactivated', async () => (await rig.user('locked', { isActive: false })).id, 403],
      ['as nobody', async () => 999_999, 404],
    ])('%s', async (_name, pkOf, status) => {
      const root = await rig.signedIn('root');
      expect(await start(root, await pkOf(rig))).toBe(status);
      expect(await root.whoAmI()).toBe('root');
    });

    it.each([{}, { reason: '' }, { reason: '  ' }, { reason: 7 }, { reason: 'x'.repeat(1_001) }])(
      'without a reason: %j',
      async (body) => {
        const root = await rig.signedIn('root');
        const answer = await post(root, `/api/v3/core/users/${ada}/impersonate/`, body);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ reason: ['Say why you act as this user.'] });
      },
    );

    it('to who is no administrator, to nobody, to a program, and while acting already', async () => {
      const bob = (await rig.user('bob')).id;
      expect(await start(await rig.signedIn('bob'), ada)).toBe(403);
      expect(await start(rig.visitor(), ada)).toBe(403);
      const { secret } = await rig.auth.tokens.create((await rig.find('root'))?.id ?? 0);
      const authorization = { authorization: `Bearer ${secret}` };
      const path = `/api/v3/core/users/${ada}/impersonate/`;
      expect((await post(rig.visitor(), path, { reason: 'a script' }, authorization)).status).toBe(403);
      const root = await rig.signedIn('root');
      await start(root, ada);
      expect(await start(root, bob)).toBe(403);
      expect(await root.whoAmI()).toBe('ada');
    });

    it('to a page of another site, which cannot end it either', async () => {
      const root = await rig.signedIn('root');
      const path = `/api/v3/core/users/${ada}/impersonate/`;
      expect((await post(root, path, { reason: 'x' }, { origin: 'https://evil.example' })).status).toBe(403);
      await start(root, ada);
      const end = '/api/v3/core/users/impersonate_end/';
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }])
        expect((await root.request(end, { headers: headers as HeadersInit })).status).toBe(403);
      expect((await post(root, end, {}, { origin: 'https://evil.example' })).status).toBe(403);
      expect(await root.whoAmI()).toBe('ada');
      expect((await post(root, end, {})).status).toBe(204);
      expect(await root.whoAmI()).toBe('root');
    });
  });

  describe('while it lasts', () => {
    it('W4, W37: a write is the user’s, touches no session of the administrator, and its event names both', async () => {
      const own = await rig.signedIn('ada');
      const root = await rig.signedIn('root');
      await start(root, ada);
      await root.open('rename');
      await root.answer({ name: 'Countess', password: 'a new password for ada' });
      root.expectEnd();
      expect(await rig.find('ada')).toMatchObject({ name: 'Countess' });
      expect(await own.whoAmI()).toBeNull();
      expect(await root.whoAmI()).toBe('ada');
      const [event] = await rig.events('user_write');
      expect(event).toMatchObject({ ...names, context: { user: { pk: ada } } });
      await post(root, '/api/v3/core/users/impersonate_end/', {});
      expect(await root.whoAmI()).toBe('root');
      await rig.auth.users.setPassword(ada, 'ada password');
    });

    it('W20: is_active is never written, and a user who is deactivated meanwhile is nobody', async () => {
      const user = await rig.user('kept-out');
      const root = await rig.signedIn('root');
      await start(root, user.id);
      await root.open('rename');
      await rig.driver.write(sql`UPDATE doorward_user SET is_active = 0 WHERE id = ${user.id} RETURNING id`);
      await root.answer({ name: 'Back again', is_active: true });
      expect(await rig.find('kept-out')).toMatchObject({ isActive: false, name: '' });
      expect(await root.whoAmI()).toBeNull();
      await post(root, '/api/v3/core/users/impersonate_end/', {});
      expect(await root.whoAmI()).toBe('root');
    });

    it('W20: is_active is discarded for an active user as well', async () => {
      const root = await rig.signedIn('root');
      await start(root, ada);
      await root.open('rename');
      await root.answer({ name: 'Ada', is_active: false });
      root.expectEnd();
      expect(await rig.find('ada')).toMatchObject({ isActive: true });
    });

    it('runs of before do not go on, neither on the way in nor on the way back (CONTRACT: Runs)', async () => {
      const root = await rig.signedIn('root');
      await root.open('rename');
      const tab = root.clone();
      await start(root, ada);
      for (const [name, value] of root.cookies) tab.cookies.set(name, value);
      await tab.answer({ name: 'Written by a tab of before' });
      expect(tab.challenge.component).toBe('ak-stage-prompt');
      expect((await rig.find('root'))?.name).toBe('');
      expect((await rig.find('ada'))?.name).not.toBe('Written by a tab of before');
    });

    it.each<[string, (rig: EngineRig, pk: number) => Promise<unknown>]>([
      ['is deactivated', (the, pk) => the.auth.users.deactivate(pk)],
      ['is deleted', (the, pk) => the.auth.users.delete(pk)],
      ['is signed out elsewhere', (the, pk) => the.auth.users.setPassword(pk, 'another password')],
      ['is no administrator any more', leaveAll],
    ])('it ends when the administrator %s (CVE-2025-53942)', async (name, happen) => {
      const username = `root ${name}`;
      const { id } = await rig.user(username, administrators);
      const visitor = await rig.signedIn(username);
      expect(await start(visitor, ada)).toBe(204);
      expect(await visitor.whoAmI()).toBe('ada');
      await happen(rig, id);
      expect(await visitor.whoAmI()).toBeNull();
      await visitor.open('rename');
      await visitor.answer({ name: 'Too late' });
      expect((await rig.find('ada'))?.name).not.toBe('Too late');
    });

    it('signing out signs both out, and names both', async () => {
      const { id } = await rig.user('leaving', administrators);
      const visitor = await rig.signedIn('leaving');
      await start(visitor, ada);
      await visitor.open('default-invalidation-flow');
      expect(await visitor.whoAmI()).toBeNull();
      expect(await rig.store.read.sessionsOf(id)).toEqual([]);
      expect((await rig.store.read.sessionsOf(ada)).filter(({ impersonatorId }) => impersonatorId === id)).toEqual([]);
      expect((await rig.events('logout', 'leaving'))[0]).toMatchObject({ onBehalfOf: { username: 'ada' } });
      expect(await rig.events('impersonation_ended', 'leaving')).toHaveLength(1);
    });

    it('signing in as somebody else leaves neither behind', async () => {
      const { id } = await rig.user('switching', administrators);
      await rig.user('dora');
      const visitor = await rig.signedIn('switching');
      await start(visitor, ada);
      await visitor.open('default-authentication-flow');
      await visitor.answer({ uid_field: 'dora' });
      await visitor.answer({ password: 'dora password' });
      expect(await visitor.whoAmI()).toBe('dora');
      expect(await rig.store.read.sessionsOf(id)).toEqual([]);
      await post(visitor, '/api/v3/core/users/impersonate_end/', {});
      expect(await visitor.whoAmI()).toBe('dora');
    });
  });

  it('every page says so, in the visitor’s language, with a form that stops it', async () => {
    const root = await rig.signedIn('root', { language: 'de' });
    await start(root, ada);
    for (const path of ['/if/flow/rename/', '/if/user/', '/nowhere']) {
      const page = await (await root.request(path, { headers: { accept: 'text/html' } })).text();
      expect(page, path).toContain('Sie handeln als ada.');
      const [, step = ''] =
        /action="\/if\/user\/impersonation\/end"><input type="hidden" name="step" value="([^"]+)"/.exec(page) ?? [];
      expect(step, path).not.toBe('');
    }
    const page = await (await root.request('/if/user/')).text();
    const [, step = ''] = /impersonation\/end"><input type="hidden" name="step" value="([^"]+)"/.exec(page) ?? [];
    // As an old browser sends it: without Origin and Sec-Fetch-Site the form's own token counts.
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const stop = (body: string) => root.request('/if/user/impersonation/end', { method: 'POST', headers: form, body });
    expect((await stop('')).status).toBe(403);
    const answer = await stop(new URLSearchParams({ step }).toString());
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(await root.whoAmI()).toBe('root');
    expect(await (await root.request('/if/user/')).text()).not.toContain('impersonation/end');
  });

  it('two clicks on "Stop" at the same time both end well', async () => {
    const root = await rig.signedIn('root');
    await start(root, ada);
    const stop = () => post(root, '/api/v3/core/users/impersonate_end/', {});
    const answers = await Promise.all([stop(), stop()]);
    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    expect(await root.whoAmI()).toBe('root');
  });
});

it('administrators act as administrators where an option allows it', async () => {
  const rig = await createRig({ impersonateAdministrators: true });
  try {
    const [root, other] = await Promise.all(
      ['root', 'other'].map((username) =>
        rig.auth.users.create({ username, password: `${username} password`, ...administrators }),
      ),
    );
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'root' });
    await visitor.answer({ password: 'root password' });
    expect(await start(visitor, other?.id ?? 0)).toBe(204);
    expect(await visitor.whoAmI()).toBe('other');
    expect(await start(visitor, root?.id ?? 0)).toBe(403);
  } finally {
    await rig.close();
  }
});

function leaveAll({ driver }: EngineRig, pk: number): Promise<unknown> {
  return driver.write(sql`DELETE FROM doorward_membership WHERE user_id = ${pk} RETURNING user_id`);
}

function post(visitor: Visitor, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return visitor.request(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { origin, 'content-type': 'application/json', ...headers },
  });
}

async function start(visitor: Visitor, pk: number): Promise<number> {
  return (await post(visitor, `/api/v3/core/users/${pk}/impersonate/`, { reason: 'ticket 7' })).status;
}

async function me(visitor: Visitor): Promise<object> {
  return (await (await visitor.request('/api/v3/core/users/me/')).json()) as object;
}

function withCookie(rig: EngineRig, from: Visitor, value: string): Visitor {
  const visitor = rig.visitor();
  for (const name of from.cookies.keys()) visitor.cookies.set(name, value);
  return visitor;
}
