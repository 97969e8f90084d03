import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { WebClient } from '../support/web-client.ts';

let server: TestServer;
beforeAll(async () => {
  const click = flowYaml({ slug: 'click', stages: [{ kind: 'dummy' }] });
  const closed = flowYaml({
    slug: 'closed',
    attrs: { authentication: 'require_authenticated', denied_action: 'continue' },
    stages: [],
  });
  const empty = flowYaml({ slug: 'empty', stages: [] });
  server = await startServer({ hasher: openHasher, blueprints: [click, closed, empty] });
});
afterAll(() => server.close());

const foreign = [
  '//evil.example',
  '//evil.example/%2e%2e',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '/\\/evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  'http:evil.example',
  'http:/evil.example',
  'http://evil.example',
  'HTTP://EVIL.EXAMPLE',
  'http:///evil.example',
  'http:\\\\evil.example',
  'https:evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  'java\tscript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,x',
  'blob:http://localhost/x',
  'file:///etc/passwd',
  'mailto:eve@evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  '\n//evil.example',
  ' //evil.example',
  '/./\\evil.example',
  '/..//evil.example',
  '/%2e%2e//evil.example',
  '/x/..//evil.example',
  'evil.example',
  'evil',
  'if/user/',
  '?x',
  '#x',
  '@evil.example',
  '%2f%2fevil.example',
  '',
];
const ports = (): readonly string[] => {
  const { host } = new URL(server.origin);
  return [
    `http://${host}@evil.example/`,
    `http://eve@${host}/`,
    `http://eve:pw@${host}/`,
    `http://${host}.evil.example/`,
    `http://${host}0/`,
    'http://localhost/',
    'http://localhost:1/',
    `https://${host}/`,
    `ftp://${host}/`,
  ];
};

/** Whatever was asked for, a browser that follows it stays here. */
function staysHere(to: unknown): void {
  expect(new URL(String(to), `${server.origin}/if/flow/click/`).origin).toBe(server.origin);
  expect(String(to)).toMatch(/^\/(?![/\\])/);
}

describe('next to another site is refused in every spelling (flow-engine.md F-3)', () => {
  const all = (): readonly string[] => [...foreign.filter((next) => next !== ''), ...ports()];

  it('when a flow begins', async () => {
    for (const next of all()) {
      const client = new WebClient(server.origin);
      const { component, error_message: said } = await client.open('click', new URLSearchParams({ next }).toString());
      expect([next, component, said]).toEqual([next, 'ak-stage-access-denied', 'Invalid next URL']);
      const shown = await client.request(`/if/flow/click/?${new URLSearchParams({ next })}`);
      expect([next, shown.status, shown.headers.location, shown.text.includes('Invalid next URL')]).toEqual([
        next,
        200,
        undefined,
        true,
      ]);
    }
  });

  it('when it is sent along with the answer that ends one', async () => {
    for (const next of all()) {
      const client = new WebClient(server.origin);
      await client.open('click', 'next=%2Fif%2Fuser%2F');
      const query = encodeURIComponent(new URLSearchParams({ next }).toString());
      const ended = await client.request(`/api/v3/flows/executor/click/?query=${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: server.origin },
        body: '{}',
      });
      expect(ended.status).toBe(200);
      if (ended.json().component === 'xak-flow-redirect') staysHere(ended.json().to);
      else expect(ended.json()).toMatchObject({ error_message: 'Invalid next URL' });
    }
  });

  it('when a flow does not apply, or ends at once', async () => {
    for (const slug of ['closed', 'empty'])
      for (const next of [...all(), '']) {
        const answer = await new WebClient(server.origin).request(`/if/flow/${slug}/?${new URLSearchParams({ next })}`);
        if (answer.headers.location !== undefined) staysHere(answer.headers.location);
      }
  });
});

describe('next on this site is kept', () => {
  it.each([
    ['/if/user/', '/if/user/'],
    ['/if/user/?a=1&b=%2F%2Fevil.example#x', '/if/user/?a=1&b=%2F%2Fevil.example#x'],
    ['/über', '/%C3%BCber'],
    ['authentik_core:if-user', '/if/user/'],
    ['/a/../if/user/', '/if/user/'],
  ])('%s', async (next, to) => {
    const query = new URLSearchParams({ next }).toString();
    const client = new WebClient(server.origin);
    await client.open('click', query);
    expect(await client.answer()).toEqual({ component: 'xak-flow-redirect', to });
    const person = await new WebClient(server.origin).fill(`/if/flow/click/?${query}`, {});
    expect([person.status, person.headers.location]).toEqual([303, to]);
  });

  it.each(['http:', ''])('with our whole address (%s)', async (scheme) => {
    const client = new WebClient(server.origin);
    await client.open(
      'click',
      new URLSearchParams({ next: `${scheme}//${new URL(server.origin).host}/if/user/` }).toString(),
    );
    expect(await client.answer()).toEqual({ component: 'xak-flow-redirect', to: '/if/user/' });
  });
});
