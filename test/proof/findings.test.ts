import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { codes, type FindingCode } from '../../src/blueprints/proof/codes.ts';
import { proveFlows } from '../../src/blueprints/proof/prove.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';
import { defineStage } from '../../src/engine/stage.ts';
import type { FlowPart, StagePart } from '../support/flow-yaml.ts';
import {
  codesOf,
  create,
  expressionsOf,
  findingsOf,
  flowOf,
  found,
  identification,
  link,
  login,
  newPassword,
  onlyIf,
  password,
  pathOf,
  profile,
  recovery,
  settings,
  signIn,
  update,
} from '../support/proof-rig.ts';

const mail: StagePart = { kind: 'email' };
const dummy: StagePart = { kind: 'dummy' };
const deny: StagePart = { kind: 'deny' };
const policy = expressionsOf({ office: 'return True', other: 'return False' });
const leadsTo = (slug: string, more = {}): StagePart => {
  const target_flow = `!Find [authentik_flows.flow, [slug, ${slug}]]`;
  return { kind: 'redirect', attrs: { mode: 'flow', target_flow, ...more } };
};
const asks = (...fields: readonly Readonly<Record<string, unknown>>[]): StagePart => ({ kind: 'prompt', fields });
const own = defineStage({
  ...{ kind: 'own', model: 'tests.own', component: '', description: '', config: z.object({}), needs: [], gives: [] },
  enter: async () => ({ kind: 'pass' }),
});

type Sample = readonly [
  code: FindingCode,
  wrong: readonly (FlowPart | string)[],
  mended: readonly (FlowPart | string)[],
];

/** Each finding by a flow that has it and nothing worse, and the same flow mended. */
const samples: readonly Sample[] = [
  [
    'password_by_session',
    [flowOf([newPassword, update], settings)],
    [flowOf([password, newPassword, update], settings)],
  ],
  [
    'no_username',
    [flowOf([asks({ field_key: 'name' }), create])],
    [flowOf([asks({ field_key: 'name' }, { field_key: 'username' }), create])],
  ],
  ['sign_in_before_write', [flowOf([profile, login, create])], [flowOf([profile, create, login])]],
  [
    'policy_says_who',
    [policy, flowOf([onlyIf(dummy, 'office', { writable_context: ['pending_user'] })])],
    [policy, flowOf([onlyIf(dummy, 'office')])],
  ],
  [
    'policy_redirects',
    [expressionsOf({ away: 'context["redirect"] = "/x"\nreturn True' }), flowOf([onlyIf(dummy, 'away')])],
    [expressionsOf({ away: 'return True' }), flowOf([onlyIf(dummy, 'away')])],
  ],
  [
    'discarded_key',
    [flowOf([asks({ field_key: 'username' }, { field_key: 'company' }), create])],
    [flowOf([asks({ field_key: 'username' }, { field_key: 'attributes.company' }), create])],
  ],
  [
    'write_refused',
    [flowOf([asks({ field_key: 'username' }, { field_key: 'attributes.a' }, { field_key: 'attributes.a.b' }), create])],
    [
      flowOf([
        asks({ field_key: 'username' }, { field_key: 'attributes.a.c' }, { field_key: 'attributes.a.b' }),
        create,
      ]),
    ],
  ],
  ['key_asked_twice', [flowOf([profile, profile, create])], [flowOf([profile, create])]],
  [
    'key_asked_twice',
    [flowOf([asks({ field_key: 'username' }, { field_key: 'username' }), create])],
    [flowOf([profile, create])],
  ],
  [
    'passwords_must_match',
    [
      flowOf(
        [asks({ field_key: 'old_password', type: 'password' }, { field_key: 'password', type: 'password' })],
        settings,
      ),
    ],
    [flowOf([password, newPassword], settings)],
  ],
  [
    'password_repeat_apart',
    [
      flowOf([
        profile,
        asks({ field_key: 'password', type: 'password' }),
        asks({ field_key: 'password_repeat', type: 'password' }),
        create,
      ]),
    ],
    [flowOf([profile, newPassword, create])],
  ],
  [
    'dead_end',
    [flowOf([profile, update], { authentication: 'require_unauthenticated' })],
    [flowOf([profile, update], settings)],
  ],
  ['dead_end', [flowOf([dummy, deny])], [policy, flowOf([dummy, onlyIf(deny, 'office')])]],
  ['empty_flow', [flowOf([])], [flowOf([dummy])]],
  [
    'jump_loop',
    [flowOf([], {}, 'a'), flowOf([leadsTo('a')], {}, 'b'), flowOf([leadsTo('b')], {}, 'a')],
    [flowOf([dummy], {}, 'a'), flowOf([leadsTo('a')], {}, 'b')],
  ],
  [
    'restart_loop',
    [policy, flowOf([onlyIf({ ...deny, binding: { invalid_response_action: 'restart' } }, 'office'), dummy])],
    [policy, flowOf([onlyIf(deny, 'office'), dummy])],
  ],
  [
    'link_taken',
    [flowOf([link, mail, newPassword, update, link], recovery)],
    [flowOf([link, newPassword, update, link], recovery)],
  ],
  ['unmet_need', [flowOf([login], signIn)], [flowOf([identification, password, login], signIn)]],
  ['may_lack', [policy, flowOf([onlyIf(profile, 'office'), create])], [flowOf([profile, create])]],
  ['unreachable_stage', [flowOf([dummy, deny, dummy])], [flowOf([dummy, dummy])]],
  [
    'unreachable_flow',
    [flowOf([dummy], { authentication: 'require_redirect' }, 'a')],
    [flowOf([dummy], { authentication: 'require_redirect' }, 'a'), flowOf([leadsTo('a')], {}, 'b')],
  ],
  [
    'redirect_out',
    [flowOf([{ kind: 'redirect', attrs: { mode: 'static', target_static: 'https://elsewhere.example/x' } }])],
    [flowOf([{ kind: 'redirect', attrs: { mode: 'static', target_static: '/welcome' } }])],
  ],
  ['unknown_stage', [flowOf([{ kind: 'tests.own' }])], [flowOf([dummy])]],
];

