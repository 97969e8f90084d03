import { expect, it } from 'vitest';
import type { WireChallenge } from '../../src/protocol/challenge.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { dummy, field, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const minute = 60_000;
const enroll = [promptFor('username', 'name'), write({ user_creation_mode: 'always_create' })];

/* CONTRACT: Runs, line by line. */
onBothDatabases('runs', (rig) => {
  it('a GET, a reload and a second tab run no stage code once the run has a row', async () => {
    await rig.flow('counted', [promptFor('a'), rig.probe('counted')]);
    const visitor = rig.visitor();
    await visitor.open('counted');
    await visitor.answer({ a: '1' });
    visitor.expectAsk('ak-stage-own-probe');
    const tab = visitor.clone();
    for (const window of [visitor, tab, visitor, tab]) {
      await window.open('counted');
      window.expectAsk('ak-stage-own-probe');
    }
    await Promise.all([1, 2, 3, 4].map(() => visitor.clone().open('counted')));
    expect(rig.visits.filter((visit) => visit.startsWith('counted'))).toEqual(['counted entered']);
  });

  it('a first stage that remembers something is visited once, whatever the number of tabs', async () => {
    const enter = () => ({ kind: 'ask', challenge: { component: 'ak-stage-own-probe' }, memo: { a: 1 } }) as const;
    await rig.flow('remembering', [rig.probe('remembering', { enter })]);
    const visitor = rig.visitor();
    await visitor.open('remembering');
    await Promise.all([1, 2, 3].map(() => visitor.clone().open('remembering')));
    expect(rig.visits.filter((visit) => visit.startsWith('remembering'))).toEqual(['remembering entered']);
  });

  it('visitors who never answer, or answer wrongly, cost no row', async () => {
    await rig.flow('idle', [promptFor(field('a', { required: true }))]);
    const visitor = rig.visitor();
    await visitor.open('idle');
    await visitor.answer({});
    visitor.expectProblem('a', 'required');
    expect(await runsOf('idle')).toBe(0);
    await visitor.answer({ a: 'b' });
    expect(await runsOf('idle')).toBe(1);
  });

  it.each([true, false])(
    'a doubled POST (with step token: %s) writes one user and gets one answer',
    async (tokened) => {
      const username = `doubled ${tokened}`;
      await rig.flow('doubled', enroll);
      const visitor = rig.visitor();
      await visitor.open('doubled', 'next=/done');
      const body = { component: 'ak-stage-prompt', username };
      const step = tokened ? visitor.step : null;
      const answers = [
        await json(visitor, body, step),
        await json(visitor, body, step),
        await json(visitor, body, step),
      ];
      expect(answers).toEqual(Array(3).fill({ component: 'xak-flow-redirect', to: '/done' }));
      expect(await rig.usernames(username)).toEqual([username]);
      expect(await rig.events('user_write', username)).toHaveLength(1);
    },
  );

  it.each([true, false])('ten at once (with step token: %s): one user, one event, the same answer', async (tokened) => {
    const username = `ten at once ${tokened}`;
    await rig.flow('at-once', enroll);
    const visitor = rig.visitor();
    await visitor.open('at-once');
    const body = { component: 'ak-stage-prompt', username };
    const step = tokened ? visitor.step : null;
    const answers = await Promise.all(Array.from({ length: 10 }, () => json(visitor.clone(), body, step)));
    expect(answers).toEqual(Array(10).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await rig.usernames(username)).toEqual([username]);
    expect(await rig.events('user_write', username)).toHaveLength(1);
  });

  it('ten at once in the middle of a flow: all see the same next challenge, and the stage ran once', async () => {
    await rig.flow('middle', [promptFor('a'), rig.probe('middle'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('middle');
    const body = { component: 'ak-stage-prompt', a: '1' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => json(visitor.clone(), body, visitor.step)));
    expect(answers.map(({ component }) => component)).toEqual(Array(10).fill('ak-stage-own-probe'));
    await visitor.open('middle');
    visitor.expectAsk('ak-stage-own-probe');
    await visitor.answer();
    visitor.expectAsk('ak-stage-dummy');
  });

  it('an answer to a component other than the current one is stale: the current one again, nothing counted', async () => {
    await rig.flow('stale', [promptFor('a'), rig.probe('stale')]);
    const visitor = rig.visitor();
    await visitor.open('stale');
    const early = await json(visitor, { component: 'ak-stage-dummy' }, null);
    expect(early).toMatchObject({ component: 'ak-stage-prompt' });
    expect(early).not.toHaveProperty('response_errors');
    await visitor.answer({ a: '1' });
    const late = await json(visitor, { component: 'ak-stage-prompt', a: '2' }, null);
    expect(late).toMatchObject({ component: 'ak-stage-own-probe' });
    expect(late).not.toHaveProperty('response_errors');
    expect(rig.visits).not.toContain('stale answered');
  });

  it('a stale step token: the current challenge again, nothing counted', async () => {
    await rig.flow('two-alike', [promptFor('a'), promptFor(field('b', { required: true })), dummy]);
    const visitor = rig.visitor();
    await visitor.open('two-alike');
    const first = visitor.step;
    await visitor.answer({ a: '1' });
    const again = await json(visitor, { component: 'ak-stage-prompt', a: '1' }, first);
    expect(fieldsOf(again)).toEqual(['b']);
    expect(again).not.toHaveProperty('response_errors');
    await visitor.answer({ b: '2' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it.each(['flow', 'session', 'run', 'nobody'])('a step token of another %s takes no answer', async (other) => {
    const stages = [promptFor('a'), dummy];
    const mine = `mine-${other}`;
    await rig.flow(mine, stages);
    await rig.flow('theirs', stages);
    const stranger = rig.visitor();
    const visitor = rig.visitor();
    await stranger.open(mine);
    await visitor.open(mine, 'itoken=other');
    const ofRun = visitor.step;
    await visitor.open('theirs');
    const tokens = { flow: visitor.step, session: stranger.step, run: ofRun, nobody: 'made up' };
    await visitor.open(mine);
    const token = tokens[other as keyof typeof tokens];
    expect(fieldsOf(await json(visitor, { component: 'ak-stage-prompt', a: '1' }, token))).toEqual(['a']);
    expect(await runsOf(mine)).toBe(0);
    await visitor.answer({ a: '1' });
    visitor.expectAsk('ak-stage-dummy');
    const later = await json(visitor, { component: 'ak-stage-dummy' }, token);
    expect(later).toMatchObject({ component: 'ak-stage-dummy' });
    await visitor.answer();
    visitor.expectEnd();
  });

  it('a POST before any GET plans and answers the first stage', async () => {
    await rig.flow('at-once', enroll);
    const visitor = rig.visitor();
    await visitor.open('at-once');
    const fresh = rig.visitor();
    const answer = await fresh.request('/api/v3/flows/executor/at-once/?query=', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ component: 'ak-stage-prompt', username: 'posted first' }),
    });
    expect(await answer.json()).toEqual({ component: 'xak-flow-redirect', to: '/' });
    expect(await rig.find('posted first')).not.toBeNull();
  });

  it('after the end a POST gets the recorded outcome for ten minutes, whatever it says', async () => {
    await rig.flow('recorded', [promptFor('username'), write({ user_creation_mode: 'always_create' })]);
    const visitor = rig.visitor();
    await visitor.open('recorded', 'next=/here');
    const { step } = visitor;
    const body = (username: string) => ({ component: 'ak-stage-prompt', username });
    await visitor.answer(body('recorded once'));
    visitor.expectEnd('/here');
    rig.clock.advance(9 * minute);
    for (const token of [step, null])
      expect(await json(visitor, body('recorded twice'), token)).toEqual({
        component: 'xak-flow-redirect',
        to: '/here',
      });
    expect(await rig.find('recorded twice')).toBeNull();
    rig.clock.advance(2 * minute);
    expect(fieldsOf(await json(visitor, body('recorded twice'), step))).toEqual(['username']);
    expect(await rig.find('recorded twice')).toBeNull();
    await json(visitor, body('recorded twice'), null);
    expect(await rig.find('recorded twice')).not.toBeNull();
  });

  it('a GET after the end starts anew, and then a POST without a token is taken as new', async () => {
    await rig.flow('anew', [promptFor('username'), write({ user_creation_mode: 'always_create' })]);
    const visitor = rig.visitor();
    await visitor.open('anew');
    const old = visitor.step;
    await visitor.answer({ username: 'anew one' });
    visitor.expectEnd();
    await visitor.open('anew');
    visitor.expectAsk('ak-stage-prompt');
    expect(fieldsOf(await json(visitor, { username: 'anew two' }, old))).toEqual(['username']);
    expect(await json(visitor, { username: 'anew two' }, null)).toMatchObject({ component: 'xak-flow-redirect' });
    expect(await rig.usernames('anew')).toEqual(['anew one', 'anew two']);
  });

  it('a denial is an end like any other', async () => {
    await rig.flow('refusing', [dummy, { kind: 'deny', attrs: { deny_message: 'no' } }]);
    const visitor = rig.visitor();
    await visitor.open('refusing');
    await visitor.answer();
    expect(await json(visitor, { component: 'ak-stage-dummy' }, null)).toMatchObject({ error_message: 'no' });
    await visitor.open('refusing');
    visitor.expectAsk('ak-stage-dummy');
  });

  it('another invitation or link is another run; tabs of the same one share it', async () => {
    await rig.flow('invited', [promptFor('a'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('invited', 'itoken=one');
    await visitor.answer({ a: '1' });
    visitor.expectAsk('ak-stage-dummy');
    const other = visitor.clone();
    await other.open('invited', 'itoken=two');
    other.expectAsk('ak-stage-prompt');
    await other.open('invited', 'flow_token=one');
    other.expectAsk('ak-stage-prompt');
    await other.open('invited', 'itoken=one&next=/x');
    other.expectAsk('ak-stage-dummy');
  });

  it('an expired run starts anew, and its answers are not taken', async () => {
    await rig.flow('expiring', [promptFor('a'), promptFor('b'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('expiring');
    await visitor.answer({ a: '1' });
    rig.clock.advance(25 * 60 * minute);
    expect(fieldsOf(await visitor.answer({ b: '2' }))).toEqual(['a']);
    await visitor.answer({ a: '1' });
    expect(fieldsOf(visitor.challenge)).toEqual(['b']);
    await visitor.answer({ b: '2' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it('a flow that changes meanwhile: the run ends on its version, the next one begins on the new', async () => {
    await rig.flow('changing', [promptFor('a'), promptFor('b'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('changing');
    await visitor.answer({ a: '1' });
    await rig.flow('changing', [promptFor('c'), promptFor('d'), { kind: 'deny' }]);
    await visitor.open('changing');
    expect(fieldsOf(visitor.challenge)).toEqual(['b']);
    await visitor.answer({ b: '1' });
    visitor.expectAsk('ak-stage-dummy');
    await visitor.answer();
    visitor.expectEnd();
    await visitor.open('changing');
    expect(fieldsOf(visitor.challenge)).toEqual(['c']);
  });

  it('a flow that is deleted meanwhile: whoever is in it is told to start again, others find nothing', async () => {
    await rig.flow('doomed', [promptFor('a'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('doomed');
    await visitor.answer({ a: '1' });
    const gone = { model: 'authentik_flows.flow', state: 'absent', identifiers: { slug: 'doomed' } };
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [gone] }));
    await visitor.answer();
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    await visitor.open('doomed');
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    const { status } = await rig.visitor().request('/api/v3/flows/executor/doomed/?query=');
    expect(status).toBe(404);
  });

  it('a flow that is deleted and made again is a new one: no version or run of the old one comes back', async () => {
    await rig.flow('reborn', [promptFor('a'), promptFor('b')]);
    const visitor = rig.visitor();
    await visitor.open('reborn');
    await visitor.answer({ a: '1' });
    const gone = { model: 'authentik_flows.flow', state: 'absent', identifiers: { slug: 'reborn' } };
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [gone] }));
    await rig.flow('reborn', [promptFor('c'), dummy]);
    await visitor.answer({ b: '1' });
    visitor.expectDenied('This page has changed meanwhile. Please start again.');
    await visitor.open('reborn');
    expect(fieldsOf(visitor.challenge)).toEqual(['c']);
    await visitor.answer({ c: '1' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it('a stage of a kind that is not installed stops the flow: it is never skipped', async () => {
    await rig.flow('foreign', [promptFor('username'), rig.probe('foreign'), write()]);
    const lacking = await rig.another({ probes: false });
    const visitor = lacking.visitor();
    await visitor.open('foreign');
    await visitor.answer({ username: 'past the unknown' });
    visitor.expectAsk('ak-stage-flow-error');
    await visitor.answer({});
    expect(await rig.find('past the unknown')).toBeNull();
  });

  it.each(['schema', 'seal'])('a run whose %s is unreadable cannot go on: the visitor starts again', async (what) => {
    await rig.flow(`unreadable-${what}`, [
      promptFor('username', field('password', { type: 'password' })),
      dummy,
      write(),
    ]);
    const visitor = rig.visitor();
    await visitor.open(`unreadable-${what}`);
    await visitor.answer({ username: `unreadable ${what}`, password: 'a password' });
    visitor.expectAsk('ak-stage-dummy');
    const [from, to] = what === 'schema' ? ['"schema":1', '"schema":99'] : ['"$sealed":"', '"$sealed":"x'];
    const flow = `unreadable-${what}`;
    await rig.driver.write({
      text: 'UPDATE doorward_run SET state = replace(state, ?, ?) WHERE flow = ? RETURNING 1',
      params: [from, to, flow],
    });
    await visitor.answer();
    visitor.expectAsk('ak-stage-prompt');
    expect(await rig.find(`unreadable ${what}`)).toBeNull();
  });

  it('two servers on one database serve one visitor alternately', async () => {
    const other = await rig.another({ probes: true });
    await rig.flow('alternating', [promptFor('username'), promptFor('name'), promptFor('email'), write()]);
    const path = '/api/v3/flows/executor/alternating/?query=';
    const visitor = rig.visitor();
    await visitor.open('alternating');
    let step: string | null = visitor.step;
    for (const [index, body] of [{ username: 'alternating' }, { name: 'A' }, { email: 'a@example.com' }].entries()) {
      const { auth } = index % 2 === 0 ? other : rig;
      const response = await auth.fetch(
        new Request(new URL(path, 'http://localhost:9000'), {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            cookie: [...visitor.cookies].map((pair) => pair.join('=')).join('; '),
            ...(step === null ? {} : { 'doorward-step': step }),
          },
          body: JSON.stringify(body),
        }),
      );
      step = response.headers.get('doorward-step');
    }
    expect(await rig.find('alternating')).toMatchObject({ name: 'A', email: 'a@example.com' });
  });

  it('10,000 fields: a JSON answer or a form of them gets a clear answer and loses nothing', async () => {
    await rig.flow('many-fields', [promptFor('a'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('many-fields');
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 'x']));
    const asJson = await visitor.post({ ...many, a: '1' }, visitor.step);
    expect([asJson.status, await asJson.json()]).toMatchObject([400, { code: 'unreadable_body' }]);
    const asForm = await visitor.request('/if/flow/many-fields/', {
      method: 'POST',
      headers: { origin: 'http://localhost:9000' },
      body: new URLSearchParams(many),
    });
    expect(asForm.status).toBe(400);
    await visitor.answer({ a: '1' });
    visitor.expectAsk('ak-stage-dummy');
  });

  async function runsOf(flow: string): Promise<number> {
    return (await rig.driver.read({ text: 'SELECT 1 FROM doorward_run WHERE flow = ?', params: [flow] })).length;
  }
});

async function json(visitor: Visitor, body: Record<string, unknown>, step: string | null): Promise<WireChallenge> {
  return (await (await visitor.post(body, step)).json()) as WireChallenge;
}

function fieldsOf(challenge: WireChallenge): readonly unknown[] {
  if (challenge.component !== 'ak-stage-prompt') throw new Error(`no prompt but ${JSON.stringify(challenge)}`);
  return (challenge.fields as readonly { readonly field_key: string }[]).map(({ field_key }) => field_key);
}
