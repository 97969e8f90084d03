import { expect, it, vi } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import { answerOf, dummy, field, fieldsOf, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const minute = 60_000;
const wrong = { kind: 'retry', problems: { a: [{ code: 'wrong', text: 'Wrong.' }] } } as const;
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
        await answerOf(visitor, body, step),
        await answerOf(visitor, body, step),
        await answerOf(visitor, body, step),
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
    const answers = await Promise.all(Array.from({ length: 10 }, () => answerOf(visitor.clone(), body, step)));
    expect(answers).toEqual(Array(10).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await rig.usernames(username)).toEqual([username]);
    expect(await rig.events('user_write', username)).toHaveLength(1);
  });

  it('D-14: ten at once over two servers: one user, one event, the same answer', async () => {
    const other = await rig.another({ probes: true });
    await rig.flow('two-servers', enroll);
    const visitor = rig.visitor();
    await visitor.open('two-servers');
    const there = other.visitor();
    for (const [name, value] of visitor.cookies) there.cookies.set(name, value);
    await there.open('two-servers');
    const body = { component: 'ak-stage-prompt', username: 'over two servers' };
    const windows = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? visitor : there).clone());
    const answers = await Promise.all(windows.map((window) => answerOf(window, body, visitor.step)));
    expect(answers).toEqual(Array(10).fill({ component: 'xak-flow-redirect', to: '/' }));
    expect(await rig.usernames('over two servers')).toEqual(['over two servers']);
    expect(await rig.events('user_write', 'over two servers')).toHaveLength(1);
  });

  it('ten at once in the middle of a flow: all see the same next challenge, and the stage ran once', async () => {
    await rig.flow('middle', [promptFor('a'), rig.probe('middle'), dummy]);
    const visitor = rig.visitor();
    await visitor.open('middle');
    const body = { component: 'ak-stage-prompt', a: '1' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => answerOf(visitor.clone(), body, visitor.step)));
    expect(answers.map(({ component }) => component)).toEqual(Array(10).fill('ak-stage-own-probe'));
    await visitor.open('middle');
    visitor.expectAsk('ak-stage-own-probe');
    await visitor.answer();
    visitor.expectAsk('ak-stage-dummy');
  });

  it.each([0, 1])(
    'W34 an answer that is wrong only since its double was first gets the outcome (row: %i)',
    async (row) => {
      let open = (): void => undefined;
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      const answer = async (_: unknown, { late }: JsonObject) => {
        if (late === true) await gate;
        return late === true ? wrong : ({ kind: 'pass' } as const);
      };
      const slug = `late-${row}`;
      await rig.flow(slug, [...(row === 1 ? [promptFor('a')] : []), rig.probe(slug, { answer })]);
      const visitor = rig.visitor();
      await visitor.open(slug);
      if (row === 1) await visitor.answer({ a: '1' });
      const late = answerOf(visitor.clone(), { late: true }, visitor.step);
      await vi.waitUntil(() => rig.visits.includes(`${slug} answered`), { timeout: 110_000 });
      expect(await answerOf(visitor.clone(), {}, visitor.step)).toMatchObject({ component: 'xak-flow-redirect' });
      open();
      expect(await late).toEqual({ component: 'xak-flow-redirect', to: '/' });
    },
  );

  it('an answer to a component other than the current one is stale: the current one again, nothing counted', async () => {
    await rig.flow('stale', [promptFor('a'), rig.probe('stale')]);
    const visitor = rig.visitor();
    await visitor.open('stale');
    const early = await answerOf(visitor, { component: 'ak-stage-dummy' }, null);
    expect(early).toMatchObject({ component: 'ak-stage-prompt' });
    expect(early).not.toHaveProperty('response_errors');
    await visitor.answer({ a: '1' });
    const late = await answerOf(visitor, { component: 'ak-stage-prompt', a: '2' }, null);
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
    const again = await answerOf(visitor, { component: 'ak-stage-prompt', a: '1' }, first);
    expect(fieldsOf(again)).toEqual(['b']);
    expect(again).not.toHaveProperty('response_errors');
    await visitor.answer({ b: '2' });
    visitor.expectAsk('ak-stage-dummy');
  });

  it.each(['of another flow', 'of another session', 'of another run', 'that nobody made'])(
    'a step token %s takes no answer',
    async (which) => {
      const stages = [promptFor('a'), dummy];
      const mine = which.replaceAll(' ', '-');
      await rig.flow(mine, stages);
      await rig.flow('theirs', stages);
      const stranger = rig.visitor();
      const visitor = rig.visitor();
      await stranger.open(mine);
      await visitor.open(mine, 'itoken=other');
      const ofRun = visitor.step;
      await visitor.open('theirs');
      const tokens: Record<string, string | null> = {
        'of another flow': visitor.step,
        'of another session': stranger.step,
        'of another run': ofRun,
      };
      await visitor.open(mine);
      const token = tokens[which] ?? 'made up';
      expect(fieldsOf(await answerOf(visitor, { component: 'ak-stage-prompt', a: '1' }, token))).toEqual(['a']);
      expect(await runsOf(mine)).toBe(0);
      await visitor.answer({ a: '1' });
      visitor.expectAsk('ak-stage-dummy');
      const later = await answerOf(visitor, { component: 'ak-stage-dummy' }, token);
      expect(later).toMatchObject({ component: 'ak-stage-dummy' });
      await visitor.answer();
      visitor.expectEnd();
    },
  );

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
      expect(await answerOf(visitor, body('recorded twice'), token)).toEqual({
        component: 'xak-flow-redirect',
        to: '/here',
      });
    expect(await rig.find('recorded twice')).toBeNull();
    rig.clock.advance(2 * minute);
    expect(fieldsOf(await answerOf(visitor, body('recorded twice'), step))).toEqual(['username']);
    expect(await rig.find('recorded twice')).toBeNull();
    await answerOf(visitor, body('recorded twice'), null);
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
    expect(fieldsOf(await answerOf(visitor, { username: 'anew two' }, old))).toEqual(['username']);
    expect(await answerOf(visitor, { username: 'anew two' }, null)).toMatchObject({ component: 'xak-flow-redirect' });
    expect(await rig.usernames('anew')).toEqual(['anew one', 'anew two']);
  });

  it('a denial is an end like any other', async () => {
    await rig.flow('refusing', [dummy, { kind: 'deny', attrs: { deny_message: 'no' } }]);
    const visitor = rig.visitor();
    await visitor.open('refusing');
    await visitor.answer();
    expect(await answerOf(visitor, { component: 'ak-stage-dummy' }, null)).toMatchObject({ error_message: 'no' });
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
    await other.open('invited', 'itoken=one&next=/x');
    other.expectAsk('ak-stage-dummy');
  });

  async function runsOf(flow: string): Promise<number> {
    return (await rig.driver.read({ text: 'SELECT 1 FROM doorward_run WHERE flow = ?', params: [flow] })).length;
  }
});
