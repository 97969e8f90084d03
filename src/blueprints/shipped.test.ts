import { describe, expect, it } from 'vitest';
import { locales } from '../protocol/localize.ts';
import { BlueprintRig } from './blueprint-rig.ts';
import { flowModel, promptModel, shippedModel } from './models.ts';
import { parseBlueprint } from './parse.ts';
import { applyShipped } from './shipped.ts';
import { shippedFiles } from './shipped-files.ts';

async function shipped(): Promise<BlueprintRig> {
  const rig = new BlueprintRig();
  await applyShipped(rig.input([]));
  return rig;
}

/** As if an older edition of the file had been applied last. */
function outdate(rig: BlueprintRig, name: string): void {
  rig.store.definitions = rig.store.definitions.map((one) =>
    one.model === shippedModel && one.attrs.name === name ? { ...one, attrs: { ...one.attrs, hash: 'older' } } : one,
  );
}

const stagesOf = (rig: BlueprintRig, slug: string) =>
  rig.flow(slug).bindings.map(({ order, stage }) => `${order} ${stage.kind}`);

describe('the shipped flows', () => {
  it('apply together without a warning, each file under the name of its flow', async () => {
    const rig = new BlueprintRig();
    const { warnings } = await rig.apply(shippedFiles.map(({ text }) => text));
    expect(warnings).toEqual([]);
    expect([...rig.store.versions.keys()].sort()).toEqual(shippedFiles.map(({ name }) => name).sort());
    for (const { name, title, text } of shippedFiles) expect(parseBlueprint(name, text).metadata.name).toBe(title);
  });

  it('are the way in, up, out, and to one’s own profile', async () => {
    const rig = await shipped();
    expect(stagesOf(rig, 'default-authentication-flow')).toEqual([
      '10 identification',
      '20 password',
      '30 authenticator_validate',
      '100 user_login',
    ]);
    expect(stagesOf(rig, 'default-enrollment-flow')).toEqual(['10 prompt', '20 user_write', '100 user_login']);
    expect(stagesOf(rig, 'default-invalidation-flow')).toEqual(['0 user_logout']);
    expect(stagesOf(rig, 'default-user-settings-flow')).toEqual(['20 prompt', '30 email', '100 user_write']);
    expect(stagesOf(rig, 'default-email-verification')).toEqual(['10 email']);
    expect(stagesOf(rig, 'default-recovery-flow')).toEqual([
      ...['10 identification', '20 email', '30 authenticator_validate', '40 prompt', '50 user_write', '100 user_login'],
    ]);
    expect(stagesOf(rig, 'default-unenrollment-flow')).toEqual([
      ...['10 password', '20 authenticator_validate', '30 user_delete'],
    ]);
    expect(stagesOf(rig, 'default-password-change')).toEqual(['10 password', '20 prompt', '30 user_write']);
    expect(stagesOf(rig, 'default-recovery-link')).toEqual([
      '0 one_time_link',
      '5 authenticator_validate',
      '10 prompt',
      '20 user_write',
      '30 one_time_link',
      '100 user_login',
    ]);
    for (const kind of ['totp', 'static', 'webauthn'])
      expect(stagesOf(rig, `default-authenticator-${kind}-setup`)).toEqual([`0 authenticator_${kind}`]);
    expect(stagesOf(rig, 'default-authenticator-proof')).toEqual(['0 authenticator_validate', '10 user_login']);
    expect(stagesOf(rig, 'initial-setup')).toEqual([
      '0 initial_setup',
      '10 prompt',
      '20 user_write',
      '40 initial_setup',
      '100 user_login',
    ]);
  });

  it('link sign-in to sign-up, to recovery and to the change of the password', async () => {
    const { objects } = (await shipped()).flow('default-authentication-flow');
    const flows = Object.values(objects).filter(({ kind }) => kind === 'flow');
    expect(flows.map(({ config }) => config)).toEqual([
      { slug: 'default-enrollment-flow', designation: 'enrollment' },
      { slug: 'default-recovery-flow', designation: 'recovery' },
      { slug: 'default-password-change', designation: 'stage_configuration' },
    ]);
  });

  it('let only the initial setup make administrators', async () => {
    const rig = await shipped();
    expect([...rig.store.groups.values()]).toMatchObject([{ name: 'Doorward Admins', isSuperuser: true }]);
    const holders = [...rig.store.versions.values()].flatMap(([flow]) =>
      flow && Object.values(flow.objects).some(({ kind }) => kind === 'group') ? [flow.slug] : [],
    );
    expect(holders).toEqual(['initial-setup']);
  });

  it('speak every language of the product', async () => {
    const rig = await shipped();
    const texts = [
      ...rig.attrs(flowModel).map(({ title }) => title),
      ...rig.attrs(promptModel).map(({ label }) => label),
    ];
    for (const text of texts)
      expect(Object.keys((text as { $lang: object }).$lang).sort()).toEqual(Object.keys(locales).sort());
  });
});

