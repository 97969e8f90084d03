import { beforeAll, describe, expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { type EngineRig, login, onBothDatabases } from '../support/engine-rig.ts';

const limited = 'Too many wrong passwords. Please wait a few minutes and try again.';
const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };

/* Guessing passwords and names (ID-2 to ID-6, PW-3, CONTRACT: Outcomes and Limits). */
onBothDatabases('guessing', (rig) => {
  it('an unknown user reads like a known one, up to and after the limit', async () => {
    await rig.user('known name');
    const story = async (uid_field: string): Promise<readonly unknown[]> => {
      const visitor = rig.visitor();
      const shown: unknown[] = [await visitor.open('default-authentication-flow')];
      shown.push(await visitor.answer({ uid_field }));
      for (let guess = 0; guess < 6; guess += 1) shown.push(await visitor.answer({ password: 'a wrong guess' }));
      await visitor.open('default-authentication-flow');
      await visitor.answer({ uid_field });
      shown.push(await visitor.answer({ password: 'a wrong guess' }));
      const told = JSON.stringify(shown).replaceAll(/"challenge":"[\w-]+"/g, '"challenge":"SESSION"');
      return JSON.parse(told.replaceAll(uid_field, 'NAME'));
    };
    const known = await story('known name');
    expect(await story('unknown name')).toEqual(known);
    expect(JSON.stringify(known)).toContain(limited);
    expect(await rig.events('login_failed', 'known name')).toHaveLength(5);
  });

  it('the page after an address shows what was typed, not whose it is (CVE-2023-39522)', async () => {
    await rig.auth.users.create({ username: 'owner', email: 'owner@example.org', password: 'the owner password' });
    const visitor = rig.visitor();
    for (const uid_field of ['Owner@example.org', 'nobody@example.org', 'OWNER']) {
      await visitor.open('default-authentication-flow');
      expect(await visitor.answer({ uid_field })).toMatchObject({ pending_user: uid_field });
      visitor.cookies.clear();
    }
  });

  it('the same on one page', async () => {
    await rig.user('known inline');
    const name = 'inline-password';
    const entries = [
      { model: 'authentik_stages_password.passwordstage', id: 'password', identifiers: { name }, attrs: {} },
    ];
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries }));
    const password_stage = `!Find [authentik_stages_password.passwordstage, [name, ${name}]]`;
    await rig.flow('inline', [{ ...identification, attrs: { ...identification.attrs, password_stage } }, login]);
    const visitor = rig.visitor();
    const guess = async (uid_field: string, password: string): Promise<unknown> => {
      await visitor.open('inline');
      const { flow_info: _, ...shown } = await visitor.answer({ uid_field, password });
      return shown;
    };
    expect(await guess('unknown inline', 'a wrong guess')).toEqual(await guess('known inline', 'a wrong guess'));
    await guess('known inline', 'known inline password');
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('known inline');
  });

  it('a stand-in never gets past the password, whatever is typed', async () => {
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'stand-in' });
    await rig.user('stand-in');
    await visitor.answer({ password: 'stand-in password' });
    visitor.expectProblem('password', 'invalid');
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('twenty guesses at once: no more than the limit are judged, and a right one over the limit is not told', async () => {
    await rig.user('guessed');
    await rig.flow('guess', [identification, { kind: 'password', attrs: { failed_attempts_before_cancel: 5 } }, login]);
    const guessers = await identified(rig, 'guess', 'guessed', 20);
    const answers = await Promise.all(guessers.map((guesser) => guesser.answer({ password: 'a wrong guess' })));
    const judged = answers.filter(({ component }) => component === 'ak-stage-password');
    expect(judged.length).toBeLessThanOrEqual(5);
    expect(answers.length - judged.length).toBe(answers.filter(({ error_message: said }) => said === limited).length);
    expect(await rig.events('login_failed', 'guessed')).toHaveLength(5);
    const [right] = await identified(rig, 'guess', 'guessed', 1);
    await right?.answer({ password: 'guessed password' });
    right?.expectDenied(limited);
    expect(await right?.whoAmI()).toBeNull();
    expect(await rig.events('login', 'guessed')).toEqual([]);
    rig.clock.advance(301_000);
    const [later] = await identified(rig, 'guess', 'guessed', 1);
    await later?.answer({ password: 'guessed password' });
    later?.expectEnd();
  });

  it('a right guess among twenty at once is told only if it came within the limit', async () => {
    await rig.user('lucky');
    await rig.flow('lucky', [identification, { kind: 'password', attrs: { failed_attempts_before_cancel: 3 } }, login]);
    const guessers = await identified(rig, 'lucky', 'lucky', 20);
    const answers = await Promise.all(
      guessers.map((guesser, index) => guesser.answer({ password: index === 15 ? 'lucky password' : 'a wrong guess' })),
    );
    const told = answers[15]?.component === 'xak-flow-redirect';
    expect(await rig.events('login', 'lucky')).toHaveLength(told ? 1 : 0);
    expect(await guessers[15]?.whoAmI()).toBe(told ? 'lucky' : null);
    // Before a success at most three guesses count, and after it at most three again.
    const failures = await rig.events('login_failed', 'lucky');
    expect(failures.length).toBeLessThanOrEqual(told ? 6 : 3);
  });

  it('who guesses from one address locks out nobody but themselves (CVE-2026-19607)', async () => {
    await rig.user('besieged');
    const guesser = rig.visitor({ address: '198.51.100.7' });
    await guesser.open('default-authentication-flow');
    await guesser.answer({ uid_field: 'besieged' });
    for (let guess = 0; guess < 5; guess += 1) await guesser.answer({ password: 'a wrong guess' });
    guesser.expectDenied(limited);
    const owner = rig.visitor();
    await owner.open('default-authentication-flow');
    await owner.answer({ uid_field: 'besieged' });
    await owner.answer({ password: 'besieged password' });
    expect(await owner.whoAmI()).toBe('besieged');
  });

  describe('a thousand guesses at one account', () => {
    const besiege = async (uid_field: string, address: (index: number) => string): Promise<void> => {
      for (let sent = 0; sent < 1_000; sent += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            guess(rig.visitor({ address: address(sent + index) }), uid_field, 'a wrong guess'),
          ),
        );
    };
    const guess = async (visitor: Visitor, uid_field: string, password: string): Promise<void> => {
      await visitor.request('/api/v3/flows/executor/one-page/?query=', {
        ...{ method: 'POST', body: JSON.stringify({ uid_field, password }) },
        headers: { 'content-type': 'application/json', origin: 'http://localhost:9000' },
      });
    };
    const signsIn = async (visitor: Visitor, name: string): Promise<string | null> => {
      await guess(visitor, name, `${name} password`);
      return visitor.whoAmI();
    };
    /** The browser of somebody who signed in with it, and whose session has ended. */
    const device = async (name: string, address: string): Promise<Visitor> => {
      const visitor = rig.visitor({ address });
      expect(await signsIn(visitor, name)).toBe(name);
      visitor.cookies.delete('doorward_session');
      return visitor;
    };
    beforeAll(async () => {
      const name = 'one-page-password';
      const entries = [{ model: 'authentik_stages_password.passwordstage', identifiers: { name }, attrs: {} }];
      await rig.auth.flows.apply(JSON.stringify({ version: 1, entries }));
      const password_stage = `!Find [authentik_stages_password.passwordstage, [name, ${name}]]`;
      const attrs = { ...identification.attrs, password_stage };
      await rig.flow('one-page', [{ ...identification, attrs }, login], {
        attrs: { designation: 'authentication' },
      });
    });

    it('from one address: five are judged, and the owner elsewhere notices nothing', async () => {
      await rig.user('one place');
      await besiege('one place', () => '198.51.100.8');
      expect(await rig.events('login_failed', 'one place')).toHaveLength(5);
      expect(await signsIn(rig.visitor(), 'one place')).toBe('one place');
    });

    it('from one IPv6 network, of which each has its own address: the same', async () => {
      await rig.user('one network');
      await besiege('one network', (index) => `2001:db8:7:7::${index.toString(16)}`);
      expect(await rig.events('login_failed', 'one network')).toHaveLength(5);
    });

    it('from a thousand addresses: a hundred are judged; a known device gets in, and a stranger has to wait', async () => {
      await rig.user('many places');
      await rig.user('guesser');
      const own = await device('many places', '192.0.2.55');
      const guessers = await device('guesser', '192.0.2.66');
      await besiege('many places', (index) => `198.18.${index >> 8}.${index & 255}`);
      expect(await rig.events('login_failed', 'many places')).toHaveLength(100);
      // UL-5: a device counts for its own user alone.
      expect(await signsIn(guessers, 'many places')).toBeNull();
      expect(await signsIn(rig.visitor({ address: '192.0.2.77' }), 'many places')).toBeNull();
      const forged = rig.visitor({ address: '192.0.2.78' });
      const [[name = '', value = ''] = []] = own.cookies;
      forged.cookies.set(name, `${value.slice(0, 20)}${value[20] === 'A' ? 'B' : 'A'}${value.slice(21)}`);
      expect(await signsIn(forged, 'many places')).toBeNull();
      expect(await signsIn(own, 'many places')).toBe('many places');
      rig.clock.advance(301_000);
      expect(await signsIn(rig.visitor({ address: '192.0.2.77' }), 'many places')).toBe('many places');
    });

    it('from a stolen device: five are judged, and its cookie alone signs nobody in', async () => {
      await rig.user('stolen');
      const thief = await device('stolen', '192.0.2.88');
      for (let index = 0; index < 12; index += 1) await guess(thief, 'stolen', 'a wrong guess');
      expect(await rig.events('login_failed', 'stolen')).toHaveLength(5);
      expect(await thief.whoAmI()).toBeNull();
    });

    it('the cookie of a device is sealed, and kept from scripts', async () => {
      await rig.user('sealed');
      const visitor = rig.visitor();
      const answer = await visitor.request('/api/v3/flows/executor/one-page/?query=', {
        ...{ method: 'POST', body: JSON.stringify({ uid_field: 'sealed', password: 'sealed password' }) },
        headers: { 'content-type': 'application/json', origin: 'http://localhost:9000' },
      });
      const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('doorward_device='));
      expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
      expect(cookie).not.toContain((await rig.find('sealed'))?.uuid);
    });
  });

  it('a doubled wrong password counts once', async () => {
    await rig.user('counted once');
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'counted once' });
    const body = { component: 'ak-stage-password', password: 'a wrong guess' };
    const clicks = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async () => (await visitor.clone().post(body, visitor.step)).json()),
    );
    for (const click of clicks) expect(click).toMatchObject({ response_errors: { password: [{ code: 'invalid' }] } });
    expect(await rig.events('login_failed', 'counted once')).toHaveLength(1);
  });
});

async function identified(rig: EngineRig, flow: string, uid_field: string, count: number): Promise<readonly Visitor[]> {
  const visitors = Array.from({ length: count }, () => rig.visitor());
  for (const visitor of visitors) {
    await visitor.open(flow);
    await visitor.answer({ uid_field });
  }
  return visitors;
}
