import { beforeAll, describe, expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const actions = ['restart', 'restart_with_context'] as const;
const approval = (invalid_response_action: string) => ({
  kind: 'approval',
  attrs: { approvers_group: '!Find [authentik_core.group, [name, approvers]]' },
  binding: { invalid_response_action },
});
const write = { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } };
const flows = actions.flatMap((action) => [
  flowYaml({ slug: `first-${action}`, stages: [approval(action), { kind: 'dummy' }] }),
  flowYaml({ slug: `second-${action}`, stages: [promptFor('username'), approval(action), write] }),
]);

withMailOnBothDatabases('an approval whose binding restarts', {}, (rig) => {
  beforeAll(async () => {
    const group = await rig.auth.groups.create({ name: 'approvers' });
    await rig.user('ann', { groups: [group.name] });
    await rig.auth.flows.apply(flows);
  });

  describe.each(actions)('%s', (action) => {
    it('a denial ends the run with its reason, and nobody is asked once more (B-3)', async () => {
      for (const slug of [`first-${action}`, `second-${action}`]) {
        const visitor = rig.visitor();
        await visitor.open(slug);
        if (slug.startsWith('second')) await visitor.answer({ username: 'dora' });
        visitor.expectAsk('ak-stage-approval');
        const waiting = async () => (await rig.auth.approvals.list()).filter(({ address }) => address === '192.0.2.1');
        const [request, ...more] = await waiting();
        expect(more).toEqual([]);
        const word = { by: { username: 'ann' }, reason: 'We do not know you.' };
        expect((await rig.auth.approvals.deny(given(request).id, word)).status).toBe('denied');
        expect(await waiting()).toEqual([]);
        await visitor.open(slug);
        visitor.expectDenied('This was not approved: We do not know you.');
        expect(await rig.find('dora')).toBeNull();
      }
    });

    it('who asked too often is told so, and the server is not said to be away', async () => {
      const address = action === 'restart' ? '198.51.100.1' : '198.51.100.2';
      for (let time = 0; time < 20; time += 1) await rig.visitor({ address }).open(`first-${action}`);
      const late = rig.visitor({ address });
      await late.open(`first-${action}`);
      late.expectDenied('Too many requests came from here. Please try again in an hour.');
    });
  });
});
