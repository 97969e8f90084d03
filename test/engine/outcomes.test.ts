import { expect, it } from 'vitest';
import {
  dummy,
  type EngineRig,
  field,
  groupPolicy,
  login,
  onBothDatabases,
  promptFor,
  write,
} from '../support/engine-rig.ts';
import type { StagePart } from '../support/flow-yaml.ts';

const loops = 'This flow does not come to an end. Please tell the administrator.';
const wrong = { kind: 'retry', problems: { a: [{ code: 'wrong', text: 'Wrong.' }] } } as const;

/* What stages may decide, and what the flow makes of it (CONTRACT: Outcomes; stages.md B-2 to B-4, RE-1 to RE-5). */
onBothDatabases('outcomes', (rig) => {
  it('invalid_response_action retry: the same again with problems; restart: from the start, what was answered is gone', async () => {
    for (const action of ['retry', 'restart', 'restart_with_context']) {
      const seen = rig.probe(`seen ${action}`, {
        enter: ({ context }) => ({ kind: 'finish', to: `/${JSON.stringify(context.prompt_data ?? null)}` }),
      });
      const judge = rig.probe(`judge ${action}`, { answer: (_, { a }) => (a === 'right' ? { kind: 'pass' } : wrong) });
      const stages = [dummy, promptFor('name'), { ...judge, binding: { invalid_response_action: action } }];
      await rig.flow(`answers-${action}`, stages);
      await rig.flow(`answers-${action}`, [...stages, seen]);
    }
    const visitor = rig.visitor();
    const walk = async (slug: string): Promise<void> => {
      await visitor.open(slug);
      await visitor.answer();
      await visitor.answer({ name: 'Ada' });
      await visitor.answer({ a: 'wrong' });
    };
    await walk('answers-retry');
    visitor.expectAsk('ak-stage-own-probe');
    visitor.expectProblem('a', 'wrong');
    await visitor.answer({ a: 'right' });
    visitor.expectEnd('/[["name","Ada"]]');
    await walk('answers-restart');
    visitor.expectAsk('ak-stage-dummy');
    expect(visitor.challenge).not.toHaveProperty('response_errors');
    await walk('answers-restart_with_context');
    visitor.expectAsk('ak-stage-dummy');
    await visitor.open('answers-restart_with_context');
    visitor.expectAsk('ak-stage-dummy');
  });

  it('restart_with_context keeps what is known, restart forgets it', async () => {
    for (const action of ['restart', 'restart_with_context']) {
      const known = rig.probe(`known ${action}`, {
        enter: ({ context }) =>
          context.round === 1
            ? { kind: 'finish', to: '/kept' }
            : { kind: 'ask', challenge: { component: 'ak-stage-own-probe' } },
        answer: () => ({ kind: 'pass', context: { round: 1 } }),
      });
      await rig.flow(`context-${action}`, [known, { kind: 'deny', binding: { invalid_response_action: action } }]);
    }
    const visitor = rig.visitor();
    await visitor.open('context-restart');
    await visitor.answer();
    visitor.expectAsk('ak-stage-own-probe');
    await visitor.open('context-restart_with_context');
    await visitor.answer();
    visitor.expectEnd('/kept');
  });

  it('DN-2 a self-acting stage that restarts ends with a flow error, and does not hang', async () => {
    for (const action of ['restart', 'restart_with_context']) {
      await rig.flow(`loop-${action}`, [{ kind: 'deny', binding: { invalid_response_action: action } }]);
      const visitor = rig.visitor();
      await visitor.open(`loop-${action}`);
      visitor.expectDenied(loops);
    }
    await rig.flow('loop-write', [write({}, { invalid_response_action: 'restart' })]);
    const visitor = rig.visitor();
    await visitor.open('loop-write');
    visitor.expectDenied(loops);
  });

  it('fifty stages pass in one request, one more ends the flow', async () => {
    rig.probe('passing', { enter: () => ({ kind: 'pass' }) });
    const passing = { pk: 'passing', name: 'passing', kind: 'probe', config: { script: 'passing' } };
    for (const count of [50, 51]) {
      const stages = Array.from({ length: count - 1 }, () => passing);
      await rig.flow(`pass-${count}`, [rig.probe(`pass ${count}`, { enter: () => ({ kind: 'insert', stages }) })]);
    }
    const visitor = rig.visitor();
    await visitor.open('pass-50');
    visitor.expectEnd();
    await visitor.open('pass-51');
    visitor.expectDenied(loops);
  });

  it('a restart undoes no effect twice: a loop that wrote a user leaves one user, not fifty', async () => {
    const name = rig.probe('a name', {
      enter: () => ({ kind: 'pass', context: { prompt_data: [['username', 'looped']] } }),
    });
    const deny: StagePart = { kind: 'deny', binding: { invalid_response_action: 'restart' } };
    await rig.flow('loop-create', [name, write({ user_creation_mode: 'always_create' }), deny]);
    const visitor = rig.visitor();
    await visitor.open('loop-create');
    visitor.expectAsk('ak-stage-access-denied');
    expect((await rig.usernames('looped')).length).toBeLessThanOrEqual(1);
  });

  it('insert: stages of no binding come next, in their order', async () => {
    const stageOf = (name: string) => ({ pk: name, name, kind: 'dummy', config: { throw_error: false } });
    const inserting = rig.probe('inserting', {
      enter: () => ({ kind: 'insert', stages: [stageOf('one'), stageOf('two')], context: { a: 1 } }),
    });
    await rig.flow('inserts', [inserting, { kind: 'deny', attrs: { deny_message: 'the rest' } }]);
    const visitor = rig.visitor();
    await visitor.open('inserts');
    expect(visitor.expectAsk('ak-stage-dummy').name).toBe('one');
    await visitor.answer();
    expect(visitor.expectAsk('ak-stage-dummy').name).toBe('two');
    await visitor.answer();
    visitor.expectDenied('the rest');
  });

  it('every outcome may carry effects: an ask, a retry and a denial count', async () => {
    const event = (action: string) => ({ kind: 'event', event: { ...eventOf(rig), action } }) as const;
    const counting = rig.probe('counting', {
      enter: () => ({ kind: 'ask', challenge: { component: 'ak-stage-own-probe' }, effects: [event('asked')] }),
      answer: (_, { a }) =>
        a === 'deny'
          ? { kind: 'deny', message: 'no', effects: [event('denied')] }
          : { ...wrong, effects: [event('wrong')] },
    });
    await rig.flow('counting', [counting]);
    const visitor = rig.visitor();
    await visitor.open('counting');
    await visitor.open('counting');
    await visitor.answer({ a: 'wrong' });
    await visitor.answer({ a: 'wrong' });
    visitor.expectProblem('a', 'wrong');
    await visitor.answer({ a: 'deny' });
    visitor.expectDenied('no');
    const counts = await Promise.all(
      ['asked', 'wrong', 'denied'].map(async (action) => (await rig.events(action)).length),
    );
    expect(counts).toEqual([1, 2, 1]);
  });

  it('a stage remembers by its memo, and the next one begins without', async () => {
    const remembering = rig.probe('memo', {
      enter: ({ memo }) => ({ kind: 'ask', challenge: { component: 'ak-stage-own-probe', memo }, memo: { tries: 0 } }),
      answer: ({ memo }) => {
        const { tries } = memo as { tries: number };
        if (tries === 2) return { kind: 'pass' };
        return { ...wrong, challenge: { component: 'ak-stage-own-probe', tries }, memo: { tries: tries + 1 } };
      },
    });
    await rig.flow('memo', [remembering, remembering]);
    const visitor = rig.visitor();
    await visitor.open('memo');
    expect((await visitor.answer()).tries).toBe(0);
    expect((await visitor.answer()).tries).toBe(1);
    expect((await visitor.answer()).memo).toBeNull();
  });

  it('messages stand above the next challenge, once', async () => {
    const speaking = rig.probe('speaking', { enter: () => ({ kind: 'pass', messages: ['Well done, friend'] }) });
    await rig.flow('speaks', [promptFor('a'), speaking, dummy, dummy]);
    const visitor = rig.visitor();
    await visitor.open('speaks');
    await visitor.answer({ a: '1' });
    const page = async (): Promise<string> => (await visitor.request('/if/flow/speaks/')).text();
    expect(await page()).toContain('Well done, friend');
    await visitor.answer();
    expect(await page()).not.toContain('Well done, friend');
  });

  it('RE-2 redirect to an address: the browser leaves, the stage stays until an answer comes', async () => {
    const target_static = 'https://elsewhere.example/page?x=1';
    await rig.flow('leaves', [dummy, { kind: 'redirect', attrs: { mode: 'static', target_static } }, { kind: 'deny' }]);
    const visitor = rig.visitor();
    await visitor.open('leaves');
    await visitor.answer();
    visitor.expectEnd(target_static);
    await visitor.open('leaves');
    visitor.expectEnd(target_static);
    await visitor.answer();
    visitor.expectDenied('Unknown error');
  });

  it('RE-3 redirect to a flow keeps or drops what is known, and where the visitor wants to go', async () => {
    await rig.flow('landed', [rig.probe('landed', { enter: ({ context }) => landing(context) })]);
    for (const keep_context of [true, false])
      await rig.flow(`jump-${keep_context}`, [promptFor('name'), jumpTo('landed', { keep_context })]);
    const visitor = rig.visitor();
    for (const [slug, known] of [
      ['jump-true', [['name', 'Ada']]],
      ['jump-false', null],
    ] as const) {
      await visitor.open(slug, 'next=/goal');
      await visitor.answer({ name: 'Ada' });
      visitor.expectEnd('/if/flow/landed/?next=%2Fgoal');
      await visitor.open('landed', 'next=/goal');
      expect(visitor.expectAsk('ak-stage-own-probe')).toMatchObject({ known, from: slug });
      await visitor.answer();
      visitor.expectEnd('/goal');
    }
  });

  it('RE-3 a doubled answer jumps once, and an answer is not taken for a page that was not shown yet', async () => {
    await rig.flow('landed-once', [promptFor(field('username')), write({ user_creation_mode: 'always_create' })]);
    await rig.flow('jump-once', [dummy, jumpTo('landed-once')]);
    const visitor = rig.visitor();
    await visitor.open('jump-once');
    const click = async (): Promise<unknown> =>
      (await visitor.clone().post({ component: 'ak-stage-dummy' }, visitor.step)).json();
    const to = '/if/flow/landed-once/';
    expect(await Promise.all([click(), click(), click()])).toEqual(
      Array(3).fill({ component: 'xak-flow-redirect', to }),
    );
    const path = '/api/v3/flows/executor/landed-once/?query=';
    const early = await visitor.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'too early' }),
    });
    expect(await early.json()).toMatchObject({ component: 'ak-stage-prompt' });
    expect(await rig.find('too early')).toBeNull();
  });

  it('RE-3 a one-time link stays with the flow that it opened: the target goes on without', async () => {
    await rig.flow('beyond-link', [rig.probe('beyond', { enter: ({ context }) => landing(context) })]);
    const link = { kind: 'doorward_stages_one_time_link.onetimelinkstage', attrs: { purpose: 'recovery' } };
    await rig.flow('default-recovery-link', [link, dummy, jumpTo('beyond-link')]);
    const user = await rig.user('link holder');
    const { address } = await rig.auth.tokens.recoveryLink(user.id);
    const query = `next=/goal&${new URL(address).searchParams}`;
    const visitor = rig.visitor();
    await visitor.open('default-recovery-link', query);
    await visitor.answer();
    visitor.expectEnd('/if/flow/beyond-link/?next=%2Fgoal');
    await visitor.open('beyond-link', 'next=/goal');
    expect(visitor.expectAsk('ak-stage-own-probe')).toMatchObject({ from: 'default-recovery-link' });
  });

  it('RE-4 a target that does not apply denies, RE-5 one that is not there denies', async () => {
    await rig.auth.groups.create({ name: 'empty group' });
    await rig.flow('closed-target', [dummy], { policies: [groupPolicy('empty group')] });
    await rig.flow('to-closed', [jumpTo('closed-target')]);
    const visitor = rig.visitor();
    await visitor.open('to-closed');
    visitor.expectDenied('Flow does not apply to current user.');
    const redirect_stage_target = 'ak-flow://no-such-flow';
    const wish = rig.probe('wish nothing', { enter: () => ({ kind: 'pass', context: { redirect_stage_target } }) });
    await rig.flow('to-nothing', [wish, jumpTo('closed-target')]);
    await visitor.open('to-nothing');
    visitor.expectDenied('The page that should come next no longer exists.');
  });

  it('RE-1 the plan context may name the target; never a script', async () => {
    await rig.flow('named-target', [dummy]);
    const wishes = {
      flow: 'ak-flow://named-target',
      site: 'https://elsewhere.example/',
      script: 'javascript:alert(1)',
    };
    for (const [name, redirect_stage_target] of Object.entries(wishes)) {
      const wish = rig.probe(`wish ${name}`, { enter: () => ({ kind: 'pass', context: { redirect_stage_target } }) });
      const attrs = { mode: 'static', target_static: '/configured' };
      await rig.flow(`wish-${name}`, [wish, { kind: 'redirect', attrs }]);
    }
    const visitor = rig.visitor();
    await visitor.open('wish-flow');
    visitor.expectEnd('/if/flow/named-target/');
    await visitor.open('wish-site');
    visitor.expectEnd('https://elsewhere.example/');
    await visitor.open('wish-script');
    visitor.expectAsk('ak-stage-access-denied');
  });

  it('a jump right after a sign-in belongs to the new session', async () => {
    await rig.flow('after-sign-in', [
      rig.probe('after-sign-in', { enter: ({ visitor }) => greeting(visitor.user?.username) }),
    ]);
    const fields = ['username', field('password', { type: 'password' })];
    await rig.flow('sign-up-and-jump', [promptFor(...fields), write(), login, jumpTo('after-sign-in')]);
    const visitor = rig.visitor();
    await visitor.open('sign-up-and-jump');
    const before = visitor.clone();
    await visitor.answer({ username: 'jumper', password: 'a good password' });
    visitor.expectEnd('/if/flow/after-sign-in/');
    expect(await visitor.open('after-sign-in')).toMatchObject({ component: 'ak-stage-own-probe', hello: 'jumper' });
    expect(await before.open('after-sign-in')).toMatchObject({ component: 'ak-stage-own-probe', hello: '' });
  });
});

function jumpTo(slug: string, attrs: Readonly<Record<string, unknown>> = {}): StagePart {
  const target_flow = `!Find [authentik_flows.flow, [slug, ${slug}]]`;
  return { kind: 'redirect', attrs: { mode: 'flow', target_flow, ...attrs } };
}

function landing(context: Readonly<Record<string, unknown>>) {
  const challenge = { known: context.prompt_data ?? null, from: context.is_redirected };
  return { kind: 'ask', challenge: { component: 'ak-stage-own-probe', ...challenge } } as const;
}

function greeting(hello = '') {
  return { kind: 'ask', challenge: { component: 'ak-stage-own-probe', hello } } as const;
}

function eventOf(rig: EngineRig) {
  return { user: null, context: {}, address: '', requestId: '', flow: null, at: rig.clock.now() };
}