describe('applying the shipped flows at start', () => {
  it('is done once', async () => {
    const rig = new BlueprintRig();
    expect((await applyShipped(rig.input([])))?.flows).toHaveLength(shippedFiles.length);
    const { revision } = rig.store;
    expect(await applyShipped(rig.input([]))).toBeNull();
    expect(rig.store.revision).toBe(revision);
  });

  it('never undoes what an administrator changed or deleted', async () => {
    const rig = await shipped();
    await rig.apply(`entries:
  - {model: authentik_flows.flow, identifiers: {slug: default-enrollment-flow}, attrs: {title: Join us}}
  - {model: authentik_flows.flow, state: absent, identifiers: {slug: default-password-change}}`);
    outdate(rig, 'default-enrollment-flow');
    outdate(rig, 'default-password-change');
    expect(await applyShipped(rig.input([]))).toBeNull();
    expect(rig.flow('default-enrollment-flow').title).toBe('Join us');
    expect(rig.store.versions.has('default-password-change')).toBe(false);
  });

  it('brings a newer edition where nobody changed the last one', async () => {
    const rig = await shipped();
    outdate(rig, 'default-invalidation-flow');
    expect(await applyShipped(rig.input([]))).toMatchObject({ created: 0, updated: 0, flows: [] });
    expect(await applyShipped(rig.input([]))).toBeNull();
  });

  it('leaves a flow of one’s own that has the slug of a shipped one', async () => {
    const rig = new BlueprintRig();
    await rig.apply(
      'entries: [{model: authentik_flows.flow, identifiers: {slug: default-enrollment-flow}, attrs: {name: Mine, title: Mine, designation: enrollment}}]',
    );
    await applyShipped(rig.input([]));
    expect(rig.flow('default-enrollment-flow')).toMatchObject({ name: 'Mine', bindings: [], version: 1 });
    expect(stagesOf(rig, 'default-authentication-flow')).toHaveLength(4);
  });

  it('brings a file back when it is asked to', async () => {
    const rig = await shipped();
    await rig.apply(
      'entries: [{model: authentik_flows.flow, identifiers: {slug: default-invalidation-flow}, attrs: {title: Bye}}]',
    );
    await applyShipped({ ...rig.input([]), reset: ['default-invalidation-flow'] });
    expect(rig.flow('default-invalidation-flow')).toMatchObject({ version: 3, title: { $lang: { en: 'Sign out' } } });
  });
});

describe('a blueprint that applies a shipped one', () => {
  const meta = (identifiers: string, more = '') =>
    `entries: [{model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {${identifiers}}${more}}}]`;

  it('finds it by name or path, with what that one applies in turn', async () => {
    const rig = new BlueprintRig();
    await rig.apply(meta('name: Default - Authentication flow'));
    expect([...rig.store.versions.keys()].sort()).toEqual([
      'default-authentication-flow',
      'default-enrollment-flow',
      'default-password-change',
      'default-recovery-flow',
    ]);
    await rig.apply(meta('path: default/flow-oobe.yaml'));
    expect(rig.store.versions.has('initial-setup')).toBe(true);
  });

  it('does not touch it where it was applied before', async () => {
    const rig = await shipped();
    await rig.apply(
      'entries: [{model: authentik_flows.flow, identifiers: {slug: default-invalidation-flow}, attrs: {title: Bye}}]',
    );
    await rig.apply(meta('name: Default - Invalidation flow'));
    expect(rig.flow('default-invalidation-flow').title).toBe('Bye');
  });
});

describe('a file that declares a flow of the slug of a shipped one', () => {
  const bind = (stage: string, order: number) =>
    `  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ${stage}, order: ${order}}}`;
  const wait =
    '  - {model: authentik_stages_dummy.dummystage, id: wait, identifiers: {name: wait}}\n  - {model: authentik_stages_user_write.userwritestage, id: write, identifiers: {name: default-password-change-write}}';
  const declared = (attrs: string) => `entries:
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: default-password-change}, attrs: {${attrs}}}
${wait}`;
  const whole = 'name: Mine, title: Mine, designation: stage_configuration';
  const bound = (rig: BlueprintRig) => stagesOf(rig, 'default-password-change');

  it('has the flow to itself: what came with the product and is not bound there leaves it, and that is told', async () => {
    const rig = await shipped();
    const file = `${declared(whole)}\n${bind('wait', 0)}\n${bind('write', 1)}`;
    const { warnings } = await rig.apply(file);
    expect(bound(rig)).toEqual(['0 dummy', '1 user_write']);
    expect(warnings[0]?.message).toBe(
      'the flow default-password-change came with Doorward; this file declares all of it, so what it does not bind was taken out: password stage "default-password-change-current" at 10, prompt stage "default-password-change-prompt" at 20, user write stage "default-password-change-write" at 30',
    );
    expect((await rig.apply(file)).changes).toEqual([]);
    outdate(rig, 'default-password-change');
    expect(await applyShipped(rig.input([]))).toBeNull();
  });

  it('only adds to it where it does not say what the flow is for, or binds nothing', async () => {
    const rig = await shipped();
    await rig.apply(`${declared('')}\n${bind('wait', 0)}`);
    expect(bound(rig)).toEqual(['0 dummy', '10 password', '20 prompt', '30 user_write']);
    await rig.apply(declared(whole));
    expect(bound(rig)).toHaveLength(4);
  });

  it('leaves what an administrator had bound or changed', async () => {
    const rig = await shipped();
    await rig.apply(`entries:
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: default-password-change}}
  - {model: authentik_stages_password.passwordstage, id: current, identifiers: {name: default-password-change-current}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf current, order: 10}, attrs: {policy_engine_mode: all}}`);
    await rig.apply(`${declared(whole)}\n${bind('wait', 0)}`);
    expect(bound(rig)).toEqual(['0 dummy', '10 password']);
  });
});
