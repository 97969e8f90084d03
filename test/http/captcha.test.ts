import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captcha, consent, defineFlow, identification, password, userLogin } from '../../src/index.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { type CaptchaProvider, captchaKey, openCaptchaProvider } from '../support/captcha-provider.ts';
import { flowYaml } from '../support/flow-yaml.ts';

const strict = "script-src 'self';";
const logged: string[] = [];
/** A flow in code with both, on one page and on one of its own. */
const inCode = (origin: string) => {
  const keys = { publicKey: 'site key', privateKey: captchaKey };
  const own = captcha({ ...keys, jsUrl: `${origin}/api.js`, apiUrl: `${origin}/siteverify` });
  return defineFlow({
    ...{ slug: 'in-code', title: 'In code', designation: 'authentication' },
    stages: [identification({ captcha: own, password: password() }), consent({ mode: 'always_require' }), userLogin()],
  });
};
let provider: CaptchaProvider;
let rig: Rig;

beforeAll(async () => {
  provider = await openCaptchaProvider();
  rig = await createRig({
    flows: [inCode(provider.origin)],
    log: (level, message, fields) => logged.push(JSON.stringify([level, message, fields])),
  });
  const captcha_stage = '!Find [authentik_stages_captcha.captchastage, [name, guarded-0-captcha]]';
  const who = { kind: 'identification', attrs: { user_fields: ['username'] } };
  await rig.auth.flows.apply([
    flowYaml({ slug: 'guarded', stages: [{ kind: 'captcha', attrs: provider.attrs }, { kind: 'dummy' }] }),
    flowYaml({
      slug: 'who',
      attrs: { designation: 'authentication' },
      stages: [{ ...who, attrs: { ...who.attrs, captcha_stage } }, { kind: 'password' }, { kind: 'user_login' }],
    }),
  ]);
  await rig.auth.users.create({ username: 'known', password: 'the known password' });
});
afterAll(async () => {
  await rig.close();
  await provider.close();
});

async function opened(flow: string): Promise<Visitor> {
  const visitor = rig.visitor();
  await visitor.open(flow);
  return visitor;
}

/** Everything but the name that was typed. */
function story(visitor: Visitor, name: string): unknown {
  return JSON.parse(JSON.stringify(visitor.challenge).replaceAll(name, 'NAME'));
}

