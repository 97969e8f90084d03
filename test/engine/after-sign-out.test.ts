import { expect, it } from 'vitest';
import { dummy, fieldsOf, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const logout = { kind: 'user_logout' };
const password = { kind: 'password' };
const newPassword = promptFor({ field_key: 'password', type: 'password', required: true });
const signedInOnly = { attrs: { designation: 'stage_configuration', authentication: 'require_authenticated' } };

/* Decision 15: a run goes on under a token that was never used before, after a sign-out too. */
onBothDatabases('a stage that asks after a sign-out', (rig) => {
  it('goes on in the browser that signed out, which is nobody’s then', async () => {
    await rig.flow('feedback', [logout, promptFor('why'), promptFor('more'), dummy], signedInOnly);
    await rig.user('ada');
    const visitor = await rig.signedIn('ada');
    const before = visitor.clone();
    await visitor.open('feedback');
    expect(fieldsOf(visitor.challenge)).toEqual(['why']);
    expect(await visitor.whoAmI()).toBeNull();
    expect(visitor.cookies.get('doorward_session')).not.toBe(before.cookies.get('doorward_session'));
    await visitor.answer({ why: 'enough' });
    expect(fieldsOf(visitor.challenge)).toEqual(['more']);
    await visitor.open('feedback');
    expect(fieldsOf(visitor.challenge)).toEqual(['more']);
    await visitor.answer({ more: 'no' });
    visitor.expectAsk('ak-stage-dummy');
    await visitor.answer();
    visitor.expectEnd();
    await before.open('feedback');
    before.expectDenied();
  });

  it('keeps what was proven before, for that browser alone', async () => {
    await rig.flow('leave-and-renew', [password, logout, newPassword, write({ user_creation_mode: 'never_create' })], {
      attrs: { ...signedInOnly.attrs, designation: 'recovery' },
    });
    await rig.user('bea');
    const visitor = await rig.signedIn('bea');
    await visitor.open('leave-and-renew');
    const before = visitor.clone();
    await visitor.answer({ password: 'bea password' });
    expect(fieldsOf(visitor.challenge)).toEqual(['password']);
    await before.open('leave-and-renew');
    before.expectDenied();
    const planted = await before.post({ component: 'ak-stage-prompt', password: 'a planted password' });
    expect(await planted.json()).not.toMatchObject({ component: 'ak-stage-prompt' });
    await visitor.answer({ password: 'a brand new password' });
    visitor.expectEnd();
    expect(await visitor.whoAmI()).toBeNull();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: 'bea' });
    await visitor.answer({ password: 'a brand new password' });
    expect(await visitor.whoAmI()).toBe('bea');
  });

  it('leads into another flow, with what is known', async () => {
    await rig.flow(
      'goodbye',
      [
        rig.probe('guest', {
          enter: ({ context, visitor }) => ({ kind: 'deny', message: `${context.note} ${String(visitor.user)}` }),
        }),
      ],
      { attrs: { authentication: 'none' } },
    );
    const note = rig.probe('note', { enter: () => ({ kind: 'pass', context: { note: 'kept' } }) });
    const target_flow = '!Find [authentik_flows.flow, [slug, goodbye]]';
    await rig.flow('out', [
      note,
      logout,
      { kind: 'redirect', attrs: { mode: 'flow', target_flow, keep_context: true } },
    ]);
    await rig.user('cleo');
    const visitor = await rig.signedIn('cleo');
    await visitor.open('out');
    visitor.expectEnd('/if/flow/goodbye/');
    await visitor.open('goodbye');
    visitor.expectDenied('kept null');
  });

  it('a new password and a sign-out at once leave no session behind', async () => {
    await rig.flow(
      'renew-and-leave',
      [newPassword, write({ user_creation_mode: 'never_create' }), logout],
      signedInOnly,
    );
    const { id } = await rig.user('dora');
    const visitor = await rig.signedIn('dora');
    await visitor.open('renew-and-leave');
    await visitor.answer({ password: 'a brand new password' });
    visitor.expectEnd();
    expect([await visitor.whoAmI(), await rig.store.accounts.listSessions(id, null)]).toEqual([null, []]);
  });
});
