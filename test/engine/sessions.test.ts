import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { answerOf, field, fieldsOf, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const always = { user_creation_mode: 'always_create' };
const secret = field('password', { type: 'password' });
const already = 'This was already completed. Please sign in.';

/* Who gets a session, who keeps one, and which runs end with it (CONTRACT: Runs). */
onBothDatabases('sessions and runs', (rig) => {
  it('signing in changes the session: a cookie from before is nobody (fixation)', async () => {
    await rig.user('fixed');
    const victim = rig.visitor();
    await victim.open('default-authentication-flow');
    const attacker = victim.clone();
    await victim.answer({ uid_field: 'fixed' });
    await victim.answer({ password: 'fixed password' });
    expect(await victim.whoAmI()).toBe('fixed');
    expect(await attacker.whoAmI()).toBeNull();
    expect(cookieOf(attacker)).not.toBe(cookieOf(victim));
    for (const body of [{}, { component: 'ak-stage-password', password: 'a guess' }]) {
      expect(await answerOf(attacker, body, null)).toMatchObject({ error_message: already });
      expect(await attacker.whoAmI()).toBeNull();
    }
    await attacker.open('default-authentication-flow');
    attacker.expectAsk('ak-stage-identification');
  });

  it.each([true, false])(
    'the same secret answer within a minute gets the same session (step token: %s)',
    async (tokened) => {
      const name = `repeated ${tokened}`;
      await rig.user(name);
      const visitor = rig.visitor();
      await visitor.open('default-authentication-flow');
      await visitor.answer({ uid_field: name });
      const step = tokened ? visitor.step : null;
      const body = { component: 'ak-stage-password', password: `${name} password` };
      const windows = Array.from({ length: 5 }, () => visitor.clone());
      for (const answer of await Promise.all(windows.map((window) => answerOf(window, body, step))))
        expect(answer).toEqual({ component: 'xak-flow-redirect', to: '/' });
      expect(await Promise.all(windows.map((window) => window.whoAmI()))).toEqual(Array(5).fill(name));
      expect(new Set(windows.map(cookieOf)).size).toBe(1);
      expect(await rig.events('login', name)).toHaveLength(1);
      rig.clock.advance(59_000);
      const soon = visitor.clone();
      await answerOf(soon, body, step);
      expect(await soon.whoAmI()).toBe(name);
      rig.clock.advance(2_000);
      const late = visitor.clone();
      expect(await answerOf(late, body, step)).toMatchObject({ error_message: already });
      expect(await late.whoAmI()).toBeNull();
    },
  );

  it('another body than the recorded one gets no session, even with the right password', async () => {
    await rig.user('recorded');
    const visitor = rig.visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'recorded' });
    const { step } = visitor;
    const before = visitor.clone();
    await visitor.answer({ password: 'recorded password' });
    expect(await visitor.whoAmI()).toBe('recorded');
    const body = { component: 'ak-stage-password', password: 'recorded password', more: 1 };
    for (const token of [step, null]) {
      expect(await answerOf(before, body, token)).toMatchObject({ error_message: already });
      expect(await before.whoAmI()).toBeNull();
    }
  });

  it('an answer without a secret never gets a session again', async () => {
    await rig.flow('open-door', [promptFor('username'), write(always), login]);
    const visitor = rig.visitor();
    await visitor.open('open-door');
    const before = visitor.clone();
    const body = { component: 'ak-stage-prompt', username: 'no secret' };
    await answerOf(visitor, body, visitor.step);
    expect(await visitor.whoAmI()).toBe('no secret');
    expect(await answerOf(before, body, before.step)).toMatchObject({ error_message: already });
    expect(await before.whoAmI()).toBeNull();
    expect(await answerOf(visitor, body, null)).toEqual({ component: 'xak-flow-redirect', to: '/' });
    expect(await rig.usernames('no secret')).toEqual(['no secret']);
  });

  it('ten enrollments at once from one browser: one user, one sign-in, one session', async () => {
    await rig.flow('enroll-once', [promptFor('username', secret), write(always), login]);
    const visitor = rig.visitor();
    await visitor.open('enroll-once');
    const body = { component: 'ak-stage-prompt', username: 'enrolled once', password: 'a good password' };
    const windows = Array.from({ length: 10 }, () => visitor.clone());
    const answers = await Promise.all(windows.map((window) => answerOf(window, body, visitor.step)));
    expect(answers).toEqual(Array(10).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await rig.usernames('enrolled once')).toEqual(['enrolled once']);
    expect(new Set(windows.map(cookieOf)).size).toBe(1);
    for (const action of ['user_write', 'login']) expect(await rig.events(action, 'enrolled once')).toHaveLength(1);
  });

  it('a flow that goes on after its sign-in: a repeated answer from before signs nobody in twice', async () => {
    await rig.flow('goes-on', [promptFor('username', secret), write(always), login, rig.probe('goes-on')]);
    const visitor = rig.visitor();
    await visitor.open('goes-on');
    const before = visitor.clone();
    const body = { component: 'ak-stage-prompt', username: 'goes on', password: 'a good password' };
    await answerOf(visitor, body, visitor.step);
    expect(await visitor.whoAmI()).toBe('goes on');
    for (const token of [before.step, null]) {
      expect(await answerOf(before, body, token)).toMatchObject({ error_message: already });
      expect(await before.whoAmI()).toBeNull();
    }
    await before.open('goes-on');
    before.expectAsk('ak-stage-prompt');
    await visitor.open('goes-on');
    visitor.expectAsk('ak-stage-own-probe');
    await visitor.answer();
    visitor.expectEnd();
    expect(rig.visits.filter((visit) => visit === 'goes-on entered')).toHaveLength(1);
    expect(await rig.events('login', 'goes on')).toHaveLength(1);
  });

  it("signing in in one tab ends the other tab's anonymous enrollment: it never writes to that account", async () => {
    await rig.user('tab one');
    await rig.flow('any-enrollment', [promptFor('username'), promptFor('name'), write(), login]);
    const tab = rig.visitor();
    await tab.open('any-enrollment');
    await tab.answer({ username: 'overwritten' });
    const { step } = tab;
    const other = tab.clone();
    await other.open('default-authentication-flow');
    await other.answer({ uid_field: 'tab one' });
    await other.answer({ password: 'tab one password' });
    for (const [name, value] of other.cookies) tab.cookies.set(name, value);
    const answer = await answerOf(tab, { component: 'ak-stage-prompt', name: 'Overwritten' }, step);
    expect(fieldsOf(answer)).toEqual(['username']);
    expect(await rig.find('tab one')).toMatchObject({ username: 'tab one', name: '' });
    expect(await rig.find('overwritten')).toBeNull();
  });

  it('a tab that was only shown the first page before another signed in does not answer as that user', async () => {
    await rig.user('tab two');
    await rig.flow('one-page', [promptFor('username'), write()]);
    const tab = rig.visitor();
    await tab.open('one-page');
    const other = tab.clone();
    await other.open('default-authentication-flow');
    await other.answer({ uid_field: 'tab two' });
    await other.answer({ password: 'tab two password' });
    for (const [name, value] of other.cookies) tab.cookies.set(name, value);
    await tab.answer({ username: 'somebody else' });
    expect(fieldsOf(tab.challenge)).toEqual(['username']);
    expect(await rig.find('tab two')).not.toBeNull();
    expect(await rig.find('somebody else')).toBeNull();
  });

  it('a run of one user is not usable after another signed in there', async () => {
    await rig.user('first user');
    await rig.user('second user');
    await rig.flow('settings', [promptFor('name'), promptFor('email'), write({ user_creation_mode: 'never_create' })]);
    const tab = await rig.signedIn('first user');
    await tab.open('settings');
    await tab.answer({ name: 'First' });
    const { step } = tab;
    const other = tab.clone();
    await other.open('default-authentication-flow');
    await other.answer({ uid_field: 'second user' });
    await other.answer({ password: 'second user password' });
    expect(await tab.whoAmI()).toBeNull();
    for (const [name, value] of other.cookies) tab.cookies.set(name, value);
    expect(await tab.whoAmI()).toBe('second user');
    expect(fieldsOf(await answerOf(tab, { component: 'ak-stage-prompt', email: 'x@example.com' }, step))).toEqual([
      'name',
    ]);
    for (const username of ['first user', 'second user'])
      expect(await rig.find(username)).toMatchObject({ name: '', email: '' });
  });

  it('a deactivated user with a session is nobody, and their runs do not go on', async () => {
    const user = await rig.user('inactive');
    await rig.flow(
      'inactive-settings',
      [promptFor('name'), promptFor('email'), write({ user_creation_mode: 'never_create' })],
      {
        attrs: { authentication: 'require_authenticated', denied_action: 'message' },
      },
    );
    const visitor = await rig.signedIn('inactive');
    await visitor.open('inactive-settings');
    await visitor.answer({ name: 'Still here' });
    await rig.store.commit({
      id: 'deactivate',
      runs: [],
      effects: [{ kind: 'user.update', id: user.id, version: user.version, set: { isActive: false } }],
    });
    const current = await rig.find('inactive');
    if (current?.isActive !== false) throw new Error(`still active: ${JSON.stringify(current)}`);
    expect(await visitor.whoAmI()).toBeNull();
    await visitor.answer({ email: 'still@example.com' });
    visitor.expectDenied();
    expect(await rig.find('inactive')).toMatchObject({ name: '', email: '' });
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'inactive' });
    await visitor.answer({ password: 'inactive password' });
    visitor.expectProblem('password', 'invalid');
  });

  it('a sign-out from another site, or by a prefetch, asks for one click first', async () => {
    await rig.user('leaver');
    const visitor = await rig.signedIn('leaver');
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }] as const) {
      const page = await visitor.request('/if/flow/default-invalidation-flow/', { headers });
      expect(page.status).toBe(200);
      expect(await visitor.whoAmI()).toBe('leaver');
    }
    const asked = await visitor.request('/api/v3/flows/executor/default-invalidation-flow/?query=', {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    const step = asked.headers.get('doorward-step') ?? '';
    expect(await asked.json()).toMatchObject({ component: 'ak-stage-dummy' });
    await visitor.request('/api/v3/flows/executor/default-invalidation-flow/?query=', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'doorward-step': step, origin: 'http://localhost:9000' },
      body: JSON.stringify({ component: 'ak-stage-dummy' }),
    });
    expect(await visitor.whoAmI()).toBeNull();
    expect(await rig.events('logout', 'leaver')).toHaveLength(1);
  });

  it('a sign-out by a link of our own needs no click, and twice at once is one sign-out', async () => {
    await rig.user('leaves twice');
    const visitor = await rig.signedIn('leaves twice');
    const windows = [visitor, visitor.clone(), visitor.clone()];
    await Promise.all(windows.map((window) => window.open('default-invalidation-flow')));
    for (const window of windows) window.expectEnd();
    expect(await rig.events('logout', 'leaves twice')).toHaveLength(1);
    expect(await visitor.whoAmI()).toBeNull();
  });

  it('a password change renews the session in hand, ends the others, and says so once', async () => {
    const user = await rig.user('changer');
    const visitor = await rig.signedIn('changer');
    const elsewhere = await rig.signedIn('changer');
    await rig.flow('change', [promptFor(secret), write({ user_creation_mode: 'never_create' })]);
    await visitor.open('change');
    const before = visitor.clone();
    const body = { component: 'ak-stage-prompt', password: 'a new password' };
    const windows = Array.from({ length: 5 }, () => visitor.clone());
    const answers = await Promise.all(windows.map((window) => answerOf(window, body, visitor.step)));
    expect(answers).toEqual(Array(5).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await Promise.all(windows.map((window) => window.whoAmI()))).toEqual(Array(5).fill('changer'));
    expect(await elsewhere.whoAmI()).toBeNull();
    expect(await before.whoAmI()).toBeNull();
    expect(await rig.events('user_write', 'changer')).toHaveLength(2);
    expect(await rig.store.read.sessionsOf(user.id)).toHaveLength(1);
  });
});

function cookieOf(visitor: Visitor): string {
  return visitor.cookies.get('doorward_session') ?? '';
}
