import { expect, it } from 'vitest';
import { given } from '../store/databases.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const identify = { kind: 'identification', attrs: { user_fields: ['username'], show_matched_user: false } };
const invitation = { kind: 'authentik_stages_invitation.invitationstage' };
const typed = promptFor('name', 'attributes.team', 'attributes.desk');
const write = { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } };
const flow = flowYaml({
  slug: 'invited',
  attrs: { designation: 'recovery' },
  stages: [identify, invitation, typed, { kind: 'email' }, promptFor('attributes.floor'), write],
});

withMailOnBothDatabases('an invitation whose flow goes on by a link (decision 13)', { blueprints: [flow] }, (rig) => {
  it('what it fixed goes along, and nothing that the asking browser typed (IN-7, CVE-2023-26481)', async () => {
    await rig.user('ada', { name: 'Ada' });
    const { secret, invitation: made } = await rig.auth.invitations.create({
      ...{ name: 'engines', flow: 'invited', singleUse: true },
      fixedData: { attributes: { team: 'engines', floor: 3 } },
    });
    const asking = rig.visitor();
    await asking.open('invited', `itoken=${secret}`);
    await asking.answer({ uid_field: 'ada' });
    await asking.answer({ name: 'Mallory', 'attributes.team': 'pirates', 'attributes.desk': 'theirs' });
    asking.expectAsk('ak-stage-email');
    const phone = await rig.follow(await rig.letter('ada@example.com'));
    await phone.open('invited', `itoken=${secret}`);
    phone.expectAsk('ak-stage-prompt');
    await phone.answer({ 'attributes.floor': 99 });
    phone.expectEnd();
    expect(await rig.find('ada')).toMatchObject({ name: 'Ada', attributes: { team: 'engines', floor: 3 } });
    expect(given(await rig.find('ada')).attributes).not.toHaveProperty('desk');
    const { id } = given(await rig.find('ada'));
    expect(await rig.auth.users.provenance(id)).toMatchObject({
      'attributes.team': { origin: { kind: 'invitation', invitation: 'engines' } },
    });
    expect(await rig.auth.invitations.get(made.uuid)).toMatchObject({ uses: 1 });
  });
});
