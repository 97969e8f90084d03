import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const list = '/api/v3/core/authenticated_sessions/';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ hasher: openHasher });
});
afterAll(() => server.close());

interface Listed {
  readonly uuid: string;
  readonly current: boolean;
}

async function sessionsOf(client: WebClient): Promise<readonly Listed[]> {
  return (await client.request(list)).json().results as readonly Listed[];
}

async function signIn(username: string): Promise<WebClient> {
  const client = new WebClient(server.origin);
  await client.open('default-authentication-flow');
  await client.answer({ uid_field: username });
  await client.answer({ password: 'correct horse battery' });
  return client;
}

let count = 0;
let here: WebClient;
let there: WebClient;
let stranger: WebClient;
let username = '';
beforeEach(async () => {
  count += 1;
  username = `ada-${count}`;
  here = new WebClient(server.origin);
  await here.open('default-enrollment-flow');
  await here.answer(signUp(username));
  there = await signIn(username);
  stranger = new WebClient(server.origin);
  await stranger.open('default-enrollment-flow');
  await stranger.answer(signUp(`eve-${count}`));
});

describe('who am I (stages.md 8)', () => {
  it('shows the signed-in user, without anything secret', async () => {
    const { user } = (await here.request('/api/v3/core/users/me/')).json() as { user: Record<string, unknown> };
    expect(user).toMatchObject({
      ...{ username, name: 'Ada', email: `${username}@example.com`, is_active: true, is_superuser: false, groups: [] },
      pk: expect.any(Number),
    });
    expect(JSON.stringify(user)).not.toMatch(/correct horse|plain:/);
  });

  it('is forbidden to nobody in particular', async () => {
    for (const path of ['/api/v3/core/users/me/', list]) {
      const answer = await new WebClient(server.origin).request(path);
      expect([answer.status, answer.json().code]).toEqual([403, 'forbidden']);
    }
  });
});

describe("one's own sessions over the API", () => {
  it('are listed: this one is marked, other people have theirs', async () => {
    const listed = await sessionsOf(here);
    expect(listed).toHaveLength(2);
    expect(listed.filter(({ current }) => current)).toHaveLength(1);
    expect(await sessionsOf(stranger)).toHaveLength(1);
  });

  it('end one by one, with an event', async () => {
    const other = (await sessionsOf(here)).find(({ current }) => !current);
    const answer = await here.request(`${list}${other?.uuid}/`, {
      method: 'DELETE',
      headers: { origin: server.origin },
    });
    expect(answer.status).toBe(204);
    expect(await there.whoAmI()).toBeNull();
    expect(await here.whoAmI()).toBe(username);
  });

  it("are nobody else's: theirs is not found, just as none", async () => {
    const [mine] = await sessionsOf(here);
    for (const uuid of [mine?.uuid, 'no-such-session', '%00', "'", '00000000-0000-4000-8000-000000000000']) {
      const answer = await stranger.request(`${list}${uuid}/`, {
        method: 'DELETE',
        headers: { origin: server.origin },
      });
      expect([answer.status, answer.json().code]).toEqual([404, 'not_found']);
    }
    expect(await here.whoAmI()).toBe(username);
  });

  it('do not end for another site, nor for somebody signed out', async () => {
    const [mine] = await sessionsOf(here);
    const remove = (client: WebClient, origin: string) =>
      client.request(`${list}${mine?.uuid}/`, { method: 'DELETE', headers: { origin } });
    expect((await remove(here, 'https://evil.example')).status).toBe(403);
    expect((await remove(new WebClient(server.origin), server.origin)).status).toBe(403);
    expect(await here.whoAmI()).toBe(username);
  });
});

