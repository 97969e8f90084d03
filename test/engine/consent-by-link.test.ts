import { expect, it } from 'vitest';
import * as z from 'zod';
import { defineStage } from '../../src/engine/stage.ts';
import { listed } from '../support/account-forms.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const terms = defineStage({
  ...{ kind: 'terms', model: 'tests.terms', component: 'ak-stage-terms-form', description: 'Says what is agreed to.' },
  ...{ config: z.object({}), needs: [], gives: [] },
  enter: async () => ({ kind: 'pass', context: { consent_header: 'Our terms' } }),
});
const flow = flowYaml({
  slug: 'agree-first',
  attrs: { designation: 'recovery' },
  stages: [
    { kind: 'tests.terms' },
    { kind: 'consent' },
    { kind: 'identification', attrs: { user_fields: ['username'] } },
    { kind: 'email' },
    promptFor('name'),
    { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
  ],
});

const options = { blueprints: [flow], stages: [terms] };
withMailOnBothDatabases('a consent in a flow that goes on by a link (decision 18)', options, (rig) => {
  const agreed = async () => {
    const visitor = rig.visitor();
    const { token } = await visitor.open('agree-first');
    await visitor.answer({ token });
    await visitor.answer({ uid_field: 'ada' });
    visitor.expectAsk('ak-stage-email');
    return visitor;
  };
  const kept = async () => listed(await rig.signIn('ada'), '/api/v3/core/user_consent/');

  it('of the asking browser is not one of the account’s owner, who opens the link elsewhere', async () => {
    await rig.user('ada');
    await agreed();
    const phone = await rig.follow(await rig.letter('ada@example.com'));
    await phone.open('agree-first');
    await phone.answer({ name: 'Ada' });
    phone.expectEnd();
    expect([(await rig.find('ada'))?.name, await kept()]).toEqual(['Ada', []]);
  });

  it('is kept where whoever agreed proves that the account is theirs', async () => {
    const visitor = await agreed();
    await visitor.answer({ code: (await rig.proof('ada@example.com')).code });
    await visitor.answer({ name: 'Ada A.' });
    visitor.expectEnd();
    expect(await kept()).toMatchObject([{ flow: 'agree-first', wording: 'Our terms' }]);
  });
});
