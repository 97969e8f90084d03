import { expect, inject, it } from 'vitest';
import { freshDatabase } from '../support/postgres.ts';
import { CutRig } from './cuts.ts';
import { createRig } from '../../src/testing/rig.ts';
import { attributeKey, blueprints, profileFlow, signUpAnswers, shortSignUpFlow } from './flows.ts';
import { asked } from './visitor.ts';

it('edits', async () => {
  const rig = await createRig({ blueprints, rateLimits: false });
  const visitor = rig.visitor();
  await visitor.open(shortSignUpFlow);
  await visitor.answer(asked(visitor.challenge, signUpAnswers('ada')));
  const other = rig.visitor();
  await other.open('default-authentication-flow');
  await other.answer({ uid_field: 'ada' });
  if (other.challenge.component === 'ak-stage-password') await other.answer({ password: 'password of ada' });
  await visitor.open(profileFlow);
  await other.open(profileFlow);
  await visitor.answer(asked(visitor.challenge, { [attributeKey(0)]: 'by 0' }));
  await other.answer(asked(other.challenge, { [attributeKey(1)]: 'by 1' }));
  console.log(JSON.stringify(visitor.challenge).slice(0, 300));
  console.log(JSON.stringify(other.challenge.response_errors), (other.challenge.fields as any[]).length, JSON.stringify((other.challenge.fields as any[]).slice(0,3)));
  await rig.close();
});
it('cuts', async () => {
  const database = await freshDatabase({ url: inject('postgresUrl') });
  const rig = await CutRig.open(database.url);
  console.log(await rig.sweep({ commit: 'statement', run: 'insert', kind: 'connection' }));
  console.log(await rig.sweep({ commit: 'statement', run: 'insert', kind: 'connection' }));
  await rig.close();
  await database.drop();
});