describe('the account page, without JavaScript', () => {
  const formTo = async (
    client: WebClient,
    action: RegExp,
  ): Promise<{ path: string; fields: Record<string, string> }> => {
    const { text } = await client.request('/if/user/');
    const form = [...text.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)].find(([, path = '']) =>
      action.test(path),
    );
    if (form === undefined) throw new Error(`no form to ${action}`);
    return { path: form[1] ?? '', fields: hiddenFields(form[2] ?? '') };
  };

  it('ends one session by its button', async () => {
    const other = (await sessionsOf(here)).find(({ current }) => !current);
    const { path, fields } = await formTo(here, new RegExp(`sessions/${other?.uuid}/end$`));
    const answer = await here.submit(path, fields);
    expect([answer.status, answer.headers.location]).toEqual([303, '/if/user/?notice=sessions-ended']);
    expect(await there.whoAmI()).toBeNull();
    expect((await here.request('/if/user/?notice=sessions-ended')).text).toContain('role="status"');
  });

  it('ends all others by one button, and works without an origin by the token of its form', async () => {
    const { path, fields } = await formTo(here, /end-others$/);
    const bare = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    expect((await here.request(path, { method: 'POST', headers: bare, body: '' })).status).toBe(403);
    expect((await stranger.request(path, { method: 'POST', headers: bare, body })).status).toBe(403);
    expect(await there.whoAmI()).toBe(username);
    expect((await here.request(path, { method: 'POST', headers: bare, body })).status).toBe(303);
    expect(await there.whoAmI()).toBeNull();
    expect(await here.whoAmI()).toBe(username);
  });

  it('does nothing for another site', async () => {
    const { path, fields } = await formTo(here, /end-others$/);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }])
      expect((await here.submit(path, fields, headers)).status).toBe(403);
    expect(await there.whoAmI()).toBe(username);
  });

  it("ends nobody else's session", async () => {
    const [theirs] = await sessionsOf(stranger);
    const { fields } = await formTo(here, /end-others$/);
    expect((await here.submit(`/if/user/sessions/${theirs?.uuid}/end`, fields)).status).toBe(404);
    expect(await stranger.whoAmI()).not.toBeNull();
  });

  it('tells somebody whose session has ended to sign in', async () => {
    const { path, fields } = await formTo(here, /end-others$/);
    await here.submit(path, fields);
    const late = await there.submit(path, fields);
    expect([late.status, late.text.includes('Sign in first.')]).toEqual([401, true]);
  });

  it('signs out who ends the session at hand', async () => {
    const mine = (await sessionsOf(here)).find(({ current }) => current);
    const { fields } = await formTo(here, /end-others$/);
    const answer = await here.submit(`/if/user/sessions/${mine?.uuid}/end`, fields);
    expect(answer.headers.location).toBe('/');
    expect(here.cookies.get('doorward_session')).toMatch(/^a\./);
    expect(await here.whoAmI()).toBeNull();
    expect(await there.whoAmI()).toBe(username);
  });
});

describe('the ways in and out', () => {
  it.each([
    ['/', '/if/user/'],
    ['/flows/-/default/invalidation/?next=%2F', '/if/flow/default-invalidation-flow/?next=%2F'],
    ['/flows/-/default/authentication/?next=%2Fx', '/if/flow/default-authentication-flow/?next=%2Fx'],
  ])('%s leads to %s', async (path, to) => {
    const answer = await here.request(path);
    expect([answer.status, answer.headers.location]).toEqual([302, to]);
  });

  it('lead there whatever flow is under way, which goes on (test_views_helper: default flow with a foreign plan)', async () => {
    const visitor = new WebClient(server.origin);
    await visitor.open('default-enrollment-flow');
    await visitor.answer({ username: '' });
    for (const way of ['authentication', 'invalidation']) {
      const { status, headers } = await visitor.request(`/flows/-/default/${way}/`);
      expect([status, headers.location]).toEqual([302, `/if/flow/default-${way}-flow/`]);
    }
    await visitor.open('default-enrollment-flow');
    await visitor.answer(signUp(`foreign-plan-${count}`));
    expect(visitor.challenge).toEqual({ component: 'xak-flow-redirect', to: '/' });
  });

  it('a page and a program come to the same end', async () => {
    const person = new WebClient(server.origin);
    const answer = await person.fill('/if/flow/default-enrollment-flow/?next=%2Fif%2Fuser%2F', signUp(`page-${count}`));
    expect([answer.status, answer.headers.location]).toEqual([303, '/if/user/']);
    expect(await person.whoAmI()).toBe(`page-${count}`);
  });
});

describe('one’s own data', () => {
  it('is one file with all that is kept, and nothing secret, of nobody else', async () => {
    const answer = await here.request('/if/user/data.json');
    expect([answer.status, answer.headers['content-disposition']]).toEqual([
      200,
      expect.stringMatching(/^attachment; filename="doorward-[0-9a-f-]{36}\.json"$/),
    ]);
    expect(answer.json()).toMatchObject({
      profile: { username, name: 'Ada', email: `${username}@example.com`, attributes: {} },
      provenance: { username: { origin: { kind: 'prompt', flow: 'default-enrollment-flow' } } },
      sessions: [{ user_agent: expect.any(String) }, { user_agent: expect.any(String) }],
    });
    const actions = (answer.json().events as { action: string }[]).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['user_write', 'login']));
    expect(answer.text).not.toMatch(/correct horse|plain:|tokenHash|eve-/);
  });

  it('is given to who is signed in alone', async () => {
    const { status, headers } = await new WebClient(server.origin).request('/if/user/data.json');
    expect([status, headers.location]).toEqual([302, expect.stringContaining('/if/flow/default-authentication-flow/')]);
  });

  it('can be left behind: the account page leads to the flow that deletes it', async () => {
    expect((await here.request('/if/user/')).text).toContain('href="/if/flow/default-unenrollment-flow/"');
  });
});
