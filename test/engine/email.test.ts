import { describe, expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml, type StagePart } from '../support/flow-yaml.ts';
import { type MailRig, withMailOnBothDatabases } from '../support/mail-rig.ts';

const identify: StagePart = {
  kind: 'identification',
  attrs: { user_fields: ['username', 'email'], show_matched_user: false },
};
const mail = (attrs: Record<string, unknown> = {}): StagePart => ({ kind: 'email', attrs });
const newPassword = promptFor({ field_key: 'password', type: 'password', required: true });
const write = (mode: string, more: Record<string, unknown> = {}): StagePart => ({
  kind: 'user_write',
  attrs: { user_creation_mode: mode, ...more },
});
const login: StagePart = { kind: 'user_login' };
const signUpFields = promptFor(
  { field_key: 'username', type: 'username', required: true },
  { field_key: 'email', type: 'email', required: true },
);

const flows = [
  flowYaml({
    slug: 'recovery',
    attrs: { designation: 'recovery' },
    stages: [identify, mail(), newPassword, write('never_create'), login],
  }),
  flowYaml({ slug: 'by-link', attrs: { designation: 'authentication' }, stages: [identify, mail(), login] }),
  flowYaml({ slug: 'verify-first', stages: [signUpFields, mail(), write('always_create'), login] }),
  flowYaml({
    slug: 'inactive-first',
    stages: [
      signUpFields,
      write('always_create', { create_users_as_inactive: true }),
      mail({ activate_user_on_success: true }),
      login,
    ],
  }),
  flowYaml({
    slug: 'settings',
    attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' },
    stages: [promptFor({ field_key: 'email', type: 'email' }, 'name'), mail(), write('never_create')],
  }),
];

async function asked(rig: MailRig, flow: string, uid_field: string, address = '192.0.2.1') {
  const visitor = rig.visitor({ address });
  await visitor.open(flow);
  await visitor.answer({ uid_field });
  return visitor;
}

async function signingUp(
  rig: MailRig,
  flow: string,
  username: string,
  email = `${username}@example.com`,
  address = '192.0.2.1',
) {
  const visitor = rig.visitor({ address });
  await visitor.open(flow);
  await visitor.answer({ username, email });
  visitor.expectAsk('ak-stage-email');
  return visitor;
}

