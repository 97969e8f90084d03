import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { WebClient } from '../support/web-client.ts';

const model = 'authentik_policies_expression.expressionpolicy';

/** Whoever comes from the office is not asked for a password: with a header that means anything, everybody would. */
const office = {
  model,
  identifiers: { name: 'not from the office' },
  attrs: { expression: 'return ak_client_ip not in ip_network("10.0.0.0/8")' },
};
const guarded = flowYaml({
  slug: 'guarded',
  attrs: { designation: 'authentication' },
  stages: [
    { kind: 'identification', attrs: { user_fields: ['username'] } },
    { kind: 'password', policies: [{ policy: `!Find [${model}, [name, not from the office]]` }] },
    { kind: 'user_login' },
  ],
});

/* CVE-2024-47070: a header that is no address made the policy fail, and the password stage was skipped. */
describe.each([
  ['behind a trusted proxy', ['127.0.0.0/8', '::1/128'], true],
  ['without a proxy', [], false],
])('a policy on the visitor’s address %s', (_, trustedProxies, counts) => {
  let server: TestServer;
  beforeAll(async () => {
    const blueprints = [{ name: 'office.yaml', text: JSON.stringify({ version: 1, entries: [office] }) }, guarded];
    server = await startServer({ trustedProxies, blueprints });
    await server.auth.users.create({ username: 'ada', password: 'correct horse battery' });
  });
  afterAll(() => server.close());

  async function askedFor(forwarded: string): Promise<string> {
    const client = new WebClient(server.origin);
    const headers = { 'x-forwarded-for': forwarded };
    const path = '/api/v3/flows/executor/guarded/?query=';
    const shown = await client.request(path, { headers });
    expect(shown.status).toBe(200);
    const answer = await client.request(path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', origin: client.origin },
      body: JSON.stringify({ component: 'ak-stage-identification', uid_field: 'ada' }),
    });
    const whoAmI = await client.whoAmI();
    return whoAmI === null ? String(answer.json().component) : `signed in as ${whoAmI}`;
  }

  it.each(['not an address', '10.0.0.1, ,', '"', '10.0.0.1:80x', '999.1.1.1', 'a'.repeat(5_000)])(
    '%s never skips the password',
    async (forwarded) => {
      expect(['ak-stage-password', 'ak-stage-access-denied']).toContain(await askedFor(forwarded));
    },
  );

  it('an address counts where the proxy is trusted, and only there', async () => {
    expect(await askedFor('10.0.0.1')).toBe(counts ? 'signed in as ada' : 'ak-stage-password');
    expect(await askedFor('192.0.2.7')).toBe('ak-stage-password');
  });
});
