import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { signUp, WebClient } from '../support/web-client.ts';

const fields = [
  { field_key: 'attributes.email', type: 'email', required: false },
  { field_key: 'attributes.text', type: 'text', required: false },
  { field_key: 'attributes.number', type: 'number', required: false },
  { field_key: 'attributes.date', type: 'date', required: false },
  { field_key: 'attributes.moment', type: 'date-time', required: false },
  { field_key: 'attributes.file', type: 'file', required: false },
  { field_key: 'attributes.box', type: 'checkbox', required: false },
  { field_key: 'attributes.locale', type: 'ak-locale', required: false },
];

let server: TestServer;
let count = 0;
beforeAll(async () => {
  // The real hasher: what it makes of a text is what counts.
  server = await startServer({
    blueprints: [flowYaml({ slug: 'form', stages: [{ kind: 'prompt', fields }, { kind: 'dummy' }] })],
  });
});
afterAll(() => server.close());

async function enrolled(password: string): Promise<string> {
  count += 1;
  const browser = new WebClient(server.origin);
  await browser.open('default-enrollment-flow');
  await browser.answer(signUp(`text-${count}`, password));
  expect([browser.challenge.component, browser.challenge.response_errors]).toEqual(['xak-flow-redirect', undefined]);
  return `text-${count}`;
}

async function getsIn(username: string, password: string): Promise<boolean> {
  const browser = new WebClient(server.origin);
  await browser.open('default-authentication-flow');
  await browser.answer({ uid_field: username });
  await browser.answer({ password });
  return (await browser.whoAmI()) === username;
}

describe('Unicode in passwords', () => {
  it('NFC: composed or decomposed, as keyboards differ, it is one password', async () => {
    const [composed, decomposed] = ['pässwörd-\u00e9\u1e9b\u0323', 'pässwörd-\u00e9\u1e9b\u0323'.normalize('NFD')];
    expect(composed).not.toBe(decomposed);
    const [one, two] = [await enrolled(composed), await enrolled(decomposed)];
    for (const username of [one, two])
      for (const typed of [composed, decomposed]) expect(await getsIn(username, typed)).toBe(true);
  });

  it.each([
    ['a zero-width space', 'correct\u200Bhorse', 'correcthorse'],
    ['a zero-width joiner', 'correct\u200Dhorse', 'correcthorse'],
    ['a byte order mark', '\uFEFFcorrecthorse', 'correcthorse'],
    ['a soft hyphen', 'correct\u00ADhorse', 'correcthorse'],
    ['a ligature', 'of\uFB01ce horse', 'office horse'],
    ['full width', 'ｃｏｒｒｅｃｔ horse', 'correct horse'],
    ['another script', 'corr\u0435ct horse', 'correct horse'],
    ['capitals', 'CORRECT horse', 'correct horse'],
    ['spaces around', ' correct horse ', 'correct horse'],
    ['an emoji of another skin', 'correct 👍🏽 horse', 'correct 👍 horse'],
  ])('zero-width and the like: %s is part of it, neither lost nor ignored', async (_, password, other) => {
    const username = await enrolled(password);
    expect([await getsIn(username, password), await getsIn(username, other)]).toEqual([true, false]);
  });

  it('no end of a long one is cut off', async () => {
    const long = `${'ä'.repeat(100)}-the-end`;
    const username = await enrolled(long);
    for (const typed of [long.slice(0, -1), `${long}x`, long.slice(0, 72), long.slice(0, 36)])
      expect(await getsIn(username, typed)).toBe(false);
    expect(await getsIn(username, long)).toBe(true);
  });

  it.each(['correct\0horse', '\ud800 lone half of a pair', 'eight\u0000\u0000\u0000'])(
    'what databases keep differently is refused: %j',
    async (password) => {
      const browser = new WebClient(server.origin);
      await browser.open('default-enrollment-flow');
      const answer = await browser.post(signUp('refused', password));
      expect(answer.status === 400 || answer.json().response_errors !== undefined).toBe(true);
      expect(await server.auth.users.get({ username: 'refused' })).toBeNull();
    },
  );
});

