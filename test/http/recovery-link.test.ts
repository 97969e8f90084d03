import { describe, expect, it } from 'vitest';
import { recoveryLinkFlow as flow } from '../../src/app/tokens.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { type EngineRig, onBothDatabases } from '../support/engine-rig.ts';

const fresh = { password: 'a brand new password', password_repeat: 'a brand new password' };

onBothDatabases('a recovery link', (rig) => {
  it('sets a new password once, signs in, and ends the user’s other sessions (W36)', async () => {
    const user = await rig.user('ada');
    const before = await rig.signedIn('ada');
    const { address, query } = await linkFor(rig, 'ada');
    expect(address).toMatch(/^http:\/\/localhost:9000\/if\/flow\/default-recovery-link\/\?flow_token=[\w-]{43}$/);
    const visitor = rig.visitor();
    await visitor.open(flow, query);
    visitor.expectAsk('ak-stage-prompt');
    await visitor.answer(fresh);
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('ada');
    expect(await before.whoAmI()).toBeNull();
    expect(await rig.store.read.passwordHash(user.id)).toBe(`plain:${fresh.password}`);
    await isDead(rig, query);
    const created = await rig.events('recovery_link_created', 'ada');
    expect(created).toMatchObject([{ user: { username: 'ada' }, context: { via: 'library' } }]);
    expect(JSON.stringify(created)).not.toContain(query.slice('flow_token='.length));
    expect(await rig.events('login', 'ada')).toMatchObject([{ context: { auth_method: 'one_time_link' } }, {}]);
  });

  it('is not used up by opening it, however often, by whatever looks at mail', async () => {
    await rig.user('opened');
    const { query } = await linkFor(rig, 'opened');
    for (let look = 0; look < 3; look += 1)
      for (const method of ['GET', 'HEAD'])
        await rig
          .visitor()
          .request(`/if/flow/${flow}/?${query}`, { method, headers: { 'sec-fetch-site': 'cross-site' } });
    const visitor = rig.visitor();
    await visitor.request(`/if/flow/${flow}/?${query}`, { headers: { 'sec-purpose': 'prefetch' } });
    await visitor.open(flow, query);
    await visitor.answer({ ...fresh, password_repeat: 'something else' });
    visitor.expectProblem('non_field_errors', 'invalid');
    await visitor.answer(fresh);
    expect(await visitor.whoAmI()).toBe('opened');
  });

  it('opens nothing once the user has a newer password', async () => {
    const user = await rig.user('settled');
    const { query } = await linkFor(rig, 'settled');
    rig.clock.advance(1_000);
    await rig.auth.users.setPassword(user.id, 'set by somebody else');
    await isDead(rig, query);
  });

  it('is about its own user on a browser where somebody else is signed in', async () => {
    const bob = await rig.user('bob');
    await rig.user('carol');
    const visitor = await rig.signedIn('bob');
    const { query } = await linkFor(rig, 'carol');
    await visitor.open(flow, query);
    await visitor.answer(fresh);
    expect(await visitor.whoAmI()).toBe('carol');
    expect(await rig.store.read.passwordHash(bob.id)).toBe('plain:bob password');
    expect(await rig.store.read.sessionsOf(bob.id)).toEqual([]);
  });

  it('of 50 who use it at the same time one wins, and only that one’s password is written', async () => {
    const user = await rig.user('contested');
    const { query } = await linkFor(rig, 'contested');
    const visitors = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const visitor = rig.visitor();
        await visitor.open(flow, query);
        return visitor;
      }),
    );
    await Promise.all(visitors.map((visitor, index) => visitor.answer(both(`password number ${index}`))));
    const won = visitors.findIndex(({ challenge }) => challenge.component === 'xak-flow-redirect');
    const others = visitors.filter((_, index) => index !== won);
    for (const visitor of others) expectInvalid(visitor);
    expect(await rig.store.read.passwordHash(user.id)).toBe(`plain:password number ${won}`);
    expect(await rig.events('user_write', 'contested')).toHaveLength(2);
    expect(await rig.store.read.sessionsOf(user.id)).toHaveLength(1);
  });

  it('that was opened before another used it writes nothing any more', async () => {
    const user = await rig.user('slow');
    const { query } = await linkFor(rig, 'slow');
    const slow = rig.visitor();
    await slow.open(flow, query);
    const quick = rig.visitor();
    await quick.open(flow, query);
    await quick.answer(fresh);
    await slow.answer(both('the second password'));
    expectInvalid(slow);
    expect(await slow.whoAmI()).toBeNull();
    expect(await quick.whoAmI()).toBe('slow');
    expect(await rig.store.read.passwordHash(user.id)).toBe(`plain:${fresh.password}`);
  });

  describe('is worth nothing', () => {
    it('once a newer one was made', async () => {
      await rig.user('twice');
      const [older, newer] = [await linkFor(rig, 'twice'), await linkFor(rig, 'twice')];
      await isDead(rig, older.query);
      const visitor = rig.visitor();
      await visitor.open(flow, newer.query);
      visitor.expectAsk('ak-stage-prompt');
    });

    it('after its minutes, also on a page that was opened in time', async () => {
      await rig.user('late');
      const { query } = await linkFor(rig, 'late', 5);
      const visitor = rig.visitor();
      await visitor.open(flow, query);
      rig.clock.advance(5 * 60_000);
      await visitor.answer(fresh);
      expectInvalid(visitor);
      await isDead(rig, query);
    });

    it('made up, or missing', async () => {
      await isDead(rig, 'flow_token=made-up');
      await isDead(rig, '');
    });

    it('in another flow with such a stage', async () => {
      await rig.user('foreign');
      const { query } = await linkFor(rig, 'foreign');
      const model = 'doorward_stages_one_time_link.onetimelinkstage';
      await rig.flow('another-link', [{ kind: model }, rig.probe('inside')]);
      const visitor = rig.visitor();
      await visitor.open('another-link', query);
      expectInvalid(visitor);
    });

    it('for who is deactivated, and none is made for them (CVE-2025-53942)', async () => {
      const user = await rig.user('locked');
      const { query } = await linkFor(rig, 'locked');
      await rig.auth.users.deactivate(user.id);
      await isDead(rig, query);
      await expect(linkFor(rig, 'locked')).rejects.toMatchObject({ code: 'refused' });
      await expect(rig.auth.tokens.recoveryLink(999_999)).rejects.toMatchObject({ code: 'not_found' });
      await expect(linkFor(rig, 'ada', 0)).rejects.toMatchObject({ code: 'invalid_request' });
    });
  });

  it('speaks the visitor’s language', async () => {
    const visitor = rig.visitor({ language: 'de' });
    const page = await (await visitor.request(`/if/flow/${flow}/?flow_token=nichts`)).text();
    expect(page).toContain('Dieser Link ist nicht gültig.');
    await rig.user('deutsch');
    const { query } = await linkFor(rig, 'deutsch');
    expect(await (await visitor.request(`/if/flow/${flow}/?${query}`)).text()).toContain('Neues Passwort festlegen');
  });
});

async function linkFor(
  rig: EngineRig,
  username: string,
  minutes?: number,
): Promise<{ address: string; query: string }> {
  const pk = (await rig.find(username))?.id ?? 0;
  const { address } = await rig.auth.tokens.recoveryLink(pk, minutes === undefined ? {} : { minutes });
  return { address, query: new URL(address).search.slice(1) };
}

function both(password: string): Record<string, string> {
  return { password, password_repeat: password };
}

async function isDead(rig: EngineRig, query: string): Promise<void> {
  const visitor = rig.visitor();
  await visitor.open(flow, query);
  expectInvalid(visitor);
}

function expectInvalid(visitor: Visitor): void {
  const { error_message: message } = visitor.expectAsk('ak-stage-access-denied');
  expect(message).toMatch(/^This link is not valid\./);
}
