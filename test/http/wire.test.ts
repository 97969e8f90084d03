import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const field = { field_key: 'name', label: 'Name', type: 'text', required: true, placeholder: 'Ada' };
const blueprints = [
  flowYaml({
    slug: 'shown',
    attrs: { title: 'Hello %(user)s of %(app)s', background: '/static/hills.jpg', layout: 'sidebar_left' },
    stages: [{ kind: 'prompt', fields: [field] }, { kind: 'dummy' }],
  }),
  flowYaml({ slug: 'denied', stages: [{ kind: 'deny', attrs: { deny_message: 'Not today.' } }] }),
  flowYaml({ slug: 'failing', stages: [{ kind: 'dummy', attrs: { throw_error: true } }] }),
  flowYaml({
    slug: 'failing-later',
    stages: [
      { kind: 'prompt', fields: [field] },
      { kind: 'dummy', attrs: { throw_error: true } },
    ],
  }),
  flowYaml({
    slug: 'away',
    stages: [{ kind: 'redirect', attrs: { mode: 'static', target_static: 'https://example.com/ü' } }],
  }),
  flowYaml({ slug: 'near', stages: [{ kind: 'redirect', attrs: { mode: 'static', target_static: '/привет' } }] }),
];

let server: TestServer;
const logged: { message: string; fields: Record<string, unknown> }[] = [];
beforeAll(async () => {
  server = await startServer({
    ...{ hasher: openHasher, blueprints, brand: { name: 'Example', background: '/static/brand.jpg' } },
    log: (_level, message, fields = {}) => void logged.push({ message, fields }),
  });
});
afterAll(() => server.close());

async function administrator(): Promise<WebClient> {
  const client = new WebClient(server.origin);
  await client.open('default-enrollment-flow');
  await client.answer(signUp('root'));
  const user = await server.auth.users.get({ username: 'root' });
  const group = await server.auth.groups.create({ name: 'roots', isSuperuser: true });
  await server.auth.users.join(user?.id ?? 0, group.pk);
  return client;
}

describe("the executor's JSON is the reference's (flow-engine.md 4)", () => {
  it('carries flow_info with every challenge', async () => {
    const client = new WebClient(server.origin);
    expect(await client.open('shown')).toEqual({
      component: 'ak-stage-prompt',
      fields: [{ ...field, initial_value: '', order: 0, sub_text: '', choices: null }],
      flow_info: {
        title: 'Hello  of Example',
        background: '/static/hills.jpg',
        cancel_url: '/flows/-/cancel/',
        layout: 'sidebar_left',
      },
    });
    expect((await client.open('denied')).flow_info).toMatchObject({
      background: '/static/brand.jpg',
      layout: 'stacked',
    });
  });

  it('carries response_errors only after a wrong answer', async () => {
    const client = new WebClient(server.origin);
    await client.open('shown');
    await client.answer({ name: '' });
    expect(client.challenge).toMatchObject({
      component: 'ak-stage-prompt',
      response_errors: { name: [{ string: 'This field may not be blank.', code: 'blank' }] },
    });
    expect(await client.open('shown')).not.toHaveProperty('response_errors');
  });

  it('speaks the language that is asked for', async () => {
    const client = new WebClient(server.origin);
    await client.open('shown');
    const answer = await client.post({ name: '' }, { 'accept-language': 'de-AT, en;q=0.5' });
    expect(answer.headers['content-language']).toBe('de');
    expect(JSON.stringify(answer.json().response_errors)).not.toContain('This field');
  });

  it('stays in the language that was chosen on the page, whatever the browser prefers', async () => {
    const client = new WebClient(server.origin);
    await client.open('shown', 'next=%2Fapp');
    await client.answer({ name: 'Ada' });
    const first = await client.request('/if/flow/shown/?next=%2Fapp');
    const [, chosen = ''] = /<a href="([^"]+)" lang="de" hreflang="de">/.exec(first.text) ?? [];
    expect(chosen.replaceAll('&amp;', '&')).toBe('/if/flow/shown/?next=%2Fapp&locale=de');
    const german = await client.request(chosen.replaceAll('&amp;', '&'), { headers: { 'accept-language': 'en' } });
    expect([german.status, german.headers['content-language']]).toEqual([200, 'de']);
    expect(german.text).toContain('<html lang="de">');
    expect(hiddenFields(german.text).component).toBe(hiddenFields(first.text).component);
    const unknown = await client.request('/if/flow/shown/?locale=xx"><script>');
    expect(unknown.headers['content-language']).toBe('en');
    expect(unknown.text).not.toContain('<script>');
  });

  it('keeps whatever else is in the address when the language changes', async () => {
    const client = new WebClient(server.origin);
    const { text } = await client.request('/if/flow/shown/?next=/app?page=2');
    const [, chosen = ''] = /<a href="([^"]+)" lang="de" hreflang="de">/.exec(text) ?? [];
    expect(chosen.replaceAll('&amp;', '&')).toBe('/if/flow/shown/?next=%2Fapp%3Fpage%3D2&locale=de');
  });

  it('speaks the chosen language outside of flows as well, and on the way to the sign-in page', async () => {
    const client = new WebClient(server.origin);
    const languageOf = async (path: string) => /<html lang="(..)">/.exec((await client.request(path)).text)?.[1];
    expect(await languageOf('/if/nothing/?locale=de')).toBe('de');
    expect((await client.request('/?locale=de')).headers.location).toMatch(/\?next=%2Fif%2Fuser%2F&locale=de$/);
    await client.open('default-enrollment-flow');
    await client.answer(signUp('reader'));
    expect([await languageOf('/if/user/'), await languageOf('/if/user/?locale=de')]).toEqual(['en', 'de']);
    expect([await languageOf('/if/approvals/'), await languageOf('/if/approvals/?locale=de')]).toEqual(['en', 'de']);
  });

  it('ends with xak-flow-redirect and nothing besides it', async () => {
    const client = new WebClient(server.origin);
    await client.open('shown');
    await client.answer({ name: 'Ada' });
    expect(await client.answer()).toEqual({ component: 'xak-flow-redirect', to: '/' });
  });

  it('says whom it denies with ak-stage-access-denied', async () => {
    const client = await administrator();
    expect(await client.open('denied')).toMatchObject({
      component: 'ak-stage-access-denied',
      error_message: 'Not today.',
      pending_user: 'root',
      pending_user_avatar: expect.any(String),
      flow_info: { title: 'denied' },
    });
    expect(await new WebClient(server.origin).open('denied')).toMatchObject({ pending_user: '' });
  });

  it('sends people away to where an administrator says, whatever letters that has', async () => {
    expect(await new WebClient(server.origin).open('away')).toEqual({
      component: 'xak-flow-redirect',
      to: 'https://example.com/ü',
    });
    const near = await new WebClient(server.origin).request('/if/flow/near/');
    expect([near.status, near.headers.location]).toEqual([303, '/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82']);
  });
});

