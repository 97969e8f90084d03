import { beforeAll, expect, it } from 'vitest';
import {
  authenticatorTotp,
  authenticatorValidate,
  defineFlow,
  identification,
  password,
  userLogin,
} from '../../src/index.ts';
import type { JsonObject } from '../../src/kernel/json.ts';

import { rigOnEachDatabase, signIn } from '../support/each-database.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';

const factor = authenticatorValidate({ deviceClasses: ['webauthn', 'totp'], notConfiguredAction: 'deny' });
const strict = defineFlow({
  slug: 'strict-sign-in',
  designation: 'authentication',
  stages: [identification({ passkeys: factor }), password(), factor, userLogin()],
});
const setUp = defineFlow({
  slug: 'own-app-setup',
  designation: 'stage_configuration',
  authentication: 'require_authenticated',
  stages: [authenticatorTotp({ digits: '8' })],
});

rigOnEachDatabase('second factors in code', { flows: [strict, setUp] }, (rig) => {
  beforeAll(() => rig().auth.users.create({ username: 'ada', password: 'ada password' }));

  it('are asked for, set up, and enough by themselves as a passkey', async () => {
    const without = rig().visitor();
    await without.open('strict-sign-in');
    await without.answer({ uid_field: 'ada' });
    await without.answer({ password: 'ada password' });
    without.expectDenied('You have no authenticator that is allowed here.');
    const setter = await signIn(rig(), 'ada', 'ada password');
    expect(await setter.open('own-app-setup')).toMatchObject({ digits: 8 });
    const { registration } = await setter.open('default-authenticator-webauthn-setup');
    const passkey = new SoftPasskey(rig().origin);
    await setter.answer({ response: passkey.register(registration as JsonObject) });
    setter.expectEnd();
    const visitor = rig().visitor();
    const { passkey_challenge: options } = await visitor.open('strict-sign-in');
    await visitor.answer({ passkey: passkey.use(options as JsonObject) });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBe('ada');
  });
});
