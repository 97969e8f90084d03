import { expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { dummy, groupPolicy, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const masked = '********************';

interface Stage {
  readonly stage_obj: { readonly name: string; readonly component: string; readonly verbose_name: string };
  readonly order: number;
}

interface Inspection {
  readonly plans: readonly { readonly current_stage: Stage; readonly next_planned_stage: Stage }[];
  readonly current_plan: {
    readonly current_stage: Stage;
    readonly next_planned_stage: Stage & { readonly stage: string | null };
    readonly plan_context: Readonly<Record<string, unknown>>;
    readonly session_id: string;
  };
  readonly is_completed: boolean;
  readonly stages: readonly { readonly name: string; readonly state: string }[];
  readonly decisions: readonly Readonly<Record<string, unknown>>[];
}

onBothDatabases('the inspector', (rig) => {
  let token: string | undefined;
  /** A program of an administrator. */
  const authorization = async (): Promise<string> => {
    if (token === undefined) {
      await rig.auth.groups.create({ name: 'admins', isSuperuser: true });
      const root = await rig.user('root', { groups: ['admins'] });
      token = (await rig.auth.tokens.create(root.id, { description: 'inspector' })).secret;
    }
    return `Bearer ${token}`;
  };
  const asked = async (visitor: Visitor, slug: string): Promise<Response> =>
    visitor.request(`/api/v3/flows/inspector/${slug}/`, { headers: { authorization: await authorization() } });
  const inspect = async (visitor: Visitor, slug: string): Promise<Inspection> => {
    const response = await asked(visitor, slug);
    expect(response.status).toBe(200);
    return (await response.json()) as Inspection;
  };
  const name = ({ stage_obj }: Stage) => stage_obj.name;

  it('tells the current and the next stage before an answer, and the visited ones after it (test_inspector)', async () => {
    const ada = await rig.user('ada');
    const identification = { kind: 'identification', attrs: { user_fields: ['username'], pretend_user_exists: false } };
    await rig.flow('inspected', [identification, dummy, dummy]);
    const visitor = rig.visitor();
    await visitor.open('inspected');
    const before = await inspect(visitor, 'inspected');
    expect(before).toMatchObject({ plans: [], is_completed: false, decisions: [] });
    expect(before.current_plan.current_stage.stage_obj).toMatchObject({
      ...{ component: 'ak-stage-identification-form', verbose_name: 'Identification Stage' },
      ...{ verbose_name_plural: 'Identification Stages', flow_set: [{ slug: 'inspected' }] },
      meta_model_name: 'authentik_stages_identification.identificationstage',
    });
    const [first, second, third] = before.stages.map((stage) => stage.name);
    expect(name(before.current_plan.next_planned_stage)).toBe(second);
    await visitor.answer({ uid_field: 'ada' });
    const after = await inspect(visitor, 'inspected');
    expect(after.plans.map((plan) => name(plan.current_stage))).toEqual([first]);
    expect(name(after.current_plan.current_stage)).toBe(second);
    expect(name(after.current_plan.next_planned_stage)).toBe(third);
    expect(after.current_plan.plan_context.pending_user).toMatchObject({ pk: ada.id, username: 'ada' });
    await visitor.answer();
    // No next stage is the reference's blank binding.
    expect((await inspect(visitor, 'inspected')).current_plan.next_planned_stage.stage).toBeNull();
    await visitor.answer();
    expect(await inspect(visitor, 'inspected')).toMatchObject({
      is_completed: true,
      outcome: { kind: 'done', to: '/' },
    });
  });

  it('changes nothing by looking', async () => {
    await rig.flow('looked-at', [rig.probe('first'), rig.probe('second')]);
    const visitor = rig.visitor();
    await visitor.open('looked-at');
    await visitor.answer();
    const visits = rig.visits.length;
    const seen = await inspect(visitor, 'looked-at');
    expect(await inspect(visitor, 'looked-at')).toEqual(seen);
    expect(rig.visits).toHaveLength(visits);
    await visitor.answer();
    visitor.expectEnd();
  });

  it('masks what was typed in confidence, and members whose names tell of a secret', async () => {
    const secret = 'a very secret password';
    const fields = [
      { field_key: 'username' },
      { field_key: 'password', type: 'password' },
      { field_key: 'attributes.api_key' },
      { field_key: 'attributes.hobby' },
    ];
    await rig.flow('confided', [promptFor(...fields), dummy, write(), login]);
    const visitor = rig.visitor();
    await visitor.open('confided');
    await visitor.answer({
      ...{ username: 'grace', password: secret, 'attributes.api_key': 'sesame', 'attributes.hobby': 'chess' },
    });
    const response = await (await asked(visitor, 'confided')).text();
    expect(response).not.toContain(secret);
    expect(response).not.toContain('sesame');
    expect(response).not.toContain('$sealed');
    expect((JSON.parse(response) as Inspection).current_plan.plan_context.prompt_data).toEqual({
      ...{ username: 'grace', password: masked, 'attributes.api_key': masked, 'attributes.hobby': 'chess' },
    });
  });

  it('says which stages were left out, and why', async () => {
    await rig.auth.groups.create({ name: 'nobody' });
    await rig.flow('chosen', [{ ...dummy, policies: [groupPolicy('nobody')] }, dummy, dummy]);
    const visitor = rig.visitor();
    await visitor.open('chosen');
    await visitor.answer();
    const { stages, decisions } = await inspect(visitor, 'chosen');
    expect(stages.map(({ state }) => state)).toEqual(['skipped', 'done', 'current']);
    expect(decisions).toEqual([
      expect.objectContaining({ stage: stages[0]?.name, passing: false, failed: false, messages: [] }),
    ]);
  });

  it('says what was thought of the answers, and who may enter', async () => {
    await rig.auth.flows.apply(`entries:
  - {model: authentik_flows.flow, id: flow, identifiers: {slug: judged}, attrs: {name: J, title: J, designation: enrollment}}
  - {model: authentik_policies_dummy.dummypolicy, id: welcome, identifiers: {name: welcome}, attrs: {result: true, wait_min: 0, wait_max: 0}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}, attrs: {policy: !KeyOf welcome}}
  - {model: authentik_stages_prompt.prompt, id: p, identifiers: {name: judged-p}, attrs: {field_key: username, type: text, label: U}}
  - {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: judged-ask}, attrs: {fields: [!KeyOf p], validation_policies: [!KeyOf welcome]}}
  - {model: authentik_stages_dummy.dummystage, id: end, identifiers: {name: judged-end}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf end, order: 1}}`);
    const visitor = rig.visitor();
    await visitor.open('judged');
    await visitor.answer({ username: 'judy' });
    const { decisions } = await inspect(visitor, 'judged');
    expect(decisions.map(({ stage, passing }) => [stage, passing])).toEqual([
      [null, true],
      ['judged-ask', true],
    ]);
  });

  it('is for administrators: others are told that there is nothing (404); without a run there is nothing to tell (400)', async () => {
    await rig.user('nora');
    const nora = await rig.signedIn('nora');
    for (const visitor of [nora, rig.visitor()]) {
      expect((await visitor.request('/api/v3/flows/inspector/inspected/')).status).toBe(404);
      const diagram = await visitor.request('/api/v3/flows/instances/inspected/diagram/');
      expect(diagram.status).toBe(403);
    }
    const wrong = { headers: { authorization: 'Bearer wrong' } };
    expect((await nora.request('/api/v3/flows/inspector/inspected/', wrong)).status).toBe(404);
    const none = await asked(rig.visitor(), 'inspected');
    expect([none.status, await none.text()]).toEqual([400, '']);
    expect((await asked(nora, 'no-such-flow')).status).toBe(404);
    // The administrator's own browser needs no token.
    const root = await rig.signedIn('root');
    await root.open('inspected');
    expect((await root.request('/api/v3/flows/inspector/inspected/')).status).toBe(200);
    const picture = await root.request('/api/v3/flows/instances/inspected/diagram/');
    expect(await picture.json()).toEqual({ diagram: expect.stringMatching(/^flowchart TD\n/) });
    expect((await root.request('/api/v3/flows/instances/nothing/diagram/')).status).toBe(404);
  });

  it('stands on the page of an administrator who asks for it, and on nobody else’s', async () => {
    await rig.flow('paged', [promptFor('username', { field_key: 'password', type: 'password' }), dummy]);
    const page = async (visitor: Visitor, query: string): Promise<string> =>
      (await visitor.request(`/if/flow/paged/${query}`)).text();
    const panel = '<details class="inspector"';
    const root = await rig.signedIn('root', { language: 'de' });
    expect(await page(root, '')).not.toContain(panel);
    expect(await page(root, '?inspector')).toContain(`${panel} open=""`);
    expect(await page(root, '?inspector=available')).toContain(`${panel}>`);
    await root.open('paged');
    await root.answer({ username: 'root', password: 'the password of root' });
    const html = await page(root, '?inspector');
    expect(html).toContain('erledigt');
    expect(html).toContain('jetzt');
    expect(html).toContain(masked);
    expect(html).not.toContain('the password of root');
    for (const visitor of [await rig.signedIn('nora'), rig.visitor()])
      expect(await page(visitor, '?inspector')).not.toContain(panel);
  });
});
