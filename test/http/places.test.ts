import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Locate } from '../../src/index.ts';
import { createRig, openHasher } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { accountPageOf } from '../support/account-forms.ts';
import { signIn } from '../support/each-database.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';
import { writePlacesFile } from '../support/places-file.ts';
import { buildProgram, type Program } from '../support/program.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { signUp, WebClient } from '../support/web-client.ts';

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doorward-places-'));
  file = join(folder, 'city.mmdb');
  await writePlacesFile(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('with a file of places', () => {
  const munich = { 'x-forwarded-for': '198.51.100.7' };
  const link = [
    { kind: 'prompt', fields: [{ field_key: 'username' }, { field_key: 'email', type: 'email' }] },
    { kind: 'email' },
    { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
  ];
  let mail: MailServer;
  let server: TestServer;
  beforeAll(async () => {
    mail = await openMailServer();
    server = await startServer({
      ...{ places: { file }, trustedProxies: ['127.0.0.0/8'], hasher: openHasher, mail: { smtp: mail.url } },
      blueprints: [flowYaml({ slug: 'by-mail', stages: link })],
    });
  });
  afterAll(async () => {
    await server.close();
    await mail.close();
  });

  it('sessions on the account page have a place, in the reader’s language', async () => {
    const browser = new WebClient(server.origin);
    await browser.open('default-enrollment-flow');
    await browser.post(signUp('ada'), munich);
    const page = async (language: string) =>
      (await browser.request('/if/user/', { headers: { ...munich, 'accept-language': language } })).text;
    expect(await page('en')).toContain('Munich, Germany');
    expect(await page('de')).toContain('München, Deutschland');
    // Nothing of it is kept.
    expect((await browser.request('/if/user/data.json', { headers: munich })).text).not.toContain('Munich');
  });

  it('messages and the page behind their links say where it was asked from; an unknown address stands alone', async () => {
    const asks = async (username: string, from: Record<string, string>) => {
      const browser = new WebClient(server.origin);
      await browser.open('by-mail');
      await browser.post({ username, email: `${username}@example.com` }, from);
      return mail.next(`${username}@example.com`);
    };
    const letter = await asks('bea', munich);
    expect(letter.text).toContain('address 198.51.100.7 (Munich, Germany)');
    expect(letter.html).toContain('198.51.100.7 (Munich, Germany)');
    const { pathname, search } = new URL(letter.link);
    const opened = await new WebClient(server.origin).request(pathname + search, {
      headers: { 'accept-language': 'de' },
    });
    expect(opened.text).toContain('198.51.100.7 (München, Deutschland)');
    const wire = await new WebClient(server.origin).open('by-mail', search.slice(1));
    expect(wire.asked).toMatchObject({ place: '198.51.100.7 (Munich, Germany)' });
    expect((await asks('cleo', { 'accept-language': 'de', ...munich })).text).toContain('(München, Deutschland)');
    expect((await asks('dora', { 'x-forwarded-for': '192.0.2.9' })).text).toContain('address 192.0.2.9,');
  });

  it('a message that waits to be read says it too', async () => {
    const { database, remove } = await emptyDatabase('sqlite');
    const rig = await createRig({
      database,
      places: { file },
      blueprints: [flowYaml({ slug: 'by-mail', stages: link })],
    });
    const visitor = rig.visitor({ address: '198.51.100.9' });
    await visitor.open('by-mail');
    await visitor.answer({ username: 'eve', email: 'eve@example.com' });
    const admin = await rig.auth.users.create({
      username: 'root',
      password: 'root password',
      groups: ['Doorward Admins'],
    });
    const reader = await signIn(rig, admin.username, 'root password');
    const box = await (await reader.request('/if/mail/')).text();
    const [, id = ''] = /href="(\/if\/mail\/[^"]+)"/.exec(box) ?? [];
    expect(await (await reader.request(id)).text()).toContain('198.51.100.9 (Munich, Germany)');
    await rig.close();
    await remove();
  });
});

describe('a request for approval', () => {
  it('says where it was asked from', async () => {
    const approval = {
      kind: 'approval',
      attrs: { approvers_group: '!Find [authentik_core.group, [name, Doorward Admins]]' },
    };
    const prompt = { kind: 'prompt', fields: [{ field_key: 'username' }] };
    const { database, remove } = await emptyDatabase('sqlite');
    const rig = await createRig({
      ...{ database, places: { file } },
      blueprints: [flowYaml({ slug: 'asking', stages: [prompt, approval] })],
    });
    await rig.auth.users.create({ username: 'root', password: 'root password', groups: ['Doorward Admins'] });
    const visitor = rig.visitor({ address: '203.0.113.4' });
    await visitor.open('asking');
    await visitor.answer({ username: 'ada' });
    const root = await signIn(rig, 'root', 'root password');
    const list = await (await root.request('/if/approvals/')).text();
    const [, path = ''] = /href="(\/if\/approvals\/[^"]+)"/.exec(list) ?? [];
    expect(await (await root.request(path)).text()).toContain('203.0.113.4 (Switzerland)');
    await rig.close();
    await remove();
  });
});

describe('with a function of the application’s own', () => {
  const pageWith = async (places: Locate): Promise<string> => {
    const { database, remove } = await emptyDatabase('sqlite');
    const rig = await createRig({ database, places });
    await rig.auth.users.create({ username: 'ada', password: 'ada password' });
    const page = await accountPageOf(await signIn(rig, 'ada', 'ada password'));
    await rig.close();
    await remove();
    return page;
  };

  it('its answer is shown as text; the page stands without one that fails', async () => {
    expect(await pageWith((address, locale) => `<b>${address}</b> in ${locale}`)).toContain(
      '&lt;b&gt;192.0.2.1&lt;/b&gt; in en',
    );
    const failing: Locate[] = [
      () => null,
      () => '',
      () => {
        throw new Error('no answer today');
      },
      () => Promise.reject(new Error('no answer today')),
    ];
    for (const places of failing) expect(await pageWith(places)).toContain('192.0.2.1');
  });
});

describe('doorward serve', () => {
  let program: Program;
  beforeAll(async () => {
    program = await buildProgram();
  });
  afterAll(() => program.remove());

  it('does not start with a file of places that is missing or broken, and says which', async () => {
    const broken = join(folder, 'broken.mmdb');
    await writeFile(broken, 'here be dragons');
    for (const name of [join(folder, 'missing.mmdb'), broken]) {
      const { code, err } = await program.run(['serve'], { env: { DOORWARD_GEOIP_FILE: name } });
      expect(code).toBe(2);
      expect(err).toContain(`DOORWARD_GEOIP_FILE (places.file): ${name} is no City or Country file`);
    }
    const { code, err } = await program.run(['serve'], { env: { DOORWARD_ASN_FILE: file } });
    expect(code).toBe(2);
    expect(err).toContain(`DOORWARD_ASN_FILE (places.asnFile): ${file} is no ASN or ISP file`);
  });

  it('reads it where it is bundled', async () => {
    const server = await program.serve({ DOORWARD_GEOIP_FILE: file });
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
  });
});
