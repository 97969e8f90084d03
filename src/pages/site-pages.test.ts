import { describe, expect, it } from 'vitest';
import { accountData, brand } from '../../test/support/account-sample.ts';
import { errorCodes } from '../kernel/errors.ts';
import { pages as german } from '../protocol/texts/de/pages.ts';
import { pages as english } from '../protocol/texts/en/pages.ts';
import { accountPage } from './account-page.tsx';
import { assets, scriptPath } from './assets.ts';
import { describeDevice } from './describe-device.ts';
import { errorPage } from './error-page.tsx';
import { wordsIn } from './words.ts';

describe('the account page', () => {
  const html = accountPage(accountData);

  it('lists the devices in words, this one first', () => {
    const devices = ['Firefox on Windows <span class="badge">This device', 'Safari on iPhone', 'curl'];
    const places = devices.map((device) => html.indexOf(device));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('ends one session or all others by forms that prove where they come from', () => {
    const forms = html.split('<form').slice(1);
    expect(forms).toHaveLength(13);
    for (const form of forms) expect(form).toContain('name="step" value="csrf-token"');
    expect(html).toContain('action="/if/user/sessions/7b0e8c3e-51bb-4a7e-9d42-5f2f6c1f7b10/end"');
    expect(html).toContain('action="/if/user/sessions/end-others"');
  });

  it('leads to the flows that change things, and back', () => {
    expect(html).toContain('href="/if/flow/default-user-settings-flow/?next=/if/user/"');
    expect(html).toContain('href="/if/flow/default-password-change/?next=/if/user/"');
    expect(html).toContain('href="/if/flow/default-invalidation-flow/"');
  });

  it('says of every value where it came from: the password’s too, and attributes by their names', () => {
    const [profile = '', password = ''] = html.split('id="password"');
    expect(password).toContain('You entered this in “Create an account”');
    for (const words of ['Set by an administrator', 'From GitHub']) expect(profile).toContain(words);
    const [, others = ''] = html.split('<details>');
    expect(others).toContain('<dt>company.e.mail</dt>');
    expect(others).toContain('Brought in by “import”');
    expect(html).not.toContain('goauthentik.io');
    const provenance = { ...accountData.provenance, fields: new Map() };
    expect(accountPage({ ...accountData, provenance })).not.toContain('<details>');
  });

  it('lists connected accounts and consents, each with a button that takes it away', () => {
    const [connection] = accountData.connections;
    const [toApplication, toText] = accountData.consents;
    expect(html).toContain(`action="/if/user/connections/${connection?.uuid}/disconnect"`);
    for (const one of [toApplication, toText])
      expect(html).toContain(`action="/if/user/consents/${one?.uuid}/withdraw"`);
    for (const words of [
      'GitHub',
      'Shared Notes',
      'See your email address',
      'I have read the terms',
      'until you withdraw it',
    ])
      expect(html).toContain(words);
    expect(html).toContain('Vienna, Austria');
    const none = accountPage({ ...accountData, connections: [], consents: [] });
    expect(none).not.toMatch(/id="(?:connections|consents)"/);
  });

  it('disconnects nobody’s account for them', () => {
    const acting = { username: 'ada', csrf: 'csrf-token' };
    expect(accountPage({ ...accountData, acting })).not.toContain('/disconnect');
  });

  it('leads those who approve to what waits for them, and nobody else', () => {
    expect(html).toContain('2 requests wait for your decision.');
    expect(html).toContain('href="/if/approvals/"');
    expect(accountPage({ ...accountData, approvals: { waiting: 1 } })).toContain('One request waits');
    expect(accountPage({ ...accountData, approvals: { waiting: 0 } })).toContain('Nobody waits');
    expect(accountPage({ ...accountData, approvals: null })).not.toContain('/if/approvals/');
  });

  it('calls what nobody renamed in the reader’s language, whichever it was set up in', () => {
    const [, , codes] = accountData.authenticators;
    if (codes === undefined) throw new Error('the sample has recovery codes');
    const german = (name: string) =>
      accountPage({ ...accountData, authenticators: [{ ...codes, name }], locale: 'de' });
    expect(german('Recovery codes')).toContain('aria-label="Wiederherstellungscodes entfernen"');
    expect(german('In the safe')).toContain('In the safe <span class="badge">Wiederherstellungscodes');
  });

  it('tells who has no password how to set one, and leads to nothing that asks for it', () => {
    const without = accountPage({ ...accountData, user: { ...accountData.user, passwordChangedAt: null } });
    expect(without).toContain('You have no password. To set one, sign out and choose “Forgot your password?”');
    expect(without).not.toContain('default-password-change');
  });

  it('has no button for other sessions when there are none', () => {
    const only = accountData.sessions.filter((session) => session.current);
    expect(accountPage({ ...accountData, sessions: only })).not.toContain('end-others');
  });

  it('shows hostile names, addresses and headers as text', () => {
    const evil = '<script>alert(1)</script>';
    const uuid = `../${evil}`;
    const sessions = [
      { uuid, current: false, device: `${evil}/1`, address: evil, place: evil, lastUsedAt: 0, createdAt: 0 },
    ];
    const user = { ...accountData.user, name: evil, username: evil, email: evil };
    const connections = [{ uuid, source: evil, identifier: evil, createdAt: 0 }];
    const permissions = [{ id: evil, name: evil }];
    const consents = [{ uuid, name: evil, wording: evil, permissions, givenAt: 0, expiresAt: 0 }];
    const shown = accountPage({ ...accountData, user, sessions, connections, consents, notice: evil });
    expect(shown).not.toContain(evil);
    expect(shown).not.toContain('/../');
  });
});

describe('a device in words', () => {
  const cases = [
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
      'Safari on Mac',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
      'Chrome on iPhone',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['curl/8.11.0', 'curl'],
    ['Mozilla/5.0', 'Unknown browser'],
    ['', 'Unknown browser'],
  ] as const;
  it.each(cases)('%s', (agent, device) => expect(describeDevice(agent, wordsIn('en'))).toBe(device));

  it('is in the language of the reader', () => {
    expect(describeDevice(cases[4][0], wordsIn('de'))).toBe('Firefox auf Linux');
  });
});

describe('error pages', () => {
  it.each(errorCodes)('say %s in words, in both languages', (code) => {
    for (const locale of ['en', 'de'] as const) {
      const html = errorPage({ status: 500, code, brand, locale, requestId: 'request-1' });
      expect(html).toContain(wordsIn(locale).of(`error.${code}`).slice(0, 20));
      expect(html).toContain('request-1');
    }
  });

  it('say when to come back', () => {
    const wait = (retryAfter: number) =>
      errorPage({ status: 429, code: 'rate_limited', brand, locale: 'en', requestId: 'r', retryAfter });
    expect(wait(30)).toContain('in 30 seconds');
    expect(wait(600)).toContain('in 10 minutes');
  });

  it('show given texts as text', () => {
    const html = errorPage({
      status: 404,
      code: 'not_found',
      title: '<b>',
      text: '<i>',
      brand,
      locale: 'en',
      requestId: '<u>',
    });
    expect(html).not.toMatch(/<b>|<i>|<u>/);
  });
});

describe('the catalogues', () => {
  it.each(Object.keys(english) as (keyof typeof english)[])(
    '%s has the same places to fill in in both languages',
    (key) => {
      const places = (text: string) => text.match(/\{\w+\}/g)?.sort() ?? [];
      expect(german[key]).not.toBe('');
      expect(places(german[key])).toEqual(places(english[key]));
    },
  );
});

describe('the files of the pages', () => {
  it('are few and small', () => {
    expect(assets[scriptPath]?.body.length).toBeLessThan(3_000);
    for (const { body } of Object.values(assets)) expect(body.length).toBeLessThan(20_000);
  });

  it('may be kept for ever only when their address names their content', () => {
    for (const [path, asset] of Object.entries(assets)) expect(asset.immutable).toBe(/-[0-9a-f]{12}\./.test(path));
  });
});