describe('very long inputs', () => {
  const long = 'x'.repeat(500_000);

  it.each(['uid_field', 'password', 'component', 'username', 'name', 'email', 'code', 'attributes.settings.locale'])(
    'half a million characters of %s are answered at once, and nothing is written',
    async (field) => {
      for (const flow of ['default-authentication-flow', 'default-enrollment-flow', 'default-recovery-flow']) {
        const browser = new WebClient(server.origin);
        await browser.open(flow);
        const answer = await browser.post({ ...signUp('long'), [field]: long, password_repeat: long });
        expect([200, 400]).toContain(answer.status);
        expect(answer.text.length).toBeLessThan(20_000);
        expect(await browser.whoAmI()).toBeNull();
      }
    },
  );

  it('a password of half a million characters is neither hashed nor compared', async () => {
    const username = await enrolled('correct horse battery');
    const browser = new WebClient(server.origin);
    await browser.open('default-authentication-flow');
    await browser.answer({ uid_field: username });
    for (let time = 0; time < 20; time += 1) await browser.post({ password: long });
    expect(await browser.whoAmI()).toBeNull();
  });

  it('headers and cookies of many kilobytes break nothing', async () => {
    const browser = new WebClient(server.origin);
    for (const headers of [
      { 'accept-language': 'de,'.repeat(2_000) },
      { 'user-agent': 'Mozilla/5.0 '.repeat(500) },
      { cookie: 'doorward_session=a.x.y; '.repeat(300) },
      { cookie: `doorward_session=${'a.'.repeat(4_000)}` },
      { cookie: `doorward_device=${'x'.repeat(8_000)}` },
      { authorization: `Bearer ${'x'.repeat(8_000)}` },
      { 'doorward-step': '~'.repeat(8_000) },
    ])
      expect([200, 403, 431]).toContain(
        (await browser.request('/if/flow/default-authentication-flow/', { headers: headers as Record<string, string> }))
          .status,
      );
  });
});

describe('ReDoS', () => {
  const many = 9_000;
  const evil: readonly (readonly [string, string])[] = [
    ['@', 'a@'.repeat(many)],
    ['dots', `a@${'a.'.repeat(many)}`],
    ['dashes', `a@${'-'.repeat(many)}.x`],
    ['quotes', `"${'\\"'.repeat(many)}`],
    ['spaces', `x${' '.repeat(many)}x`],
    ['tabs', `${'\t'.repeat(many)}\n!`],
    ['digits', `${'1'.repeat(many)}!`],
    ['zeros', `0.${'0'.repeat(many)}e`],
    ['date parts', `2020-01-01T${'00:'.repeat(many)}`],
    ['data addresses', `data:${'a/'.repeat(many)};base64`],
    ['parameters', `data:a/b${';a=b'.repeat(many)},`],
    ['base64', `data:a/b;base64,${'A'.repeat(many)}!`],
    ['language tags', 'en-'.repeat(many)],
    ['percent', '%'.repeat(many)],
    ['braces', '{{'.repeat(many)],
    ['combining marks', `a${'\u0301'.repeat(many)}`],
    ['a ligature that grows', '\uFDFA'.repeat(many)],
  ];

  it.each(evil)('%s by the thousands in every kind of field are answered', async (_, value) => {
    const browser = new WebClient(server.origin);
    await browser.open('form');
    const answer = await browser.post(Object.fromEntries(fields.map(({ field_key }) => [field_key, value])));
    expect(answer.status).toBe(200);
    for (const flow of ['default-authentication-flow', 'default-recovery-flow', 'default-enrollment-flow']) {
      const other = new WebClient(server.origin);
      await other.open(flow);
      const body = { uid_field: value, username: value, email: value, name: value };
      expect((await other.post({ ...signUp('redos'), ...body })).status).toBe(200);
      expect(await other.whoAmI()).toBeNull();
    }
  });

  it.each(evil)('%s by the thousands in headers and addresses are answered', async (_, value) => {
    const short = encodeURIComponent(value.slice(0, 800)).slice(0, 6_000).replace(/%.?$/, '');
    const headers = Object.fromEntries(
      ['user-agent', 'accept-language', 'x-forwarded-for', 'origin', 'cookie', 'doorward-step', 'authorization'].map(
        (name) => [name, value.replace(/[^\x20-\x7e]/g, ' ').slice(0, 1_500)],
      ),
    );
    const browser = new WebClient(server.origin);
    for (const path of [`/if/flow/default-authentication-flow/?next=${short}`, `/if/flow/${short}/`, `/${short}`])
      expect((await browser.request(path, { headers })).status).toBeLessThan(500);
  });
});
