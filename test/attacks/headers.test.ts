import { describe, expect, it } from 'vitest';
import { type AttackedSite, attackOnSqlite, signIn } from '../support/attacked-site.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { signUp, type WebAnswer } from '../support/web-client.ts';

const poison = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-forwarded-port': '666',
  'x-original-url': 'http://evil.example/',
  'x-rewrite-url': '/evil.example',
  forwarded: 'host=evil.example;proto=http',
};
const guarded = 'for-invited';
const blueprints = [
  flowYaml({
    slug: guarded,
    stages: [
      { kind: 'authentik_stages_invitation.invitationstage' },
      { kind: 'prompt', fields: [{ field_key: 'username', type: 'username' }] },
    ],
  }),
];

/** Asks for JSON and for pages, with headers of the attacker's choice. */
async function post(
  site: AttackedSite,
  flow: string,
  body: object,
  headers: Record<string, string>,
): Promise<WebAnswer> {
  const browser = site.browser();
  await browser.open(flow);
  return browser.post({ ...body }, headers);
}

describe.each([
  ['without a proxy', {}],
  ['behind a trusted proxy', { trustedProxies: ['127.0.0.0/8', '::1/128'] }],
])('%s', (_, proxies) => {
  attackOnSqlite('headers', { blueprints, ...proxies }, (site) => {
    const isTrusted = 'trustedProxies' in proxies;

    it('host header poisoning: no link of any mail leads to where the request said', async () => {
      const user = await site.user('ada');
      await post(site, 'default-recovery-flow', { uid_field: 'ada' }, poison);
      const recovery = await site.mail.next('ada@example.com');
      const admin = await site.user('root', { groups: [await administrators(site)] });
      const token = await site.auth.tokens.create(admin.id);
      const made = await site.browser().request('/api/v3/stages/invitation/invitations/', {
        method: 'POST',
        body: JSON.stringify({
          name: 'by-mail',
          flow: guarded,
          single_use: true,
          doorward: {},
          email: 'new@example.com',
        }),
        headers: { ...poison, authorization: `Bearer ${token.secret}`, 'content-type': 'application/json' },
      });
      expect(made.text).not.toContain('evil.example');
      expect(new URL(recovery.link).origin).toBe(site.origin);
      for (const { raw } of site.mail.received) expect(raw).not.toContain('evil.example');
      expect((await site.auth.tokens.recoveryLink(user.id)).address.startsWith(site.origin)).toBe(true);
    });

    it('X-Forwarded-For: guesses are counted by the address that a trusted proxy names, and by no other', async () => {
      await site.user(`bea`);
      const guess = async (index: number, forwarded: string): Promise<unknown> => {
        const browser = site.browser();
        const headers = { 'x-forwarded-for': forwarded };
        const path = `/api/v3/flows/executor/${signIn}/?query=`;
        const json = { 'content-type': 'application/json', origin: site.origin, ...headers };
        await browser.request(path, { method: 'POST', headers: json, body: JSON.stringify({ uid_field: 'bea' }) });
        const body = JSON.stringify({ component: 'ak-stage-password', password: `guess number ${index}` });
        const answer = await browser.request(path, { method: 'POST', headers: json, body });
        return answer.json().component === 'ak-stage-password' ? 'judged' : 'limited';
      };
      const spoofed: unknown[] = [];
      // What stands left of the proxy's own word is the visitor's.
      for (let index = 0; index < 7; index += 1)
        spoofed.push(await guess(index, isTrusted ? `203.0.113.${index}, 198.51.100.7` : `203.0.113.${index}`));
      expect(spoofed).toContain('limited');
      expect(await guess(8, '192.0.2.200')).toBe(isTrusted ? 'judged' : 'limited');
    });

    it.each([
      'not an address',
      '127.0.0.1',
      '::1',
      '10.0.0.1, , 127.0.0.1',
      '[::1]:x',
      '0177.0.0.1',
      '2130706433',
      '127.0.0.1\u00a0',
      `${'1.2.3.4, '.repeat(500)}x`,
    ])('CVE-2024-47070 X-Forwarded-For of %j makes nothing fail, and nobody local', async (forwarded) => {
      const answer = await post(site, signIn, { uid_field: 'nobody' }, { 'x-forwarded-for': encodeURI(forwarded) });
      expect([answer.status, answer.json().component]).toEqual([200, 'ak-stage-password']);
      const mailbox = await site
        .browser()
        .request('/if/mail/', { headers: { 'x-forwarded-for': encodeURI(forwarded) } });
      expect([403, 404]).toContain(mailbox.status);
    });

    it('response splitting: nothing that is typed, kept or asked for becomes a header', async () => {
      const evil = 'x\r\nset-cookie: evil=1\r\n\r\n<script>alert(1)</script>';
      const browser = site.browser();
      await browser.open('default-enrollment-flow', `next=${encodeURIComponent(`/if/user/?${evil}`)}`);
      await browser.answer({ ...signUp(`split-${isTrusted}`), name: evil, 'attributes.settings.locale': evil });
      const answers = [
        await browser.request('/if/user/', { headers: { 'accept-language': 'de%0d%0aset-cookie:evil=1' } }),
        await browser.request('/api/v3/core/users/me/'),
        await browser.request(`/if/flow/${encodeURIComponent(evil)}/`),
        await browser.request(`/flows/-/prove/?next=${encodeURIComponent(evil)}`),
        await browser.request(`/flows/-/prove/?next=${encodeURIComponent(`/${evil}`)}`),
        await browser.request('/if/user/', { headers: { 'x-request-id': 'abc%0d%0aset-cookie:evil=1' } }),
        await browser.request('/if/flow/default-user-settings-flow/?next=/%E5%98%8A%E5%98%8Dset-cookie:evil=1'),
      ];
      for (const { headers, cookies, text } of answers) {
        expect(cookies.join()).not.toContain('evil');
        expect(JSON.stringify(headers)).not.toMatch(/evil=1["\\]|\\r|\\n|<script/);
        if (String(headers['content-type']).startsWith('text/html')) expect(text).not.toContain('<script>alert');
      }
    });
  });
});

async function administrators(site: AttackedSite): Promise<string> {
  const name = 'root group';
  await site.auth.groups.create({ name, isSuperuser: true });
  return name;
}