describe('a captcha stage', () => {
  it('is passed with an answer that its provider takes, and with no other', async () => {
    const visitor = await opened('guarded');
    expect(visitor.expectAsk('ak-stage-captcha')).toMatchObject({
      ...{ site_key: 'site key', js_url: `${provider.origin}/api.js`, interactive: true },
      ...{ pending_user: '', pending_user_avatar: '/static/avatar.svg' },
    });
    await visitor.answer({});
    visitor.expectProblem('token', 'invalid');
    await visitor.answer({ token: 'a machine' });
    visitor.expectProblem('token', 'invalid');
    await visitor.answer({ token: 'person' });
    visitor.expectAsk('ak-stage-dummy');
    expect(provider.asked.slice(-2)).toEqual([
      { secret: captchaKey, response: 'a machine', remoteip: '192.0.2.1' },
      { secret: captchaKey, response: 'person', remoteip: '192.0.2.1' },
    ]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['breaks off', (response) => response.destroy()],
    ['is overloaded', (response) => void response.writeHead(500).end('{"success":true}')],
    ['answers a page', (response) => void response.end('<h1>success</h1>')],
  ])('is not passed while its provider %s', async (_, misbehave) => {
    provider.misbehave = misbehave;
    try {
      const visitor = await opened('guarded');
      await visitor.answer({ token: 'person' });
      visitor.expectProblem('token', 'invalid');
      visitor.expectAsk('ak-stage-captcha');
    } finally {
      provider.misbehave = null;
    }
  });
});

describe('a captcha on the identification page', () => {
  it('ID-5: a known and an unknown name read the same and ask the provider alike, whatever the answer is', async () => {
    const stories: unknown[][] = [];
    for (const uid_field of ['known', 'unheard-of']) {
      const visitor = await opened('who');
      const told: unknown[] = [];
      for (const captcha_token of ['', 'a machine', 'person']) {
        const before = provider.asked.length;
        await visitor.answer({ uid_field, captcha_token });
        told.push([captcha_token, provider.asked.length - before, story(visitor, uid_field)]);
      }
      stories.push(told);
    }
    expect(stories[1]).toEqual(stories[0]);
    expect(JSON.stringify(stories[0])).toContain('ak-stage-password');
  });

  it('the challenge holds the captcha as the reference sends it', async () => {
    const visitor = await opened('who');
    expect(visitor.challenge.captcha_stage).toEqual({
      ...{ site_key: 'site key', js_url: `${provider.origin}/api.js`, interactive: true },
      ...{ pending_user: '', pending_user_avatar: '/static/avatar.svg' },
    });
  });
});

it('a flow in code asks both', async () => {
  const visitor = await opened('in-code');
  const typed = { uid_field: 'known', password: 'the known password' };
  await visitor.answer(typed);
  visitor.expectProblem('non_field_errors', 'invalid');
  await visitor.answer({ ...typed, captcha_token: 'person' });
  await visitor.answer({ token: 'another page' });
  visitor.expectProblem('token', 'invalid');
  await visitor.answer({ token: visitor.challenge.token });
  visitor.expectEnd();
  expect(await visitor.whoAmI()).toBe('known');
});

describe('the pages', () => {
  const policyOf = async (path: string): Promise<string> =>
    (await rig.visitor().request(path)).headers.get('content-security-policy') ?? '';

  it('allow the origin of the configured script where the captcha is, and nothing else', async () => {
    for (const path of ['/if/flow/guarded/', '/if/flow/who/'])
      expect((await policyOf(path)).split('; ')).toEqual([
        ...["default-src 'none'", `style-src 'self' ${provider.origin}`, `script-src 'self' ${provider.origin}`],
        ...[`connect-src 'self' ${provider.origin}`, `frame-src ${provider.origin}`, "img-src 'self' data: https:"],
        ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
      ]);
    const visitor = await opened('guarded');
    await visitor.answer({ token: 'person' });
    const page = await visitor.request('/if/flow/guarded/');
    expect(await page.text()).toContain('dummy');
    for (const policy of [page.headers.get('content-security-policy'), await policyOf('/if/flow/nothing/')])
      expect(policy).toContain(strict);
  });

  it('say what is needed where there is no JavaScript', async () => {
    const page = await (await rig.visitor().request('/if/flow/guarded/')).text();
    expect(page).toMatch(/<noscript><p class="hint">This check needs JavaScript/);
    const german = await rig.visitor({ language: 'de' }).request('/if/flow/who/');
    expect(await german.text()).toMatch(/<noscript><p class="hint">Diese Prüfung braucht JavaScript/);
  });
});

it('the private key is in no challenge, page, export, plan, inspector, event or log', async () => {
  const pages = await Promise.all(
    ['/if/flow/guarded/', '/if/flow/who/', '/api/v3/flows/executor/guarded/', '/api/v3/flows/executor/who/'].map(
      async (path) => (await rig.visitor().request(path)).text(),
    ),
  );
  const exported = await Promise.all(['guarded', 'who'].map((slug) => rig.auth.flows.export(slug)));
  expect(exported[0]).toContain(
    '# Left out, since it is secret: private_key. Set it before this is applied elsewhere.',
  );
  const attrs = { ...provider.attrs, private_key: `${captchaKey} anew` };
  const plan = await rig.auth.flows.plan([flowYaml({ slug: 'guarded', stages: [{ kind: 'captcha', attrs }] })]);
  expect(JSON.stringify(plan)).toContain('(another secret)');
  await rig.auth.groups.create({ name: 'bosses', isSuperuser: true });
  await rig.auth.users.create({ username: 'boss', password: 'the boss password', groups: ['bosses'] });
  const boss = await opened('default-authentication-flow');
  await boss.answer({ uid_field: 'boss' });
  await boss.answer({ password: 'the boss password' });
  await boss.open('guarded');
  await boss.answer({ token: 'person' });
  const inspected = await (await boss.request('/api/v3/flows/inspector/guarded/')).text();
  expect(inspected).toContain('"captcha"');
  const shown = await (await boss.request('/if/flow/guarded/?inspector')).text();
  const events = await (await boss.request('/api/v3/events/events/')).text();
  expect([...pages, ...exported, JSON.stringify(plan), inspected, shown, events, ...logged].join('\n')).not.toContain(
    captchaKey,
  );
});