withMailOnBothDatabases('the email stage', { blueprints: flows }, (rig) => {
  it('EM-1, EM-4: sends once on arrival; the code proves the address in the browser that asked', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'ada');
    expect(visitor.challenge).toMatchObject({ address: 'a…@example.com' });
    await visitor.open('verify-first');
    visitor.expectAsk('ak-stage-email');
    const letter = await rig.letter('ada@example.com');
    expect(letter.headers.get('subject')).toBe('Confirm your email address for Doorward');
    expect(letter.link).toMatch(/^http:\/\/localhost:9000\/if\/flow\/verify-first\/\?flow_token=[\w-]{43}$/);
    expect(await rig.find('ada')).toBeNull();
    await visitor.answer({ code: ` ${letter.code.slice(0, 3)} ${letter.code.slice(3)} ` });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('ada');
    expect(rig.mail.received.filter(({ to }) => to[0] === 'ada@example.com')).toHaveLength(1);
  });

  it('EM-6: a link is opened without using it up; the click confirms, and the waiting page goes on', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'bea');
    const letter = await rig.letter('bea@example.com');
    const phone = rig.visitor();
    for (let scan = 0; scan < 3; scan += 1) await rig.visitor().open(...rig.place(letter));
    await phone.open(...rig.place(letter));
    const asks = phone.expectAsk('ak-stage-consent');
    expect(asks).toMatchObject({ header_text: 'Is bea@example.com your address?', asked: { place: '192.0.2.1' } });
    expect(await rig.find('bea')).toBeNull();
    await phone.answer();
    phone.expectAsk('xak-flow-shell');
    expect((await rig.find('bea'))?.email).toBe('bea@example.com');
    expect(await phone.whoAmI()).toBeNull();
    await visitor.open('verify-first');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('bea');
  });

  it('sign-in and recovery go on where the link is opened, and nowhere else', async () => {
    await rig.user('cleo');
    const visitor = await asked(rig, 'by-link', 'cleo');
    expect(visitor.expectAsk('ak-stage-email').address).toBe('');
    const letter = await rig.letter('cleo@example.com');
    const phone = await rig.follow(letter);
    phone.expectEnd();
    expect([await phone.whoAmI(), await visitor.whoAmI()]).toEqual(['cleo', null]);
    await visitor.open('by-link');
    visitor.expectDenied('This went on in the browser in which the link was opened.');
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('recovery: the next stage is shown where the link was opened, on the flow’s own page', async () => {
    const user = await rig.user('dora');
    await asked(rig, 'recovery', 'dora@example.com');
    const phone = await rig.follow(await rig.letter('dora@example.com'));
    phone.expectEnd('/if/flow/recovery/');
    await phone.open('recovery');
    phone.expectAsk('ak-stage-prompt');
    await phone.answer({ password: 'a new password of hers' });
    phone.expectEnd();
    expect(await phone.whoAmI()).toBe('dora');
    expect((await rig.letter('dora@example.com')).headers.get('subject')).toBe(
      'Your password for Doorward was changed',
    );
    expect((await rig.auth.users.get({ pk: user.id }))?.passwordChangedAt).not.toBeNull();
  });

  it('EM-5: a newer message makes the older link and code void', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'eva');
    const first = await rig.letter('eva@example.com');
    await visitor.answer({ resend: 'true' });
    visitor.expectAsk('ak-stage-email');
    const second = await rig.letter('eva@example.com');
    const phone = rig.visitor();
    await phone.open(...rig.place(first));
    phone.expectDenied(linkGone);
    await visitor.answer({ code: first.code });
    visitor.expectProblem('code', 'invalid');
    await visitor.answer({ code: second.code });
    visitor.expectEnd();
  });

  it('EM-9, EM-10: an answer without a code asks for another message, so many times', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'fay');
    for (let more = 0; more < 4; more += 1) await visitor.answer();
    expect(visitor.challenge.response_errors).toBeUndefined();
    for (let sent = 0; sent < 5; sent += 1) await rig.letter('fay@example.com');
    const before = await rig.messages();
    await visitor.answer();
    visitor.expectAsk('ak-stage-email');
    expect(await rig.messages()).toBe(before);
  });

  it('EM-10: the first message counts too; over the limit nobody can tell, and nothing leaves', async () => {
    await rig.user('gwen');
    for (let time = 0; time < 6; time += 1) {
      const visitor = await asked(
        rig,
        'recovery',
        time % 2 === 0 ? 'gwen' : 'gwen@example.com',
        `192.0.2.${40 + time}`,
      );
      visitor.expectAsk('ak-stage-email');
    }
    for (let sent = 0; sent < 5; sent += 1) await rig.letter('gwen@example.com');
    rig.clock.advance(300_001);
    await asked(rig, 'recovery', 'gwen', '192.0.2.46');
    await rig.letter('gwen@example.com');
    expect(rig.mail.received.filter(({ to }) => to[0] === 'gwen@example.com')).toHaveLength(6);
  });

  it('one client asks for so many messages to whomever, and is told', async () => {
    const before = await rig.messages();
    for (let time = 0; time < 21; time += 1) await asked(rig, 'recovery', `nobody-${time}`, '192.0.2.99');
    expect(await rig.messages()).toBe(before + 20);
    const late = await asked(rig, 'recovery', 'nobody', '192.0.2.99');
    const page = await (await late.request('/if/flow/recovery/')).text();
    expect(page).toContain('Too many messages were asked for.');
  });

  it('expires with its time', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'hal');
    const letter = await rig.letter('hal@example.com');
    rig.clock.advance(30 * 60_000);
    const phone = rig.visitor();
    await phone.open(...rig.place(letter));
    phone.expectDenied(linkGone);
    await visitor.answer({ code: letter.code });
    visitor.expectProblem('non_field_errors', 'invalid');
    expect(await rig.find('hal')).toBeNull();
  });

  it('EM-8, CVE-2022-23555: made up, used, or of another flow: one page, and nothing is lost', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'ida');
    const letter = await rig.letter('ida@example.com');
    const [, query] = rig.place(letter);
    const own = rig.visitor();
    await own.open('verify-first');
    own.expectAsk('ak-stage-prompt');
    for (const flow of ['recovery', 'by-link', 'inactive-first', 'settings']) {
      await own.open(flow, query);
      own.expectDenied(linkGone);
      expect((await own.post({ component: 'ak-stage-consent' })).status).toBe(200);
    }
    await own.open('verify-first', 'flow_token=made-up');
    own.expectDenied(linkGone);
    await own.open('verify-first');
    own.expectAsk('ak-stage-prompt');
    await rig.follow(letter);
    await own.open('verify-first', query);
    own.expectDenied(linkGone);
    await visitor.open('verify-first');
    visitor.expectEnd();
  });

  it('a code is good in its own run alone', async () => {
    const [one, two] = [
      await signingUp(rig, 'verify-first', 'jo'),
      await signingUp(rig, 'verify-first', 'jo2', 'jo@example.com'),
    ];
    const [first, second] = [await rig.letter('jo@example.com'), await rig.letter('jo@example.com')];
    await one.answer({ code: second.code });
    await two.answer({ code: first.code });
    for (const visitor of [one, two]) visitor.expectProblem('code', 'invalid');
  });

  it('five wrong codes end the code, also where fifty are sent at once', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'kim', 'kim@example.com', '192.0.2.50');
    const letter = await rig.letter('kim@example.com');
    const wrong = letter.code === '000000' ? '000001' : '000000';
    const body = { component: 'ak-stage-email', code: wrong };
    await Promise.all(Array.from({ length: 50 }, () => visitor.clone().post(body)));
    await visitor.open('verify-first');
    for (let time = 0; time < 5; time += 1) await visitor.answer({ code: wrong });
    visitor.expectProblem('code', 'limited');
    await visitor.answer({ code: letter.code });
    visitor.expectProblem('code', 'limited');
    await visitor.answer({ resend: '1' });
    await visitor.answer({ code: (await rig.letter('kim@example.com')).code });
    visitor.expectEnd();
  });

  it('HackerOne 3692149: one link, clicked fifty times at once in as many browsers, lets one in', async () => {
    await rig.user('lea');
    await asked(rig, 'by-link', 'lea', '192.0.2.51');
    const letter = await rig.letter('lea@example.com');
    const browsers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const browser = rig.visitor();
        await browser.open(...rig.place(letter));
        return browser;
      }),
    );
    await Promise.all(browsers.map((browser) => browser.answer()));
    const names = await Promise.all(browsers.map((browser) => browser.whoAmI()));
    expect(names.filter((name) => name !== null)).toEqual(['lea']);
  });

  it('HackerOne 3692149: link and code at the same time prove once', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'mia', 'mia@example.com', '192.0.2.52');
    const letter = await rig.letter('mia@example.com');
    const phone = rig.visitor();
    await phone.open(...rig.place(letter));
    await Promise.all([
      phone.answer(),
      ...Array.from({ length: 10 }, () => visitor.clone().post({ component: 'ak-stage-email', code: letter.code })),
    ]);
    const found = await rig.auth.users.list({ search: 'mia' });
    expect(found.total).toBe(1);
  });

  it('a second click of the browser that confirmed goes on to where the first one led', async () => {
    await rig.user('nell');
    await asked(rig, 'recovery', 'nell', '192.0.2.53');
    const phone = rig.visitor();
    await phone.open(...rig.place(await rig.letter('nell@example.com')));
    const step = phone.step;
    const twin = phone.clone();
    await phone.answer();
    const again = await twin.post({ component: 'ak-stage-consent' }, step);
    expect(await again.json()).toMatchObject({ component: 'xak-flow-redirect', to: '/if/flow/recovery/' });
  });

  it('a link is followed also in a browser that has the same flow under way, or somebody signed in', async () => {
    await rig.user('neo');
    await rig.user('trinity');
    const busy = await asked(rig, 'by-link', 'nobody-here', '192.0.2.60');
    await asked(rig, 'by-link', 'neo', '192.0.2.60');
    await rig.follow(await rig.letter('neo@example.com'), busy);
    expect(await busy.whoAmI()).toBe('neo');
    const other = await rig.signIn('trinity');
    await asked(rig, 'by-link', 'neo', '192.0.2.61');
    await rig.follow(await rig.letter('neo@example.com'), other);
    expect(await other.whoAmI()).toBe('neo');
  });

  it('CVE-2023-26481: what was typed before the proof is not written for whoever proves', async () => {
    await rig.auth.flows.apply([
      flowYaml({
        slug: 'password-first',
        attrs: { designation: 'recovery' },
        stages: [
          identify,
          promptFor({ field_key: 'password', type: 'password' }, { field_key: 'email' }),
          mail(),
          write('never_create'),
        ],
      }),
    ]);
    const user = await rig.user('olga');
    const attacker = await asked(rig, 'password-first', 'olga', '192.0.2.54');
    await attacker.answer({ password: 'the attacker’s own word', email: 'attacker@example.com' });
    attacker.expectAsk('ak-stage-email');
    const letter = await rig.letter('olga@example.com');
    const phone = await rig.follow(letter);
    phone.expectDenied();
    expect(await rig.auth.users.get({ pk: user.id })).toMatchObject({ email: 'olga@example.com' });
    expect((await rig.signIn('olga')).challenge.component).toBe('xak-flow-redirect');
    expect(rig.mail.received.some(({ to }) => to.includes('attacker@example.com'))).toBe(false);
  });

  it('CVE-2026-18963: the stage behind the message is not reached by a POST of its own', async () => {
    await rig.user('pia');
    const visitor = await asked(rig, 'recovery', 'pia', '192.0.2.55');
    for (const body of [
      { component: 'ak-stage-prompt', password: 'x'.repeat(10) },
      { password: 'x'.repeat(10) },
      { code: '' },
    ]) {
      await visitor.post(body);
      await visitor.open('recovery');
      visitor.expectAsk('ak-stage-email');
    }
  });

  it('EM-7: a link is void after the account is deactivated, or its password or address changed', async () => {
    const changes = [
      (pk: number) => rig.auth.users.deactivate(pk),
      (pk: number) => rig.auth.users.update(pk, { email: 'elsewhere@example.com' }),
      async (pk: number) => {
        rig.clock.advance(1);
        await rig.auth.users.setPassword(pk, 'another password');
      },
    ];
    for (const [index, change] of changes.entries()) {
      const user = await rig.user(`quin${index}`);
      await asked(rig, 'by-link', `quin${index}`, '192.0.2.56');
      const letter = await rig.letter(`quin${index}@example.com`);
      await change(user.id);
      const phone = await rig.follow(letter);
      phone.expectDenied(linkGone);
      expect(await phone.whoAmI()).toBeNull();
    }
  });

  it('activate_user_on_success: the user that this run made is active after the proof, and before it nobody', async () => {
    const visitor = await signingUp(rig, 'inactive-first', 'rosa');
    expect((await rig.find('rosa'))?.isActive).toBe(false);
    const letter = await rig.letter('rosa@example.com');
    await rig.follow(letter);
    expect((await rig.find('rosa'))?.isActive).toBe(true);
    await visitor.open('inactive-first');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('rosa');
  });

  it('activate_user_on_success does not wake an account that an administrator put to sleep', async () => {
    await rig.auth.flows.apply([
      flowYaml({
        slug: 'waking',
        attrs: { designation: 'recovery' },
        stages: [identify, mail({ activate_user_on_success: true }), login],
      }),
    ]);
    await rig.user('sam', { isActive: false });
    const visitor = await asked(rig, 'waking', 'sam', '192.0.2.57');
    visitor.expectAsk('ak-stage-email');
    const letter = await rig.letter('sam@example.com');
    expect([letter.link, letter.code]).toEqual(['', '']);
    expect(letter.headers.get('subject')).toBe('Your account with Doorward is deactivated');
  });

  it('an e-mail change is written when the new address is proven, and the old one is told', async () => {
    const user = await rig.user('tess');
    const visitor = await rig.signIn('tess');
    await visitor.open('settings');
    await visitor.answer({ email: 'tess@new.example', name: 'Tess' });
    visitor.expectAsk('ak-stage-email');
    expect((await rig.auth.users.get({ pk: user.id }))?.email).toBe('tess@example.com');
    await rig.follow(await rig.letter('tess@new.example'));
    expect((await rig.auth.users.get({ pk: user.id }))?.email).toBe('tess@new.example');
    expect((await rig.letter('tess@example.com')).headers.get('subject')).toBe(
      'Your email address for Doorward was changed',
    );
    await visitor.open('settings');
    visitor.expectEnd();
    await visitor.open('settings');
    await visitor.answer({ email: 'tess@new.example', name: 'Tess T' });
    visitor.expectEnd();
  });

  it('EM-3: who signs up with an address that is taken is nobody’s user; its owner is told, and gets no link', async () => {
    await rig.user('zoe', { emailVerified: true });
    await signingUp(rig, 'verify-first', 'zoe2', 'zoe@example.com', '192.0.2.70');
    const notice = await rig.letter('zoe@example.com');
    expect(notice.headers.get('subject')).toBe('You already have an account with Doorward');
    expect([notice.link, notice.code]).toEqual(['', '']);
    expect(notice.text).toContain('zoe');
    expect(await rig.find('zoe2')).toBeNull();
  });

  it('a link of a session that ended is void: nobody writes for who signed out', async () => {
    const user = await rig.user('una');
    const visitor = await rig.signIn('una');
    await visitor.open('settings');
    await visitor.answer({ email: 'una@new.example', name: '' });
    const letter = await rig.letter('una@new.example');
    await visitor.open('default-invalidation-flow');
    const phone = rig.visitor();
    await phone.open(...rig.place(letter));
    phone.expectDenied(linkGone);
    expect((await rig.auth.users.get({ pk: user.id }))?.email).toBe('una@example.com');
  });

  it('host header poisoning: links begin with the public address', async () => {
    const response = await rig.auth.fetch(
      new Request('http://localhost:9000/api/v3/flows/executor/verify-first/?query=', {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/json', origin: 'http://localhost:9000', host: 'evil.example' },
          ...{ 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
        },
        body: JSON.stringify({ username: 'vera', email: 'vera@example.com' }),
      }),
    );
    expect(response.status).toBe(200);
    const letter = await rig.letter('vera@example.com');
    expect(letter.link).toMatch(/^http:\/\/localhost:9000\//);
    expect(letter.raw).not.toContain('evil.example');
  });

  it('header injection: an address with a line break is no address', async () => {
    const visitor = rig.visitor();
    await visitor.open('verify-first');
    await visitor.answer({ username: 'walt', email: 'walt@example.com\r\nBcc: all@example.com' });
    visitor.expectProblem('email', 'invalid');
  });

  it('the message is in the language of who asked, and the page’s query survives (EM-4)', async () => {
    const visitor = rig.visitor({ language: 'de' });
    await visitor.open('verify-first', 'next=%2Fif%2Fuser%2F&itoken=x');
    await visitor.answer({ username: 'xena', email: 'xena@example.com' });
    const letter = await rig.letter('xena@example.com');
    expect(letter.headers.get('subject')).toBe('Bestätigen Sie Ihre E-Mail-Adresse für Doorward');
    expect(letter.link).toContain('?next=%2Fif%2Fuser%2F&itoken=x&flow_token=');
    await rig.follow(letter);
    await visitor.open('verify-first', 'next=%2Fif%2Fuser%2F&itoken=x');
    visitor.expectEnd('/if/user/');
  });

  it('the same browser that asked may open the link, and goes on at once', async () => {
    const visitor = await signingUp(rig, 'verify-first', 'yara');
    await rig.follow(await rig.letter('yara@example.com'), visitor);
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('yara');
  });
});

const linkGone =
  'This link was used or has expired, or a newer one took its place. Nothing is lost: start again to get a new one.';

describe('where mail cannot be sent', () => {
  withMailOnBothDatabases(
    'a flow that sends mail',
    { blueprints: flows, mail: { refused: 'DOORWARD_PUBLIC_URL is not set' } },
    (rig) => {
      it('is refused, and what it wrote before is taken back', async () => {
        const visitor = rig.visitor();
        await visitor.open('inactive-first');
        await visitor.answer({ username: 'ada', email: 'ada@example.com' });
        visitor.expectDenied('Messages cannot be sent from here at the moment. Please tell the administrator.');
        expect(await rig.find('ada')).toBeNull();
      });
    },
  );

  withMailOnBothDatabases('a template that does not exist', {}, (rig) => {
    it('EM-11: denies, with an event', async () => {
      await rig.auth.flows.apply([
        flowYaml({ slug: 'odd', stages: [signUpFields, mail({ template: 'email/own.html' })] }),
      ]);
      const visitor = rig.visitor();
      await visitor.open('odd');
      await visitor.answer({ username: 'ada', email: 'ada@example.com' });
      visitor.expectDenied();
      expect(given(await rig.messages())).toBe(0);
    });
  });
});
