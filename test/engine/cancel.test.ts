import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRig, type Rig } from '../../src/testing/index.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

const password = 'correct horse battery';

it('“Not you?” gives up what a signed-in visitor had begun, and leads to the sign-out', async () => {
  const visitor = rig.visitor();
  await visitor.open('default-enrollment-flow');
  const who = { username: 'ada', name: 'Ada', email: 'ada@example.com' };
  await visitor.answer({ ...who, password, password_repeat: password });
  await visitor.open('default-password-change');
  await visitor.answer({ password });
  visitor.expectAsk('ak-stage-prompt');
  const left = await visitor.request('/flows/-/cancel/');
  expect(left.headers.get('location')).toBe('/flows/-/default/invalidation/');
  // The proof of the present password is gone with the run.
  await visitor.open('default-password-change');
  visitor.expectAsk('ak-stage-password');
});

it('“Cancel” says no to a question alone: whoever is signed in stays so, and keeps the account', async () => {
  const visitor = rig.visitor();
  await visitor.open('default-enrollment-flow');
  const who = { username: 'grace', name: 'Grace', email: 'grace@example.com' };
  await visitor.answer({ ...who, password, password_repeat: password });
  await visitor.open('default-unenrollment-flow');
  await visitor.answer({ password });
  visitor.expectAsk('ak-stage-consent');
  const page = await (await visitor.request('/if/flow/default-unenrollment-flow/')).text();
  const [, cancel = ''] = /<a class="button secondary" href="([^"]+)"/.exec(page) ?? [];
  expect((await visitor.request(cancel)).headers.get('location')).toBe('/');
  expect(await (await visitor.request('/if/user/')).text()).toContain('Hello, Grace');
  await visitor.open('default-unenrollment-flow');
  visitor.expectAsk('ak-stage-password');
});

it('“Not you?” gives an anonymous visitor a fresh start', async () => {
  const visitor = rig.visitor();
  await visitor.open('default-authentication-flow');
  await visitor.answer({ uid_field: 'ada' });
  visitor.expectAsk('ak-stage-password');
  await visitor.request('/flows/-/cancel/');
  await visitor.open('default-authentication-flow');
  visitor.expectAsk('ak-stage-identification');
});
