import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type AnyStage, defineStage } from '../../src/engine/stage.ts';
import type { StageProof } from '../../src/engine/stage-proof.ts';
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

/** A stage that declares no more than what it does to a visitor's standing. */
function standIn(kind: string, proof: StageProof): AnyStage {
  return defineStage({
    ...{ kind, model: `tests.${kind}`, component: '', description: '', config: z.object({}), needs: [], gives: [] },
    proof: () => proof,
    enter: async () => ({ kind: 'pass' }),
  });
}
const mail = standIn('mail', { asks: true, proves: ['email'], activates: true });
const authenticator = standIn('authenticator', { asks: true, proves: ['authenticator'], mayPassWithout: true });
const removal = standIn('removal', { deletes: true });
const stages = [mail, authenticator, removal];
const byMail: StagePart = { kind: 'tests.mail' };
const byAuthenticator: StagePart = { kind: 'tests.authenticator' };
const check = (...flows: readonly (FlowPart | string)[]) => findingsOf(flows, { stages });

describe('configurations behind vulnerabilities of such systems are found, and their mended flows pass', () => {
  it('CVE-2026-18963: a password reset whose e-mail step can be skipped', async () => {
    const flow = (proof: StagePart) => flowOf([identification, proof, newPassword, update], recovery);
    const policy = expressionsOf({ fresh: 'return request.context.get("fresh")' });
    const findings = await check(policy, flow(onlyIf(byMail, 'fresh')));
    expect(codesOf(findings)).toEqual(['password_without_proof']);
    const finding = found(findings, 'password_without_proof');
    expect(pathOf(finding)).toEqual([
      'flow begins',
      'identification visited',
      'tests.mail skipped',
      'prompt visited',
      'user_write visited',
    ]);
    expect(finding).toMatchObject({ severity: 'error', visitor: 'anonymous', place: { file: 'flow.yaml' } });
    expect(finding.message).toContain(
      '"flow-1-tests.mail", which would ask for a proof, is skipped where policy "fresh"',
    );
    expect(codesOf(await check(policy, flow(byMail)))).toEqual([]);
  });

  it('CVE-2026-18963: a password reset without any proof', async () => {
    const flow = (...proof: readonly StagePart[]) =>
      flowOf([identification, ...proof, newPassword, update, login], recovery);
    expect(codesOf(await check(flow()))).toEqual(['password_without_proof', 'sign_in_without_proof']);
    expect(codesOf(await check(flow(byMail)))).toEqual([]);
  });

  it('CVE-2023-26481: a recovery link in whose flow another user can be named', async () => {
    const findings = await check(flowOf([link, identification, newPassword, update], recovery));
    expect(codesOf(findings)).toEqual(['link_not_used_up', 'password_without_proof']);
    expect(pathOf(found(findings, 'password_without_proof'))[2]).toBe('identification visited');
    expect(codesOf(await check(flowOf([link, newPassword, update, link], recovery)))).toEqual([]);
  });

  it('CVE-2026-37982: a one-time link that stays good after it was used', async () => {
    const findings = await check(flowOf([link, profile, update, login], recovery));
    expect(codesOf(findings)).toEqual(['link_not_used_up']);
    expect(codesOf(await check(flowOf([link, profile, update, link, login], recovery)))).toEqual([]);
  });

  it('CVE-2022-46145: anybody makes users in a flow that is not for that', async () => {
    const open = { designation: 'stage_configuration' };
    const write = { kind: 'user_write' };
    const findings = await check(flowOf([profile, write], open));
    expect(codesOf(findings)).toEqual(['creates_users']);
    expect(found(findings, 'creates_users').visitor).toBe('anonymous');
    expect(codesOf(await check(flowOf([profile, update], settings)))).toEqual([]);
    expect(codesOf(await check(flowOf([profile, create], { authentication: 'require_unauthenticated' })))).toEqual([]);
    const invited = (attrs = {}): StagePart => ({ kind: 'authentik_stages_invitation.invitationstage', attrs });
    expect(codesOf(await check(flowOf([invited(), profile, write], open)))).toEqual([]);
    // An invitation may say what the username is.
    expect(codesOf(await check(flowOf([invited(), write], open)))).toEqual([]);
    const anybody = invited({ continue_flow_without_invitation: true });
    expect(codesOf(await check(flowOf([anybody, profile, write], open)))).toEqual(['creates_users']);
  });

  it('CVE-2022-46172, authentik#4351, #4631: an enrollment overwrites who is signed in', async () => {
    const findings = await check(flowOf([profile, { kind: 'user_write' }, login]));
    expect(codesOf(findings)).toEqual(['overwrites_signed_in']);
    expect(found(findings, 'overwrites_signed_in')).toMatchObject({ severity: 'error', visitor: 'signed_in' });
    expect(codesOf(await check(flowOf([profile, create, login])))).toEqual([]);
    const closed = { authentication: 'require_unauthenticated' };
    expect(codesOf(await check(flowOf([profile, { kind: 'user_write' }, login], closed)))).toEqual([]);
  });

  it('CVE-2023-39522: recovery tells who has an account', async () => {
    const flow = (attrs: Readonly<Record<string, unknown>>) =>
      flowOf([{ kind: 'identification', attrs }, byMail, newPassword, update], recovery);
    expect(codesOf(await check(flow({ user_fields: ['username'], pretend_user_exists: false })))).toEqual([
      'reveals_accounts',
    ]);
    expect(codesOf(await check(flow({ user_fields: ['email'] })))).toEqual(['reveals_accounts']);
    expect(codesOf(await check(flow({ user_fields: ['email'], show_matched_user: false })))).toEqual([]);
    expect(codesOf(await check(flow({ user_fields: ['username'] })))).toEqual([]);
  });

  it('CVE-2024-47070: the password stage is skipped when a policy says no, and an act is carried out when one fails', async () => {
    const policy = expressionsOf({ office: 'return request.http_request["address"] == "192.0.2.1"' });
    const skipped = await check(policy, flowOf([identification, onlyIf(password, 'office'), login], signIn));
    expect(codesOf(skipped)).toEqual(['sign_in_without_proof']);
    const open = await check(
      policy,
      flowOf([identification, password, onlyIf(login, 'office', { failure_result: true })], signIn),
    );
    expect(codesOf(open)).toEqual(['fails_open']);
    const mended = flowOf([identification, password, onlyIf(login, 'office')], signIn);
    expect(codesOf(await check(policy, mended))).toEqual([]);
    const gate = {
      ...flowOf([identification, password, login], signIn),
      policies: [
        { policy: '!Find [authentik_policies_expression.expressionpolicy, [name, office]]', failure_result: true },
      ],
    };
    expect(codesOf(await check(policy, gate))).toEqual(['fails_open']);
  });

  it("CVE-2024-47070: the reference's own policy spares the password only once it was proven", async () => {
    const policy = expressionsOf({
      'default-authentication-flow-password-stage':
        'flow_plan = request.context.get("flow_plan")\nif not flow_plan:\n    return True\n# comment\nreturn not hasattr(flow_plan.context.get("pending_user"), "backend")',
    });
    const stage = onlyIf(password, 'default-authentication-flow-password-stage', { failure_result: true });
    expect(codesOf(await check(policy, flowOf([identification, stage, login], signIn)))).toEqual([]);
  });

  it('authentik#18639: recovery signs in without the factor that sign-in asks for', async () => {
    const sign = flowOf([identification, password, byAuthenticator, login], signIn, 'sign-in');
    const flow = (...more: readonly StagePart[]) =>
      flowOf([identification, byMail, newPassword, update, ...more], recovery, 'recovery');
    const findings = await check(sign, flow(login));
    expect(codesOf(findings)).toEqual(['recovery_skips_factor']);
    expect(found(findings, 'recovery_skips_factor')).toMatchObject({ severity: 'error', flow: 'recovery' });
    expect(codesOf(await check(sign, flow(byAuthenticator, login)))).toEqual([]);
    expect(codesOf(await check(sign, flow()))).toEqual([]);
    expect(codesOf(await check(flowOf([identification, password, login], signIn, 'sign-in'), flow(login)))).toEqual([]);
  });

  it('CVE-2025-53942: nobody inactive is signed in, and an enrollment that would need it is found', async () => {
    const inactive = { ...create, attrs: { ...create.attrs, create_users_as_inactive: true } };
    expect(codesOf(await check(flowOf([profile, inactive, login])))).toEqual(['dead_end', 'inactive_sign_in']);
    expect(codesOf(await check(flowOf([profile, inactive, byMail, login])))).toEqual([]);
    expect(codesOf(await check(flowOf([profile, inactive])))).toEqual([]);
  });

  it('authentik#1086: the new user is active before the address is proven', async () => {
    expect(codesOf(await check(flowOf([profile, create, byMail, login])))).toEqual(['active_before_email']);
    expect(codesOf(await check(flowOf([profile, create, login])))).toEqual([]);
  });

  it('accounts are deleted by who proved to be their owner', async () => {
    const away = { designation: 'unenrollment' };
    const remove = { kind: 'tests.removal' };
    expect(codesOf(await check(flowOf([identification, remove], away)))).toEqual(['delete_without_proof']);
    expect(codesOf(await check(flowOf([remove], { ...away, authentication: 'require_authenticated' })))).toEqual([
      'delete_by_session',
    ]);
    expect(
      codesOf(await check(flowOf([password, remove], { ...away, authentication: 'require_authenticated' }))),
    ).toEqual([]);
  });

  it('nothing is written until the address is proven: mail before the write needs no user', async () => {
    const form: StagePart = {
      kind: 'prompt',
      fields: [{ field_key: 'username' }, { field_key: 'email', type: 'email' }],
    };
    const mailStage: StagePart = { kind: 'authentik_stages_email.emailstage' };
    expect(codesOf(await check(flowOf([form, mailStage, create, login])))).toEqual([]);
    const inactive = { ...create, attrs: { ...create.attrs, create_users_as_inactive: true } };
    const activating = { ...mailStage, attrs: { activate_user_on_success: true } };
    expect(codesOf(await check(flowOf([form, inactive, activating, login])))).toEqual([]);
    expect(codesOf(await check(flowOf([form, inactive, mailStage, login])))).toContain('inactive_sign_in');
  });

  it('an address that was typed proves nothing of the account: a new password still asks for the present one', async () => {
    const form: StagePart = { kind: 'prompt', fields: [{ field_key: 'email', type: 'email' }] };
    const mailStage: StagePart = { kind: 'authentik_stages_email.emailstage' };
    expect(codesOf(await check(flowOf([form, mailStage, newPassword, update], settings)))).toEqual([
      'password_by_session',
    ]);
    expect(codesOf(await check(flowOf([form, mailStage, update], settings)))).toEqual([]);
  });

  it('a passkey alone signs in, and a second factor alone that one may lack does not', async () => {
    const validate = (attrs: object): StagePart => ({
      kind: 'authentik_stages_authenticator_validate.authenticatorvalidatestage',
      attrs: { ...attrs },
    });
    expect(
      codesOf(
        await check(flowOf([validate({ device_classes: ['webauthn'], not_configured_action: 'deny' }), login], signIn)),
      ),
    ).toEqual([]);
    const lacking = validate({ device_classes: ['totp'], not_configured_action: 'skip' });
    expect(codesOf(await check(flowOf([identification, lacking, login], signIn)))).toEqual(['sign_in_without_proof']);
  });
});
