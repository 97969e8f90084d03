import { beforeAll, describe, expect, it } from 'vitest';
import type { NewInvitation } from '../../src/app/invitations.ts';
import { hashToken } from '../../src/kernel/ids.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { dummy, type EngineRig, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const stage = (attrs = {}, binding = {}) => ({
  ...{ kind: 'authentik_stages_invitation.invitationstage', attrs, binding },
});
const free = { continue_flow_without_invitation: true };
const create = write({ user_creation_mode: 'always_create' });
const username = { field_key: 'username', type: 'username' };
const email = { field_key: 'email', type: 'email', required: true };
const anonymous = { attrs: { authentication: 'require_unauthenticated' } };

/** stages.md 4; what the link holds is the secret, and never the id. */
onBothDatabases('invitations', (rig) => {
  beforeAll(async () => {
    await rig.flow('join', [stage(), promptFor(username, email, 'attributes.team'), create, login], anonymous);
    await rig.flow('other', [stage(), promptFor(username), create]);
    await rig.flow('open', [stage(free), promptFor(username, 'name'), create]);
  });

  it('IN-1: open the flow by itoken, by token, and by what was typed before', async () => {
    await rig.flow('typed', [promptFor({ field_key: 'token', required: true }), stage(), promptFor(username), create]);
    const { secret } = await invite(rig, { flow: null });
    for (const name of ['itoken', 'token'])
      expect((await opened(rig, 'join', `${name}=${secret}`)).challenge.component).toBe('ak-stage-prompt');
    const visitor = await opened(rig, 'typed', '');
    await visitor.answer({ token: 'made up' });
    expectInvalid(visitor);
    const again = await opened(rig, 'typed', '');
    await again.answer({ token: secret });
    await again.answer({ username: 'typist' });
    again.expectEnd();
    expect(await uses(rig, secret)).toBe(1);
  });

  it('IN-2: missing, malformed, unknown or revoked: one page for all, or left out with the flag', async () => {
    const { secret, invitation } = await invite(rig);
    await rig.auth.invitations.revoke(invitation.uuid);
    for (const token of ['', 'made-up', invitation.uuid, '%F0%9F%9A%AA', secret]) {
      expectInvalid(await opened(rig, 'join', `itoken=${token}`));
      (await opened(rig, 'open', `itoken=${token}`)).expectAsk('ak-stage-prompt');
    }
    const page = await rig.visitor({ language: 'de' }).request('/if/flow/join/?itoken=x');
    expect(await page.text()).toContain('Diese Einladung ist nicht gültig.');
  });

  it('CVE-2022-23555: an invitation to one flow opens no other, nor does its run', async () => {
    const { secret } = await invite(rig);
    expectInvalid(await opened(rig, 'other', `itoken=${secret}`));
    const visitor = await opened(rig, 'open', `itoken=${secret}`);
    await visitor.answer({ username: 'stranger', name: 'S' });
    visitor.expectEnd();
    expect(await uses(rig, secret)).toBe(0);
    const joined = await opened(rig, 'join', `itoken=${secret}`);
    const path = '/api/v3/flows/executor/other/?query=';
    const body = JSON.stringify({ component: 'ak-stage-prompt', username: 'crossed' });
    const headers = {
      ...{ 'content-type': 'application/json', origin: 'http://localhost:9000' },
      'doorward-step': joined.step ?? '',
    };
    const answer = await joined.request(path, { method: 'POST', body, headers });
    expect(await answer.json()).toMatchObject({ component: 'ak-stage-access-denied' });
    expect(await rig.find('crossed')).toBeNull();
  });

  it('IN-3: expiry counts when it is used, also on a page that was opened in time', async () => {
    const { secret } = await invite(rig, { expiresAt: rig.clock.now() + 60_000 });
    const slow = await opened(rig, 'join', `itoken=${secret}`);
    rig.clock.advance(60_000);
    await slow.answer({ username: 'slow', email: 'slow@example.com' });
    expectInvalid(slow);
    expect(await rig.find('slow')).toBeNull();
    expectInvalid(await opened(rig, 'join', `itoken=${secret}`));
  });

  it('IN-5, IN-6: opening one uses nothing up, whoever looks; writing does, in one commit with its event', async () => {
    const { secret, invitation } = await invite(rig, { name: 'once', singleUse: true });
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-purpose': 'prefetch' }])
      for (const method of ['GET', 'HEAD'])
        await rig.visitor().request(`/if/flow/join/?itoken=${secret}`, { method, headers });
    const givenUp = await opened(rig, 'join', `itoken=${secret}`);
    await givenUp.answer({ username: 'given-up', email: 'no address' });
    givenUp.expectProblem('email', 'invalid');
    expect(await uses(rig, secret)).toBe(0);
    expect(await rig.events('invitation_used')).not.toMatchObject([{ context: { invitation: 'once' } }]);
    const visitor = await opened(rig, 'join', `itoken=${secret}`);
    await visitor.answer({ username: 'invited', email: 'invited@example.com' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('invited');
    expect(await uses(rig, secret)).toBe(1);
    const [event] = await rig.events('invitation_used', 'invited');
    expect(event).toMatchObject({
      ...{ flow: 'join', address: '192.0.2.1', user: { username: 'invited' } },
      context: { invitation: 'once', invitation_uuid: invitation.uuid.replaceAll('-', '') },
    });
    expectInvalid(await opened(rig, 'join', `itoken=${secret}`));
    await givenUp.answer({ username: 'given-up', email: 'late@example.com' });
    expectInvalid(givenUp);
    expect(await rig.find('given-up')).toBeNull();
  });

  it('IN-6: of 50 who answer at the same time, one is written', async () => {
    const { secret } = await invite(rig, { singleUse: true });
    const visitors = await Promise.all(Array.from({ length: 50 }, () => opened(rig, 'join', `itoken=${secret}`)));
    await Promise.all(
      visitors.map((one, index) => one.answer({ username: `racer-${index}`, email: `racer-${index}@example.com` })),
    );
    const won = visitors.filter(({ challenge }) => challenge.component === 'xak-flow-redirect');
    expect(won).toHaveLength(1);
    for (const visitor of visitors) if (visitor !== won[0]) expectInvalid(visitor);
    expect(await rig.usernames('racer-')).toEqual([await won[0]?.whoAmI()]);
    expect(await uses(rig, secret)).toBe(1);
  });

  it('others are good for many, and count them', async () => {
    const { secret } = await invite(rig);
    for (const name of ['first', 'second']) {
      const visitor = await opened(rig, 'join', `itoken=${secret}`);
      await visitor.answer({ username: name, email: `${name}@example.com` });
      visitor.expectEnd();
    }
    expect(await uses(rig, secret)).toBe(2);
  });

  describe('IN-7: fixed data', () => {
    const fixedData = { email: 'ada@example.com', attributes: { team: 'engines', plan: { seats: 3 } } };

    it('is shown and not asked, is not changed by what is sent, and came from the invitation', async () => {
      const { secret } = await invite(rig, { name: 'engines', fixedData });
      const visitor = await opened(rig, 'join', `itoken=${secret}`);
      expect(visitor.challenge.fields).toMatchObject([
        { field_key: 'username', type: 'username' },
        { field_key: 'email', type: 'text_read_only', initial_value: 'ada@example.com' },
        { field_key: 'attributes.team', type: 'text_read_only', initial_value: 'engines' },
      ]);
      const forged = { email: 'eve@example.com', 'attributes.team': 'mine', attributes: { team: 'mine' } };
      await visitor.answer({ username: '', ...forged });
      expect(visitor.challenge.fields).toMatchObject([{}, { initial_value: 'ada@example.com' }, {}]);
      await visitor.answer({ username: 'ada', ...forged });
      visitor.expectEnd();
      const user = await rig.find('ada');
      expect(user).toMatchObject({
        ...{ email: 'ada@example.com', attributes: { team: 'engines', plan: { seats: 3 } } },
      });
      const origin = { kind: 'invitation', invitation: 'engines' };
      expect(await rig.auth.users.provenance(user?.id ?? 0)).toMatchObject({
        ...{ username: { origin: { kind: 'prompt' } }, email: { origin }, 'attributes.team': { origin } },
        'attributes.plan.seats': { origin },
      });
    });

    it('beats what was typed before it, and a whole that was typed around it', async () => {
      const asked = promptFor(username, 'attributes_team', 'attributes.plan');
      await rig.flow('after', [asked, stage(), promptFor('attributes.plan.seats', 'attributes.plan'), create]);
      const { secret } = await invite(rig, { flow: 'after', fixedData });
      const visitor = await opened(rig, 'after', `itoken=${secret}`);
      await visitor.answer({ username: 'before', attributes_team: 'mine', 'attributes.plan': 'all' });
      await visitor.answer({ 'attributes.plan.seats': '1000', 'attributes.plan': 'all' });
      visitor.expectEnd();
      expect(await rig.find('before')).toMatchObject({ attributes: { team: 'engines', plan: { seats: 3 } } });
    });

    it('that cannot be written is nobody’s to mend: the flow says so instead of asking again', async () => {
      await rig.user('taken');
      const { secret } = await invite(rig, { fixedData: { username: 'taken' }, singleUse: true });
      const visitor = await opened(rig, 'join', `itoken=${secret}`);
      await visitor.answer({ email: 'x@example.com', username: 'free' });
      visitor.expectDenied();
      expect(await rig.find('free')).toBeNull();
      expect(await uses(rig, secret)).toBe(0);
    });

    it('works without a browser, where the secret is an answer; a dry run uses nothing up', async () => {
      await rig.flow('records', [stage(), create]);
      const { secret } = await invite(rig, { flow: 'records', fixedData: { ...fixedData, username: 'record' } });
      const context = { prompt_data: { token: secret } };
      expect(await rig.auth.flows.execute('records', { context, dryRun: true })).toMatchObject({ status: 'done' });
      expect(await uses(rig, secret)).toBe(0);
      expect(await rig.auth.flows.execute('records', { context })).toMatchObject({ status: 'done' });
      expect(await rig.find('record')).toMatchObject({ email: 'ada@example.com' });
      expect(await uses(rig, secret)).toBe(1);
    });
  });

  it('survive a detour: another flow goes on with what is known, and its write uses them up', async () => {
    await rig.flow('beyond', [dummy, promptFor(username, email), create, login], {
      attrs: { authentication: 'require_redirect' },
    });
    const redirect = { mode: 'flow', target_flow: '!Find [authentik_flows.flow, [slug, beyond]]' };
    await rig.flow('here', [stage(), { kind: 'redirect', attrs: redirect }]);
    const { secret } = await invite(rig, { flow: 'here', singleUse: true, fixedData: { email: 'far@example.com' } });
    const query = `itoken=${secret}`;
    const visitor = await opened(rig, 'here', query);
    visitor.expectEnd(`/if/flow/beyond/?${query}`);
    await visitor.open('beyond', query);
    await visitor.answer();
    expect(visitor.challenge.fields).toMatchObject([{}, { type: 'text_read_only' }]);
    await visitor.answer({ username: 'traveller', email: 'eve@example.com' });
    visitor.expectEnd();
    expect(await rig.find('traveller')).toMatchObject({ email: 'far@example.com' });
    expect(await uses(rig, secret)).toBe(1);
    expectInvalid(await opened(rig, 'here', query));
  });

  it('W34: a flow that begins again after its write goes on with the invitation that it used', async () => {
    let fails = true;
    const judge = rig.probe('judge', { answer: () => (fails ? { kind: 'deny', message: 'No.' } : { kind: 'pass' }) });
    const restarting = { ...judge, binding: { invalid_response_action: 'restart' } };
    await rig.flow('again', [stage(), promptFor(username), create, restarting]);
    const { secret } = await invite(rig, { flow: 'again', singleUse: true, fixedData: { name: 'Given' } });
    const visitor = await opened(rig, 'again', `itoken=${secret}`);
    await visitor.answer({ username: 'again' });
    await visitor.answer();
    visitor.expectAsk('ak-stage-prompt');
    fails = false;
    await visitor.answer({ username: 'again-2' });
    await visitor.answer();
    visitor.expectEnd();
    expect(await rig.usernames('again')).toEqual(['again-2']);
    expect(await uses(rig, secret)).toBe(1);
    expect(await rig.events('invitation_used', 'again')).toHaveLength(1);
  });

  it('another invitation in the same browser is another run', async () => {
    const [one, two] = [
      await invite(rig, { fixedData: { email: 'one@example.com' } }),
      await invite(rig, { fixedData: { email: 'two@example.com' } }),
    ];
    const visitor = await opened(rig, 'join', `itoken=${one.secret}`);
    await visitor.answer({ username: '' });
    for (const [name, { secret }] of [
      ['token', two],
      ['itoken', one],
    ] as const) {
      await visitor.open('join', `${name}=${secret}`);
      const address = name === 'token' ? 'two@example.com' : 'one@example.com';
      expect(visitor.challenge.fields).toMatchObject([{}, { initial_value: address }, {}]);
    }
  });
});

function invite(rig: EngineRig, more: Partial<NewInvitation> = {}) {
  return rig.auth.invitations.create({ name: 'friends', flow: 'join', ...more });
}

async function opened(rig: EngineRig, flow: string, query: string): Promise<Visitor> {
  const visitor = rig.visitor();
  await visitor.open(flow, query);
  return visitor;
}

async function uses(rig: EngineRig, secret: string): Promise<number | undefined> {
  return (await rig.store.read.invitation(hashToken(secret)))?.uses;
}

function expectInvalid(visitor: Visitor): void {
  const { error_message: message } = visitor.expectAsk('ak-stage-access-denied');
  expect(message).toMatch(/^This invitation is not valid\./);
}