it.each(samples)('%s: found, and gone from the mended flow', async (code, wrong, mended) => {
  const findings = await findingsOf(wrong, { stages: [own] });
  expect(codesOf(findings)).toContain(code);
  for (const finding of findings)
    expect([finding.message, finding.change].every((words) => /^\S.*\.$/.test(words))).toBe(true);
  const left = codesOf(await findingsOf(mended, { stages: [own] }), 'note');
  expect(left).not.toContain(code);
  expect(left.filter((one) => codes[one].severity === 'error')).toEqual([]);
});

it('a flow that a stage leads into and that is gone, and kinds that are not installed', async () => {
  const binding = (kind: string, config: object): CompiledFlow['bindings'][number] =>
    ({
      ...{ pk: kind, order: 0, policyEngineMode: 'any', policies: [], evaluateOnPlan: false, reEvaluatePolicies: true },
      ...{ invalidResponseAction: 'retry', stage: { pk: `stage ${kind}`, name: kind, kind, config } },
    }) as CompiledFlow['bindings'][number];
  const { stages } = await import('../../src/stages/index.ts');
  const flow = {
    ...{ pk: 'f', slug: 'f', version: 1, name: 'f', title: 'f', designation: 'enrollment', authentication: 'none' },
    ...{ deniedAction: 'message', layout: 'stacked', background: '', policyEngineMode: 'any', objects: {} },
    policies: [
      {
        pk: 'p',
        order: 0,
        enabled: true,
        negate: false,
        timeout: 1,
        failureResult: true,
        writableContext: [],
        group: null,
        user: null,
        policy: { pk: 'q', kind: 'nonesuch', name: 'near', config: {} },
      },
    ],
    bindings: [binding('redirect', { mode: 'flow', target_flow: 'gone', keep_context: true }), binding('nonesuch', {})],
  } as unknown as CompiledFlow;
  const findings = proveFlows({ flows: [flow], installed: { stages, policies: [] } });
  expect(codesOf(findings, 'error')).toEqual(['dead_end', 'jump_to_nowhere', 'not_installed']);
  expect(findings.filter(({ code }) => code === 'not_installed')).toHaveLength(2);
});

it('one policy on two stages is taken to say the same twice: otherwise is a warning, and says so', async () => {
  const flow = (more: Readonly<Record<string, unknown>>) =>
    flowOf([identification, onlyIf(password, 'office'), onlyIf(login, 'office', more)], signIn);
  const both = found(await findingsOf([policy, flow({})]), 'sign_in_without_proof');
  expect(both).toMatchObject({ severity: 'warning' });
  expect(both.message).toContain('answers differently');
  const negated = found(await findingsOf([policy, flow({ negate: true })]), 'sign_in_without_proof');
  expect(negated).toMatchObject({ severity: 'error' });
});

it('a factor that a policy may spare is noted, and one that cannot run spares nothing', async () => {
  const factor = defineStage({
    ...own,
    kind: 'factor',
    model: 'tests.factor',
    proof: () => ({ asks: true, proves: ['authenticator'] }),
  });
  const flow = flowOf([identification, password, onlyIf({ kind: 'tests.factor' }, 'office'), login], signIn);
  const findings = await findingsOf([policy, flow], { stages: [factor] });
  expect(codesOf(findings)).toEqual(['factor_skippable']);
  expect(pathOf(found(findings, 'factor_skippable'))).toContain('tests.factor skipped');
});

it('a flow with too many ways is said to be so, and quickly', async () => {
  const names = Array.from({ length: 16 }, (_, index) => `p${index}`);
  const stages = names.map((name) => onlyIf(asks({ field_key: `attributes.${name}` }), name));
  const many = flowOf([asks({ field_key: 'username' }), ...stages, create]);
  const findings = await findingsOf([
    expressionsOf(Object.fromEntries(names.map((name) => [name, 'return True']))),
    many,
  ]);
  expect(codesOf(findings, 'warning')).toEqual(['too_many_paths']);
});

it('every finding is in the documentation, with its severity', () => {
  const page = readFileSync('docs/proof.md', 'utf8');
  for (const [code, { severity }] of Object.entries(codes))
    expect([code, new RegExp(`^\\| \`${code}\` \\| ${severity} \\|`, 'm').test(page)]).toEqual([code, true]);
});
