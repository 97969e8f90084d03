import { beforeAll, expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const fields = promptFor(
  { field_key: 'username', type: 'username', label: 'What shall we call you?' },
  { field_key: 'attributes.team', label: '' },
  { field_key: 'attributes.api_key', label: 'Your key' },
);
const approval = (required: number) => ({
  kind: 'approval',
  attrs: { approvers_group: '!Find [authentik_core.group, [name, approvers]]', required, message: 'May they?' },
});
const write = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
const flows = [
  flowYaml({ slug: 'join', stages: [fields, approval(1), write] }),
  flowYaml({ slug: 'join-two', stages: [fields, approval(2), write] }),
];

withMailOnBothDatabases('approvals by the library', {}, (rig) => {
  beforeAll(async () => {
    await rig.auth.groups.create({ name: 'approvers' });
    for (const name of ['ann', 'ben', 'cy']) await rig.user(name, name === 'cy' ? {} : { groups: ['approvers'] });
    await rig.auth.flows.apply(flows);
  });

  async function asking(flow: string, username: string) {
    const visitor = rig.visitor();
    await visitor.open(flow);
    await visitor.answer({ username, 'attributes.team': 'engines', 'attributes.api_key': 'k-4711' });
    visitor.expectAsk('ak-stage-approval');
    const requests = await rig.auth.approvals.list();
    const { id } = given(requests.find(({ facts }) => facts.some(({ value }) => value === username)));
    return { visitor, id };
  }

  it('lists what waits, for all and for one who decides, and shows what was filled in by its labels', async () => {
    const { id } = await asking('join', 'dora');
    const request = given(await rig.auth.approvals.get(id));
    expect(request).toMatchObject({
      ...{ flow: 'join', required: 1, status: 'waiting', message: 'May they?', address: '192.0.2.1', decisions: [] },
      facts: [
        { key: 'username', label: 'What shall we call you?', value: 'dora' },
        { key: 'attributes.team', label: 'attributes.team', value: 'engines' },
        { key: 'attributes.api_key', label: 'Your key', value: expect.stringMatching(/^\*+$/) },
      ],
    });
    expect(await rig.auth.approvals.list({ for: { username: 'ann' } })).toEqual([request]);
    expect(await rig.auth.approvals.list({ for: { username: 'cy' } })).toEqual([]);
    expect(await rig.auth.approvals.get('00000000-0000-4000-8000-000000000000')).toBeNull();
    await expect(rig.auth.approvals.list({ for: { username: 'nobody' } })).rejects.toMatchObject({ code: 'not_found' });
    const { link } = await rig.letter('ann@example.com');
    const page = await (await rig.visitor().request(new URL(link).pathname + new URL(link).search)).text();
    expect(page).toContain('<dt>What shall we call you?</dt><dd>dora</dd>');
    const api = await rig.signIn('ann');
    const shown = await (await api.request(`/api/v3/stages/approval/requests/${id}/`)).json();
    expect(shown).toMatchObject({ facts: { username: 'dora' }, labels: { username: 'What shall we call you?' } });
    await rig.auth.approvals.deny(id, { by: { username: 'ben' }, reason: 'Seen enough.' });
    expect(await rig.auth.approvals.list()).toEqual([]);
  });

  it('approves in the name of a user who may, each once, and the run goes on', async () => {
    const { visitor, id } = await asking('join-two', 'eve');
    const { approvals } = rig.auth;
    const ann = given(await rig.find('ann'));
    const word = { by: { pk: ann.id }, address: '192.0.2.9', requestId: 'r1' };
    expect(await approvals.approve(id, word)).toMatchObject({ status: 'waiting', decisions: [{ user: ann.id }] });
    await expect(approvals.approve(id, word)).rejects.toMatchObject({ code: 'refused' });
    await expect(approvals.approve(id, { by: { username: 'cy' } })).rejects.toMatchObject({ code: 'forbidden' });
    expect(await rig.find('eve')).toBeNull();
    expect(await approvals.approve(id, { by: { username: 'ben' } })).toMatchObject({ status: 'approved' });
    await expect(approvals.approve(id, { by: { username: 'ben' } })).rejects.toMatchObject({ code: 'refused' });
    expect(await rig.find('eve')).toMatchObject({ isActive: true });
    await visitor.open('join-two');
    visitor.expectEnd();
    const missing = approvals.approve('00000000-0000-4000-8000-000000000000', word);
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  });

  it('denies with a reason that the applicant reads', async () => {
    const { visitor, id } = await asking('join', 'fay');
    const { approvals } = rig.auth;
    const by = { username: 'ann' };
    for (const reason of ['', ' ', 'nul\0'])
      await expect(approvals.deny(id, { by, reason })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await approvals.deny(id, { by, reason: 'Not yet.' })).toMatchObject({
      ...{ status: 'denied', decisions: [{ verdict: 'deny', reason: 'Not yet.' }] },
    });
    await visitor.open('join');
    visitor.expectDenied('This was not approved: Not yet.');
    expect(await rig.find('fay')).toBeNull();
  });
});