describe('a stage that throws (flow-engine.md 3.8)', () => {
  it('is a challenge for programs: 200, with the id that the log has', async () => {
    const client = new WebClient(server.origin);
    const got = await client.request('/api/v3/flows/executor/failing/?query=');
    expect([got.status, got.json()]).toEqual([
      200,
      { component: 'ak-stage-flow-error', request_id: got.headers['x-request-id'] },
    ]);
    const headers = { 'content-type': 'application/json', origin: server.origin };
    const init = { method: 'POST', headers, body: '{}' };
    const posted = await client.request('/api/v3/flows/executor/failing/?query=', init);
    expect([posted.status, posted.json().component]).toEqual([200, 'ak-stage-flow-error']);
    expect(logged.find(({ fields }) => fields.requestId === posted.json().request_id)).toMatchObject({
      message: 'failed',
      fields: { code: 'internal', path: '/api/v3/flows/executor/failing/' },
    });
  });

  it('is a page for people: 500, in their language, with the id and nothing of the error', async () => {
    for (const [language, title] of [
      ['en', 'Something went wrong'],
      ['de', 'Etwas ist schiefgegangen'],
    ] as const) {
      const answer = await new WebClient(server.origin).request('/if/flow/failing/', {
        headers: { 'accept-language': language },
      });
      expect(answer.status).toBe(500);
      expect(answer.text).toContain(`lang="${language}"`);
      expect(answer.text).toContain(title);
      expect(answer.text).toContain(String(answer.headers['x-request-id']));
      expect(answer.text).not.toContain('dummy stage');
    }
  });

  it('says what it was to administrators alone', async () => {
    const root = new WebClient(server.origin);
    await root.open('default-authentication-flow');
    await root.answer({ uid_field: 'root' });
    await root.answer({ password: 'correct horse battery' });
    expect((await root.open('failing')).error).toBe('Error: dummy stage');
  });

  it('leaves the run where it was, so the answer can be sent again', async () => {
    const client = new WebClient(server.origin);
    await client.open('failing-later');
    const { step } = client;
    expect((await client.post({ name: 'Ada' })).json().component).toBe('ak-stage-flow-error');
    await server.auth.flows.apply(
      'version: 1\nentries:\n  - { model: authentik_stages_dummy.dummystage, identifiers: { name: failing-later-1-dummy }, attrs: { throw_error: false } }\n',
    );
    client.step = step;
    expect((await client.open('failing-later')).fields).toHaveLength(1);
    expect((await client.answer({ name: 'Ada' })).component).toBe('ak-stage-dummy');
  });
});

describe('what does not exist', () => {
  it.each([
    'no-such-flow',
    '__proto__',
    'constructor',
    '%00',
    '%ED%A0%80',
    '%zz',
    '..%2f..%2fetc',
    'ü',
    'x'.repeat(3_000),
  ])('a flow %s is a 404, as JSON and as a page', async (slug) => {
    const client = new WebClient(server.origin);
    const json = await client.request(`/api/v3/flows/executor/${encodeURI(slug).replaceAll('%25', '%')}/?query=`);
    expect([json.status, json.json()]).toEqual([404, { detail: 'This page does not exist.', code: 'flow_not_found' }]);
    const shown = await client.request(`/if/flow/${encodeURI(slug).replaceAll('%25', '%')}/`);
    expect([shown.status, shown.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
    expect(shown.text).toContain('This page does not exist.');
  });

  it('an address is a 404, as what was asked for', async () => {
    const client = new WebClient(server.origin);
    expect((await client.request('/nowhere')).headers['content-type']).toMatch('text/html');
    expect((await client.request('/api/v3/nowhere/')).json()).toEqual({ detail: 'Not found.', code: 'not_found' });
    const accept = { headers: { accept: 'application/json' } };
    expect((await client.request('/nowhere', accept)).json().code).toBe('not_found');
  });
});
