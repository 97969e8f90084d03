import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/kernel/clock.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const enrollment = 'default-enrollment-flow';
const page = `/if/flow/${enrollment}/`;
const two = flowYaml({
  slug: 'two-steps',
  stages: [
    { kind: 'prompt', fields: [{ field_key: 'name', required: true }] },
    { kind: 'prompt', fields: [{ field_key: 'attributes.note', required: true }] },
    { kind: 'dummy' },
  ],
});
const day = 24 * 60 * 60 * 1000;

let server: TestServer;
const clock = new ManualClock(1_800_000_000_000);
beforeAll(async () => {
  server = await startServer({ hasher: openHasher, clock, blueprints: [two] });
});
afterAll(() => server.close());

let count = 0;
async function member(): Promise<WebClient> {
  count += 1;
  const client = new WebClient(server.origin);
  await client.open(enrollment);
  await client.answer(signUp(`member-${count}`));
  expect(await client.whoAmI()).toBe(`member-${count}`);
  return client;
}

describe('a browser without a cookie', () => {
  it('may answer the first stage of a flow at once (CONTRACT: Runs)', async () => {
    const client = new WebClient(server.origin);
    await client.open(enrollment);
    client.cookies.clear();
    client.step = null;
    await client.answer(signUp('without-cookie'));
    expect(client.challenge).toEqual({ component: 'xak-flow-redirect', to: '/' });
    expect(await client.whoAmI()).toBe('without-cookie');
  });

  it('answers no stage of the session that it lost, and is shown the beginning', async () => {
    const client = new WebClient(server.origin);
    await client.open('two-steps');
    await client.answer({ name: 'Ada' });
    client.cookies.clear();
    const [first] = (await client.answer({ name: 'Eve', 'attributes.note': 'x' })).fields as { field_key: string }[];
    expect(first?.field_key).toBe('name');
    expect(client.challenge).not.toHaveProperty('response_errors');
  });

  it('cannot post a form that another session was given, without an origin', async () => {
    const client = new WebClient(server.origin);
    const fields = hiddenFields((await client.request(page)).text);
    client.cookies.clear();
    const headers = { origin: 'null' };
    const answer = await client.submit(page, { ...fields, ...signUp('eve') }, headers);
    expect(answer.status).toBe(403);
    expect(await server.auth.users.get({ username: 'eve' })).toBeNull();
  });
});

describe('a request from elsewhere', () => {
  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a hidden origin', { origin: 'null' }],
    ['another port', { origin: 'http://localhost:1' }],
    ['the same site by its own word', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
  ])('changes nothing: %s', async (_, headers) => {
    const client = new WebClient(server.origin);
    await client.open(enrollment);
    const json = await client.post(signUp('foreign'), headers);
    expect([json.status, json.json().code]).toEqual([403, 'foreign_origin']);
    const { step: _step, ...form } = hiddenFields((await client.request(page)).text);
    const answer = await client.submit(page, { ...form, ...signUp('foreign') }, headers);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('This request came from another site');
    expect(await server.auth.users.get({ username: 'foreign' })).toBeNull();
  });

  it('is told by Sec-Fetch-Site where there is no origin', async () => {
    const client = new WebClient(server.origin);
    await client.open(enrollment);
    for (const site of ['cross-site', 'same-site', 'none']) {
      const { origin: _, ...headers } = { origin: '', 'content-type': 'application/json', 'sec-fetch-site': site };
      const init = { method: 'POST', headers, body: JSON.stringify(signUp('foreign')) };
      expect((await client.request(`/api/v3/flows/executor/${enrollment}/?query=`, init)).status).toBe(403);
    }
  });

  it('signs nobody out by a link: it asks for a click first, and a HEAD or a prefetch never does it', async () => {
    const client = await member();
    const path = '/if/flow/default-invalidation-flow/';
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }])
      expect((await client.request(path, { headers })).text).toContain('method="post"');
    await client.request(path, { method: 'HEAD' });
    expect(await client.whoAmI()).not.toBeNull();
    const asked = await client.request(path, { headers: { 'sec-fetch-site': 'cross-site' } });
    await client.submit(path, hiddenFields(asked.text));
    expect(await client.whoAmI()).toBeNull();
  });

  it('gives up no flow by a link', async () => {
    const client = new WebClient(server.origin);
    await client.open('two-steps');
    await client.answer({ name: 'Ada' });
    await client.request('/flows/-/cancel/', { headers: { 'sec-fetch-site': 'cross-site' } });
    expect((await client.open('two-steps')).fields).toMatchObject([{ field_key: 'attributes.note' }]);
    expect((await client.request('/flows/-/cancel/')).headers.location).toBe('/');
    expect((await client.open('two-steps')).fields).toMatchObject([{ field_key: 'name' }]);
  });
});

