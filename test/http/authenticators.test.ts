import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import { sql } from '../../src/store/sql.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { postForm, press } from '../support/account-forms.ts';
import { codeAt } from '../support/authenticator-rig.ts';
import { type EngineRig, onBothDatabases } from '../support/engine-rig.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';
import { hiddenFields } from '../support/web-client.ts';

const origin = 'http://localhost:9000';
const all = '/api/v3/authenticators/all/';

async function listed(visitor: Visitor): Promise<readonly JsonObject[]> {
  return (await (await visitor.request(all)).json()) as readonly JsonObject[];
}

/** Through the shipped flow; the moment of its code is gone by then. */
async function addApp(rig: EngineRig, visitor: Visitor): Promise<string> {
  const { config_url: address } = await visitor.open('default-authenticator-totp-setup');
  await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
  visitor.expectEnd();
  rig.clock.advance(30_000);
  return String(address);
}

function remove(visitor: Visitor, kind: string, pk: unknown, headers: Record<string, string> = { origin }) {
  return visitor.request(`/api/v3/authenticators/${kind}/${String(pk)}/`, { method: 'DELETE', headers });
}

onBothDatabases('one’s own authenticators', (rig) => {
  const signedIn = async (username: string): Promise<Visitor> => {
    await rig.user(username);
    return rig.signedIn(username);
  };

  describe('over the API', () => {
    it('are listed without anything secret, for their owner alone', async () => {
      const visitor = await signedIn('lists');
      const address = await addApp(rig, visitor);
      const [own, ...none] = await listed(visitor);
      expect(none).toEqual([]);
      expect(own).toMatchObject({
        ...{
          pk: expect.any(String),
          name: 'Authenticator app',
          type: 'authentik_stages_authenticator_totp.totpdevice',
        },
        ...{ confirmed: true, last_used: null, verbose_name: 'Authenticator app' },
      });
      expect(JSON.stringify(own)).not.toContain(/secret=([A-Z2-7]+)/.exec(address)?.[1]);
      expect(await listed(await signedIn('lists-other'))).toEqual([]);
      expect((await rig.visitor().request(all)).status).toBe(403);
      const totp = await (await visitor.request('/api/v3/authenticators/totp/')).json();
      expect(totp).toMatchObject({ pagination: { count: 1 }, results: [{ pk: own?.pk }] });
      expect(await (await visitor.request('/api/v3/authenticators/static/')).json()).toMatchObject({ results: [] });
      expect((await visitor.request('/api/v3/authenticators/duo/')).status).toBe(404);
    });

    it("are removed by their owner, with an event; not by somebody else, another site's page or a token", async () => {
      const visitor = await signedIn('removes');
      await addApp(rig, visitor);
      const [own] = await listed(visitor);
      const eve = await signedIn('removes-other');
      expect((await remove(eve, 'totp', own?.pk)).status).toBe(404);
      expect((await remove(visitor, 'static', own?.pk)).status).toBe(404);
      expect((await remove(visitor, 'totp', own?.pk, { origin: 'https://evil.example' })).status).toBe(403);
      const { secret } = await rig.auth.tokens.create((await rig.find('removes'))?.id ?? 0);
      const bearer = { authorization: `Bearer ${secret}` };
      expect((await remove(rig.visitor(), 'totp', own?.pk, bearer)).status).toBe(403);
      expect(await listed(visitor)).toHaveLength(1);
      expect((await remove(visitor, 'totp', own?.pk)).status).toBe(204);
      expect((await remove(visitor, 'totp', own?.pk)).status).toBe(404);
      expect(await listed(visitor)).toEqual([]);
      expect(await rig.events('authenticator_removed', 'removes')).toMatchObject([
        { context: { authenticator: { model_name: 'totpdevice' } } },
      ]);
    });

    it('say where each is set up, the password too (PW-9)', async () => {
      const visitor = await signedIn('settings');
      const settings = (await (await visitor.request('/api/v3/stages/all/user_settings/')).json()) as JsonObject[];
      expect(settings.map(({ component }) => component)).toEqual(
        expect.arrayContaining(['ak-user-settings-authenticator-totp', 'ak-user-settings-password']),
      );
      const app = settings.find(({ component }) => component === 'ak-user-settings-authenticator-totp');
      const to = await visitor.request(String(app?.configure_url));
      expect([to.status, to.headers.get('location')]).toEqual([
        302,
        '/if/flow/default-authenticator-totp-setup/?next=%2Fif%2Fuser%2F',
      ]);
      const elsewhere = await visitor.request(`${String(app?.configure_url)}?next=https://evil.example/`);
      expect(elsewhere.headers.get('location')).toBe('/if/flow/default-authenticator-totp-setup/?next=%2Fif%2Fuser%2F');
      const anonymous = await rig.visitor().request(String(app?.configure_url));
      expect(anonymous.headers.get('location')).toMatch(/^\/flows\/-\/default\/authentication\/\?next=%2Fflows/);
      expect((await visitor.request('/flows/-/configure/no-such-stage/')).status).toBe(404);
    });
  });

  describe('on the account page', () => {
    it('are added, renamed and removed', async () => {
      const visitor = await signedIn('manages');
      const before = await (await visitor.request('/if/user/')).text();
      expect([...before.matchAll(/\/flows\/-\/configure\/[\w-]+\//g)]).toHaveLength(3);
      await addApp(rig, visitor);
      const renamed = await press(visitor, /rename$/, { name: '  <b>My</b> phone ' });
      expect([renamed.status, renamed.headers.get('location')]).toEqual([
        303,
        '/if/user/?notice=authenticator-renamed',
      ]);
      expect((await listed(visitor)).map(({ name }) => name)).toEqual(['<b>My</b> phone']);
      expect(await (await visitor.request('/if/user/')).text()).toContain('&lt;b&gt;My&lt;/b&gt; phone');
      for (const name of ['', ' ', 'x'.repeat(65)])
        expect((await press(visitor, /rename$/, { name })).status).toBe(400);
      const removed = await press(visitor, /remove$/);
      expect([removed.status, removed.headers.get('location')]).toEqual([
        303,
        '/if/user/?notice=authenticator-removed',
      ]);
      expect(await listed(visitor)).toEqual([]);
    });

    it("are changed by nobody else's form, and from no other site", async () => {
      const [visitor, eve] = [await signedIn('guards'), await signedIn('guards-other')];
      await addApp(rig, visitor);
      const [own] = await listed(visitor);
      const path = `/if/user/authenticators/${String(own?.pk)}`;
      expect((await postForm(eve, `${path}/remove`, {})).status).toBe(404);
      expect((await postForm(eve, `${path}/rename`, { name: 'Mine' })).status).toBe(404);
      expect((await postForm(visitor, `${path}/remove`, {}, 'https://evil.example')).status).toBe(403);
      expect((await postForm(rig.visitor(), `${path}/remove`, {})).status).toBe(401);
      expect(await listed(visitor)).toHaveLength(1);
    });

    it('take a proof from a moment ago, by the authenticator where there is one', async () => {
      const visitor = await signedIn('proves');
      const address = await addApp(rig, visitor);
      rig.clock.advance(16 * 60_000);
      const refused = await press(visitor, /remove$/);
      expect(refused.headers.get('location')).toBe('/flows/-/prove/?next=%2Fif%2Fuser%2F');
      const [own] = await listed(visitor);
      const api = await remove(visitor, 'totp', own?.pk);
      expect([api.status, ((await api.json()) as JsonObject).code]).toEqual([403, 'proof_required']);
      const prove = await visitor.request('/flows/-/prove/?next=%2Fif%2Fuser%2F');
      expect(prove.headers.get('location')).toBe('/if/flow/default-authenticator-proof/?next=%2Fif%2Fuser%2F');
      await visitor.open('default-authenticator-proof', 'next=%2Fif%2Fuser%2F');
      await visitor.answer({ code: '000000' });
      visitor.expectProblem('code', 'invalid');
      await visitor.answer({ code: codeAt(address, rig.clock.now()) });
      visitor.expectEnd('/if/user/');
      expect(await visitor.whoAmI()).toBe('proves');
      expect((await press(visitor, /remove$/)).headers.get('location')).toBe('/if/user/?notice=authenticator-removed');
    });

    it('send who has none to the sign-in, and nobody to another site', async () => {
      const visitor = await signedIn('first-one');
      const to = async (path: string) => (await visitor.request(path)).headers.get('location');
      expect(await to('/flows/-/prove/?next=/if/flow/x/')).toBe(
        '/flows/-/default/authentication/?next=%2Fif%2Fflow%2Fx%2F',
      );
      for (const next of ['https://evil.example/', '//evil.example', 'javascript:alert(1)'])
        expect(await to(`/flows/-/prove/?next=${encodeURIComponent(next)}`)).toBe(
          '/flows/-/default/authentication/?next=%2Fif%2Fuser%2F',
        );
    });

    it('are not changed by an administrator who acts as the user', async () => {
      const user = await rig.user('acted-as');
      await addApp(rig, await rig.signedIn('acted-as'));
      await rig.auth.groups.create({ name: 'Chiefs', isSuperuser: true }).catch(() => undefined);
      await rig.user('chief', { groups: ['Chiefs'] });
      const chief = await rig.signedIn('chief');
      const acting = await chief.request(`/api/v3/core/users/${user.id}/impersonate/`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'to look' }),
      });
      expect(acting.status).toBe(204);
      const [own] = await listed(chief);
      expect((await remove(chief, 'totp', own?.pk)).status).toBe(403);
      expect((await postForm(chief, `/if/user/authenticators/${String(own?.pk)}/remove`, {})).status).toBe(403);
      expect(await (await chief.request('/if/user/')).text()).not.toContain('/if/user/authenticators/');
      for (const kind of ['totp', 'static', 'webauthn']) {
        await chief.open(`default-authenticator-${kind}-setup`);
        chief.expectDenied('While you act as another user you cannot change how they sign in.');
      }
    });
  });

  it('a person without JavaScript sets an app up and signs in with it', async () => {
    const visitor = await signedIn('no-script');
    const path = '/if/flow/default-authenticator-totp-setup/?next=/if/user/';
    const page = await (await visitor.request(path)).text();
    const key = /<code>([A-Z2-7 ]+)<\/code>/.exec(page)?.[1]?.replaceAll(' ', '') ?? '';
    expect(page).toContain('<svg class="qr" role="img"');
    const address = `otpauth://totp/x?secret=${key}`;
    const done = await postForm(visitor, path, { ...hiddenFields(page), code: codeAt(address, rig.clock.now()) });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/if/user/']);
    rig.clock.advance(30_000);
    const again = rig.visitor();
    const signIn = '/if/flow/default-authentication-flow/';
    const send = async (fields: Record<string, string>) =>
      postForm(again, signIn, { ...hiddenFields(await (await again.request(signIn)).text()), ...fields });
    await send({ uid_field: 'no-script' });
    await send({ password: 'no-script password' });
    expect(await again.whoAmI()).toBeNull();
    await send({ code: codeAt(address, rig.clock.now()) });
    expect(await again.whoAmI()).toBe('no-script');
  });

  it('a recovery link asks who has one for it (recovery does not get round the second factor)', async () => {
    const visitor = await signedIn('recovers');
    const { registration } = await visitor.open('default-authenticator-webauthn-setup');
    const passkey = new SoftPasskey(origin);
    await visitor.answer({ response: passkey.register(registration as JsonObject) });
    visitor.expectEnd();
    const { address } = await rig.auth.tokens.recoveryLink((await rig.find('recovers'))?.id ?? 0);
    const browser = rig.visitor();
    await browser.open('default-recovery-link', new URL(address).search.slice(1));
    const { device_challenges: challenges } = browser.expectAsk('ak-stage-authenticator-validate');
    const options = (challenges as readonly JsonObject[])[0]?.challenge as JsonObject;
    await browser.answer({ webauthn: passkey.use(options) });
    browser.expectAsk('ak-stage-prompt');
  });

  it('who lost all of theirs is helped by an administrator, and their sessions end', async () => {
    const visitor = await signedIn('lost');
    await addApp(rig, visitor);
    const pk = (await rig.find('lost'))?.id ?? 0;
    expect(await rig.auth.users.authenticators(pk)).toMatchObject([{ kind: 'totp', name: 'Authenticator app' }]);
    expect(JSON.stringify(await rig.auth.users.authenticators(pk))).not.toMatch(/secret|counter|credential/);
    expect(await rig.auth.users.removeAuthenticators(pk)).toBe(1);
    expect(await rig.auth.users.removeAuthenticators(pk)).toBe(0);
    expect(await visitor.whoAmI()).toBeNull();
    expect(await rig.events('authenticator_removed', 'lost')).toMatchObject([{ context: { via: 'library' } }]);
    await rig.signedIn('lost');
  });

  it('their owner is told by mail of one that comes or goes', async () => {
    await rig.user('told', { email: 'told@example.com' });
    const visitor = await rig.signedIn('told');
    await addApp(rig, visitor);
    await press(visitor, /remove$/);
    const id = (await rig.find('told'))?.id;
    const rows = await rig.driver.read(
      sql`SELECT uuid FROM doorward_outbox WHERE user_id = ${id ?? 0} AND kind = 'mail'`,
    );
    expect(rows).toHaveLength(2);
  });
});
