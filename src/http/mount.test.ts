import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, type Rig } from '../testing/index.ts';

const password = 'correct horse battery';

describe('mounted below a path of an application (basePath)', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await createRig({ basePath: '/auth' });
  });
  afterAll(() => rig.close());

  const flow = '/auth/if/flow/default-enrollment-flow/';

  it('leads every address of its own below that path, and leaves the application its own', async () => {
    const visitor = rig.visitor();
    const page = await (await visitor.request(`${flow}?next=/hello`)).text();
    const addresses = [...page.matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map(([, address]) => address ?? '');
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) expect(address).toMatch(/^(?:\/auth\/|#|\/$)/);
    const step = /name="step" value="([^"]*)"/.exec(page)?.[1] ?? '';
    const answer = { username: 'ada', name: 'Ada', email: 'ada@example.com', password, password_repeat: password };
    const end = await visitor.request(`${flow}?next=/hello`, {
      method: 'POST',
      body: new URLSearchParams({ component: 'ak-stage-prompt', step, ...answer }),
      headers: { origin: rig.origin },
    });
    expect([end.status, end.headers.get('location')]).toEqual([303, '/hello']);
    expect(await visitor.whoAmI()).toBe('ada');
    expect((await visitor.request('/auth/if/user/')).status).toBe(200);
    const style = addresses.find((address) => address.endsWith('.css')) ?? '';
    expect((await visitor.request(style)).headers.get('content-type')).toContain('text/css');
  });

  it('speaks of addresses below the path on the wire, and of nothing that a visitor typed', async () => {
    const visitor = rig.visitor();
    const at = '/auth/api/v3/flows/executor/default-authentication-flow/?query=';
    const shown = await (await visitor.request(at)).json();
    expect(shown).toMatchObject({
      enroll_url: '/auth/if/flow/default-enrollment-flow/',
      flow_info: { cancel_url: '/auth/flows/-/cancel/' },
    });
    const headers = { 'content-type': 'application/json', origin: rig.origin };
    const body = JSON.stringify({ component: 'ak-stage-identification', uid_field: '/if/user/' });
    const asked = await (await visitor.request(at, { method: 'POST', body, headers })).json();
    expect(asked).toMatchObject({ component: 'ak-stage-password', pending_user: '/if/user/' });
  });

  it('sends nobody to sign in outside of the path, and answers nothing else', async () => {
    const visitor = rig.visitor();
    const home = await visitor.request('/auth/if/user/');
    expect(home.headers.get('location')).toMatch(/^\/auth\/if\/flow\/default-authentication-flow\//);
    for (const path of ['/', '/if/user/', '/authentic/if/user/'])
      expect((await visitor.request(path)).status).toBe(404);
    expect(await rig.auth.setupAddress()).toContain('/auth/if/flow/initial-setup/?setup=');
  });
});

it('a basePath that is none is refused at start, by name', async () => {
  for (const basePath of ['auth', '/auth/', '/a b', '//a'])
    await expect(createRig({ basePath })).rejects.toMatchObject({
      code: 'configuration',
      detail: expect.stringContaining('basePath'),
    });
});
