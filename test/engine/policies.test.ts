import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { dummy, type EngineRig, groupPolicy, onBothDatabases, promptFor } from '../support/engine-rig.ts';
import type { StagePart } from '../support/flow-yaml.ts';

type Policy = Readonly<Record<string, unknown>>;

/* The reference's policy tests and the re-evaluation tests of its executor, by their names (flow-engine.md 8). */
onBothDatabases('policies', (rig) => {
  it('re_evaluate_group_binding: the member and the bound user see the stage, another user is denied', async () => {
    await rig.auth.groups.create({ name: 'members' });
    await rig.user('member', { groups: ['members'] });
    const bound = await rig.user('bound');
    await rig.user('other');
    await rig.flow('bound-dummy', [
      { kind: 'password' },
      conditional('stage', groupPolicy('members'), { user: bound.id }),
      { kind: 'deny' },
    ]);
    for (const [username, seen] of [
      ['member', true],
      ['bound', true],
      ['other', false],
    ] as const) {
      const visitor = await rig.signedIn(username);
      await visitor.open('bound-dummy');
      await visitor.answer({ password: `${username} password` });
      if (seen) visitor.expectAsk('ak-stage-prompt');
      else visitor.expectDenied();
    }
  });

  it('policies ask about the pending user, not about who is signed in', async () => {
    await rig.auth.groups.create({ name: 'admitted' });
    await rig.user('admitted one', { groups: ['admitted'] });
    await rig.user('plain one');
    const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };
    await rig.flow('about-pending', [identification, conditional('stage', groupPolicy('admitted')), dummy]);
    const visitor = await rig.signedIn('plain one');
    const identify = async (uid_field: string): Promise<string> => {
      await visitor.open('about-pending');
      const { component } = await visitor.answer({ uid_field });
      await visitor.answer();
      if (component === 'ak-stage-prompt') await visitor.answer();
      visitor.expectEnd();
      return component;
    };
    expect(await identify('admitted one')).toBe('ak-stage-prompt');
    expect(await identify('plain one')).toBe('ak-stage-dummy');
  });

  it('a stand-in for an unknown user is nobody: it is never judged as who is signed in', async () => {
    await rig.auth.groups.create({ name: 'trusted' });
    await rig.user('trusted one', { groups: ['trusted'] });
    await rig.user('untrusted one');
    const identification = { kind: 'identification', attrs: { user_fields: ['username'] } };
    await rig.flow('about-decoys', [identification, conditional('stage', groupPolicy('trusted')), dummy]);
    for (const uid_field of ['untrusted one', 'nobody of that name']) {
      const visitor = await rig.signedIn('trusted one');
      await visitor.open('about-decoys');
      await visitor.answer({ uid_field });
      visitor.expectAsk('ak-stage-dummy');
    }
  });

  it.each([
    ['remove_last', ['second'], []],
    ['remove_middle', ['second'], ['third']],
    ['keep', [], ['second', 'third']],
    ['remove_consecutive', ['second', 'third'], ['fourth']],
  ] as const)('reevaluate_%s: memberships that end while the first stage is shown', async (name, ended, left) => {
    const others = ['second', 'third', 'fourth'].slice(
      0,
      name === 'remove_last' ? 1 : name === 'remove_consecutive' ? 3 : 2,
    );
    const slug = `reevaluate-${name.replace('_', '-')}`;
    for (const one of others) await rig.auth.groups.create({ name: `${slug}-${one}` });
    const user = await rig.user(slug, { groups: others.map((one) => `${slug}-${one}`) });
    await rig.flow(slug, [dummy, ...others.map((one) => conditional(one, groupPolicy(`${slug}-${one}`)))]);
    const visitor = await rig.signedIn(slug);
    await visitor.open(slug);
    for (const one of ended) await leave(rig, user.id, `${slug}-${one}`);
    await visitor.answer();
    for (const one of left) {
      expect(shownStage(visitor)).toBe(one);
      await visitor.open(slug);
      expect(shownStage(visitor)).toBe(one);
      await visitor.answer();
    }
    visitor.expectEnd();
  });

  it('a stage that was reached stays, whatever becomes of the membership: it is judged once, on arrival', async () => {
    await rig.auth.groups.create({ name: 'passing through' });
    const user = await rig.user('passer', { groups: ['passing through'] });
    await rig.flow('reached', [dummy, conditional('reached', groupPolicy('passing through')), dummy]);
    const visitor = await rig.signedIn('passer');
    await visitor.open('reached');
    await visitor.answer();
    await leave(rig, user.id, 'passing through');
    await visitor.answer();
    visitor.expectAsk('ak-stage-dummy');
  });

  it('marker_reevaluate, reevaluate_actual: evaluate_on_plan decides when the run is planned, re_evaluate_policies when the stage is reached', async () => {
    await rig.auth.groups.create({ name: 'planned' });
    const user = await rig.user('planner', { groups: ['planned'] });
    const once = { evaluate_on_plan: true, re_evaluate_policies: false };
    const both = { evaluate_on_plan: true, re_evaluate_policies: true };
    await rig.flow('on-plan', [
      dummy,
      promptFor('attributes.x'),
      { ...conditional('once', groupPolicy('planned')), binding: once },
      { ...conditional('both', groupPolicy('planned')), binding: both },
    ]);
    const visitor = await rig.signedIn('planner');
    await visitor.open('on-plan');
    await visitor.answer();
    await leave(rig, user.id, 'planned');
    await visitor.answer();
    expect(shownStage(visitor)).toBe('once');
    await visitor.answer();
    visitor.expectEnd();
    await visitor.open('on-plan');
    await visitor.answer();
    await rig.auth.users.join(user.id, 'planned');
    await visitor.answer();
    visitor.expectEnd();
  });

  it('cache, default_context: there is none; everybody gets a plan of their own, as things are now', async () => {
    await rig.auth.groups.create({ name: 'own plan' });
    const user = await rig.user('with own plan', { groups: ['own plan'] });
    await rig.user('without own plan');
    const binding = { evaluate_on_plan: true, re_evaluate_policies: false };
    await rig.flow('own-plan', [{ ...conditional('own', groupPolicy('own plan')), binding }, dummy]);
    const [one, other] = [await rig.signedIn('with own plan'), await rig.signedIn('without own plan')];
    await one.open('own-plan');
    expect(shownStage(one)).toBe('own');
    await other.open('own-plan');
    other.expectAsk('ak-stage-dummy');
    await leave(rig, user.id, 'own plan');
    const elsewhere = await rig.signedIn('with own plan');
    await elsewhere.open('own-plan');
    elsewhere.expectAsk('ak-stage-dummy');
  });

  it('a binding that would never be evaluated is refused', async () => {
    const binding = { evaluate_on_plan: false, re_evaluate_policies: false };
    await expect(rig.flow('never', [{ ...dummy, binding }])).rejects.toMatchObject({ code: 'blueprint' });
  });

  it('any and all, negate for groups and users, for members, others and nobody; disabled ones do not count', async () => {
    await rig.auth.groups.create({ name: 'one' });
    await rig.auth.groups.create({ name: 'two' });
    const first = await rig.user('in one', { groups: ['one'] });
    await rig.user('in both', { groups: ['one', 'two'] });
    const [one, two] = [groupPolicy('one'), groupPolicy('two')];
    const cases: readonly [string, 'any' | 'all', readonly Policy[], string][] = [
      ['none', 'any', [], 'in one,in both,anonymous'],
      ['none-all', 'all', [], 'in one,in both,anonymous'],
      ['any', 'any', [one, two], 'in one,in both'],
      ['all', 'all', [one, two], 'in both'],
      ['not-two', 'any', [{ ...two, negate: true }], 'in one,anonymous'],
      ['one-not-two', 'all', [one, { ...two, negate: true }], 'in one'],
      ['user', 'any', [{ user: first.id }], 'in one'],
      ['not-user', 'any', [{ user: first.id, negate: true }], 'in both,anonymous'],
      ['disabled', 'all', [one, { ...two, enabled: false }], 'in one,in both'],
      ['all-disabled', 'all', [{ ...two, enabled: false }], 'in one,in both,anonymous'],
      ['f-then-t', 'all', [two, one], 'in both'],
    ];
    const visitors = [
      ['in one', await rig.signedIn('in one')],
      ['in both', await rig.signedIn('in both')],
      ['anonymous', rig.visitor()],
    ] as const;
    for (const [name, mode, policies, expected] of cases) {
      const attrs = { policy_engine_mode: mode, denied_action: 'message' };
      await rig.flow(`flow-${name}`, [dummy], { attrs, policies });
      await rig.flow(`stage-${name}`, [{ ...conditional('it', ...policies), binding: { policy_engine_mode: mode } }]);
      const [byFlow, byStage] = [[] as string[], [] as string[]];
      for (const [who, visitor] of visitors) {
        if ((await visitor.open(`flow-${name}`)).component === 'ak-stage-dummy') byFlow.push(who);
        if ((await visitor.open(`stage-${name}`)).component === 'ak-stage-prompt') byStage.push(who);
      }
      expect([name, byFlow.join(), byStage.join()]).toEqual([name, expected, expected]);
    }
  });

  it('membership in a child counts in all its ancestors, and not the other way round', async () => {
    const grand = await rig.auth.groups.create({ name: 'grandparents' });
    const parent = await rig.auth.groups.create({ name: 'parents', parent: grand.pk });
    await rig.auth.groups.create({ name: 'children', parent: parent.pk });
    await rig.user('a child', { groups: ['children'] });
    await rig.user('a parent', { groups: ['parents'] });
    await rig.flow('for-grandparents', [dummy], { policies: [groupPolicy('grandparents')] });
    await rig.flow('for-children', [dummy], { policies: [groupPolicy('children')] });
    const [child, elder] = [await rig.signedIn('a child'), await rig.signedIn('a parent')];
    for (const visitor of [child, elder])
      expect((await visitor.open('for-grandparents')).component).toBe('ak-stage-dummy');
    expect((await child.open('for-children')).component).toBe('ak-stage-dummy');
    await elder.open('for-children');
    elder.expectDenied();
  });

  it('a policy that cannot run denies: it never skips a stage, nor lets into a flow', async () => {
    await expressionPolicy(rig, 'unrunnable', {});
    const policy = { policy: '!Find [authentik_policies_expression.expressionpolicy, [name, unrunnable]]' };
    const said = 'A check could not be carried out, so access is denied. Please try again later.';
    await rig.flow('guarded-stage', [dummy, conditional('guarded', policy), dummy]);
    await rig.flow('negated-stage', [dummy, conditional('guarded', { ...policy, negate: true }), dummy]);
    await rig.flow('planned-stage', [
      { ...conditional('guarded', policy), binding: { evaluate_on_plan: true } },
      dummy,
    ]);
    await rig.flow('guarded-flow', [dummy], { policies: [policy], attrs: { denied_action: 'message' } });
    for (const slug of ['guarded-stage', 'negated-stage']) {
      const visitor = rig.visitor();
      await visitor.open(slug);
      await visitor.answer();
      visitor.expectDenied(said);
    }
    for (const slug of ['planned-stage', 'guarded-flow']) {
      const visitor = rig.visitor();
      await visitor.open(slug);
      visitor.expectDenied(said);
    }
  });

  it('failure_result true lets a policy that cannot run pass; another that decides wins over a failure', async () => {
    await expressionPolicy(rig, 'failing', {});
    await rig.auth.groups.create({ name: 'insiders' });
    await rig.user('insider', { groups: ['insiders'] });
    const policy = { policy: '!Find [authentik_policies_expression.expressionpolicy, [name, failing]]' };
    await rig.flow('lenient', [conditional('shown', { ...policy, failure_result: true }), dummy]);
    const visitor = rig.visitor();
    await visitor.open('lenient');
    expect(shownStage(visitor)).toBe('shown');
    const insider = await rig.signedIn('insider');
    await rig.flow('either', [dummy], { policies: [policy, groupPolicy('insiders')] });
    expect((await insider.open('either')).component).toBe('ak-stage-dummy');
    await rig.flow('both', [dummy], {
      policies: [policy, groupPolicy('insiders')],
      attrs: { policy_engine_mode: 'all' },
    });
    await insider.open('both');
    insider.expectDenied();
  });

  it.each([
    ['message', '', null],
    ['message', 'next=/there', null],
    ['message_continue', '', null],
    ['message_continue', 'next=/there', '/there'],
    ['continue', '', '/'],
  ])(
    'a restart plans anew: a flow that no longer applies ends by its denied_action (%s, %s)',
    async (action, query, to) => {
      const slug = `restarts-${action}-${query.length}`;
      await rig.auth.groups.create({ name: slug });
      const user = await rig.user(slug, { groups: [slug] });
      const deny: StagePart = { kind: 'deny', binding: { invalid_response_action: 'restart' } };
      await rig.flow(slug, [dummy, deny], { policies: [groupPolicy(slug)], attrs: { denied_action: action } });
      const visitor = await rig.signedIn(slug);
      await visitor.open(slug, query);
      await visitor.answer();
      visitor.expectAsk('ak-stage-dummy');
      await leave(rig, user.id, slug);
      await visitor.answer();
      if (to === null) visitor.expectDenied('Flow does not apply to current user.');
      else visitor.expectEnd(to);
    },
  );
});

/** A stage with a name that shows, and policies on it. */
function conditional(name: string, ...policies: readonly Policy[]): StagePart {
  return { ...promptFor({ field_key: `attributes.${name}`, label: name, required: false }), policies };
}

function shownStage(visitor: Visitor): unknown {
  const [field] = visitor.expectAsk('ak-stage-prompt').fields as readonly { readonly label: unknown }[];
  return field?.label;
}

async function leave(rig: EngineRig, userId: number, name: string): Promise<void> {
  const [group] = await rig.store.read.groups([name]);
  await rig.store.commit({ id: name, runs: [], effects: [{ kind: 'group.leave', group: group?.pk ?? '', userId }] });
}

async function expressionPolicy(rig: EngineRig, name: string, attrs: Policy): Promise<void> {
  const entry = {
    model: 'authentik_policies_expression.expressionpolicy',
    identifiers: { name },
    attrs: { expression: 'return 1 / 0', ...attrs },
  };
  await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [entry] }));
}