describe('a session that is no more', () => {
  const isNobody = async (client: WebClient): Promise<void> => {
    expect(await client.whoAmI()).toBeNull();
    const account = await client.request('/if/user/');
    expect([account.status, account.headers.location]).toEqual([
      302,
      '/if/flow/default-authentication-flow/?next=%2Fif%2Fuser%2F',
    ]);
    expect((await client.open('default-authentication-flow')).component).toBe('ak-stage-identification');
  };

  it('has expired: the visitor signs in anew', async () => {
    const client = await member();
    clock.advance(400 * day);
    await isNobody(client);
    await client.answer({ uid_field: `member-${count}` });
    await client.answer({ password: 'correct horse battery' });
    expect(await client.whoAmI()).toBe(`member-${count}`);
  });

  it('was ended elsewhere', async () => {
    const [here] = [await member()];
    const user = await server.auth.users.get({ username: `member-${count}` });
    await server.auth.users.setPassword(user?.id ?? 0, 'another password');
    await isNobody(here);
  });

  it('belongs to somebody who was deactivated or deleted', async () => {
    for (const end of ['deactivate', 'delete'] as const) {
      const client = await member();
      const user = await server.auth.users.get({ username: `member-${count}` });
      await server.auth.users[end](user?.id ?? 0);
      await isNobody(client);
    }
  });

  it('was never ours', async () => {
    const client = await member();
    for (const [name, value] of [...client.cookies]) {
      client.cookies.set(name, value.replace('u.', 'a.'));
      await isNobody(client);
      client.cookies.set(name, `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`);
      await isNobody(client);
    }
  });

  it('takes its open runs along: what somebody began signed in, nobody ends signed out', async () => {
    const client = await member();
    await client.open('two-steps');
    await client.answer({ name: 'Ada' });
    const user = await server.auth.users.get({ username: `member-${count}` });
    await server.auth.users.setPassword(user?.id ?? 0, 'another password');
    await client.answer({ 'attributes.note': 'x' });
    expect(client.challenge.fields).toMatchObject([{ field_key: 'name' }]);
  });
});

describe('the cookie of a session that is gone', () => {
  /** Somebody whose sessions were ended elsewhere, and a copy of their cookie in other hands. */
  const endedWithCopy = async (): Promise<{ here: WebClient; copy: WebClient; username: string }> => {
    const here = await member();
    const copy = new WebClient(server.origin);
    for (const [name, value] of here.cookies) copy.cookies.set(name, value);
    const username = `member-${count}`;
    const user = await server.auth.users.get({ username });
    await server.auth.users.setPassword(user?.id ?? 0, 'another password');
    return { here, copy, username };
  };

  it('is replaced before anything begins: who kept a copy does not share what follows (CONTRACT: Runs)', async () => {
    const { here, copy } = await endedWithCopy();
    await here.open('two-steps');
    await here.answer({ name: 'Ada' });
    expect(here.challenge.fields).toMatchObject([{ field_key: 'attributes.note' }]);
    expect((await copy.open('two-steps')).fields).toMatchObject([{ field_key: 'name' }]);
    expect((await here.open('two-steps')).fields).toMatchObject([{ field_key: 'attributes.note' }]);
  });

  it('is replaced by one that is kept, on pages too, and signing in goes on from there', async () => {
    const { here, copy, username } = await endedWithCopy();
    const path = '/if/flow/default-authentication-flow/';
    const first = await here.request(path);
    expect(first.cookies).toHaveLength(1);
    expect((await here.request(path)).cookies).toEqual([]);
    await here.submit(path, { ...hiddenFields(first.text), uid_field: username });
    await here.fill(path, { password: 'another password' });
    expect([await here.whoAmI(), await copy.whoAmI()]).toEqual([username, null]);
  });

  it('answers no step of the session that is gone, and is shown the beginning', async () => {
    const client = await member();
    await client.open('two-steps');
    const user = await server.auth.users.get({ username: `member-${count}` });
    await server.auth.users.setPassword(user?.id ?? 0, 'another password');
    const answer = await client.post({ name: 'Ada' });
    expect([answer.status, answer.cookies.length]).toEqual([200, 1]);
    expect(answer.json()).toMatchObject({ component: 'ak-stage-prompt', fields: [{ field_key: 'name' }] });
    expect(answer.json()).not.toHaveProperty('response_errors');
  });

  it('stays as it is while the session lives', async () => {
    const client = await member();
    const before = [...client.cookies];
    await client.open('two-steps');
    await client.answer({ name: 'Ada' });
    expect([...client.cookies]).toEqual(before);
  });
});

describe('a flow that changed meanwhile', () => {
  const begun = async (slug: string): Promise<WebClient> => {
    await server.auth.flows.apply([
      flowYaml({
        slug,
        stages: [{ kind: 'prompt', fields: [{ field_key: 'name', required: true }] }, { kind: 'dummy' }],
      }),
    ]);
    const client = new WebClient(server.origin);
    await client.open(slug);
    await client.answer({ name: 'Ada' });
    return client;
  };
  const remove = (slug: string): Promise<unknown> =>
    server.auth.flows.apply(
      `version: 1\nentries:\n  - { model: authentik_flows.flow, identifiers: { slug: ${slug} }, state: absent }\n`,
    );

  it('was deleted: the visitor is told to start again, as a program and as a person', async () => {
    const client = await begun('short-lived');
    await remove('short-lived');
    const answer = await client.post({});
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      component: 'ak-stage-access-denied',
      error_message: 'This page has changed meanwhile. Please start again.',
    });
    const shown = await client.request('/if/flow/short-lived/');
    expect([shown.status, shown.text.includes('Please start again')]).toEqual([200, true]);
    expect((await new WebClient(server.origin).request('/if/flow/short-lived/')).status).toBe(404);
  });

  it('has a new version: who began on the old one ends on it', async () => {
    const client = await begun('renewed');
    await server.auth.flows.apply([flowYaml({ slug: 'renewed', stages: [{ kind: 'deny' }] })]);
    expect((await client.answer()).component).toBe('xak-flow-redirect');
  });
});
