import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { writePlacesFile } from '../support/places-file.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, WebClient } from '../support/web-client.ts';

const networks = {
  '198.51.100.0/25': { autonomous_system_number: 64500 },
  '198.51.100.128/25': { autonomous_system_number: 64500 },
  '203.0.113.0/24': { autonomous_system_number: 64501 },
};
const europe = { continent: { code: 'EU' } };
const cities = {
  '198.51.100.0/25': { ...europe, country: { iso_code: 'DE' }, city: { names: { en: 'Munich', de: 'München' } } },
  '198.51.100.128/25': { ...europe, country: { iso_code: 'DE' }, city: { names: { en: 'Berlin' } } },
  '203.0.113.0/24': { ...europe, country: { iso_code: 'AT' }, city: { names: { en: 'Vienna' } } },
  '192.0.2.0/25': { continent: { code: 'NA' }, country: { iso_code: 'US' }, city: { names: { en: 'Boston' } } },
};
const [munich, besides, berlin, vienna, boston, nowhere] = [
  ...['198.51.100.7', '198.51.100.9', '198.51.100.200', '203.0.113.9', '192.0.2.5', '192.0.2.200'],
] as [string, string, string, string, string, string];
const from = (address: string) => ({ 'x-forwarded-for': address });

/** By slug: what a session that begins there is bound to. */
const bindings = {
  free: {},
  asn: { network_binding: 'bind_asn' },
  network: { network_binding: 'bind_asn_network' },
  address: { network_binding: 'bind_asn_network_ip' },
  continent: { geoip_binding: 'bind_continent' },
  country: { geoip_binding: 'bind_continent_country' },
  city: { geoip_binding: 'bind_continent_country_city' },
} as const;
const flows = Object.entries(bindings).map(([slug, attrs]) =>
  flowYaml({
    slug,
    stages: [
      { kind: 'prompt', fields: [{ field_key: 'username' }] },
      { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
      { kind: 'user_login', attrs },
    ],
  }),
);
const rename = flowYaml({
  slug: 'rename',
  attrs: { authentication: 'require_authenticated' },
  stages: [
    { kind: 'prompt', fields: [{ field_key: 'name' }] },
    { kind: 'user_write', attrs: { user_creation_mode: 'never_create' } },
  ],
});

describe.each(['sqlite', 'postgres'] as const)('UL-4: sessions bound to a network or a place on %s', (dialect) => {
  let folder = '';
  let server: TestServer;
  let remove = async () => {};
  let token = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doorward-bound-'));
    const [file, asnFile] = [join(folder, 'city.mmdb'), join(folder, 'asn.mmdb')];
    await writePlacesFile(file, { networks: cities });
    await writePlacesFile(asnFile, { networks, type: 'GeoLite2-ASN' });
    const empty = await emptyDatabase(dialect);
    remove = empty.remove;
    server = await startServer({
      ...{ places: { file, asnFile }, trustedProxies: ['127.0.0.0/8'], hasher: openHasher },
      ...{ database: empty.database, blueprints: [...flows, rename] },
    });
    const root = await server.auth.users.create({ username: 'keeper', groups: ['Doorward Admins'] });
    token = (await server.auth.tokens.create(root.id)).secret;
  });
  afterAll(async () => {
    await server.close();
    await remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function signedIn(slug: keyof typeof bindings, username: string, at = munich): Promise<WebClient> {
    const browser = new WebClient(server.origin);
    await browser.open(slug);
    const answer = await browser.post({ username }, from(at));
    expect(answer.json()).toMatchObject({ component: 'xak-flow-redirect' });
    return browser;
  }

  const statusOf = async (browser: WebClient, at: string) =>
    (await browser.request('/api/v3/core/users/me/', { headers: from(at) })).status;

  /** The events of one kind that name this user, or somebody on their behalf. */
  async function eventsOf(action: string, username: string): Promise<readonly Record<string, unknown>[]> {
    const answer = await new WebClient(server.origin).request(`/api/v3/events/events/?action=${action}&page_size=100`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { results } = answer.json() as { results: Record<string, unknown>[] };
    return results.filter(({ user }) => JSON.stringify(user).includes(`"${username}"`));
  }

  it.each([
    ['asn', berlin, vienna, 'network.asn', 64500, 64501],
    ['asn', besides, boston, 'network.missing', 64500, null],
    ['network', besides, berlin, 'network.asn_network', '198.51.100.0/25', '198.51.100.128/25'],
    ['address', munich, besides, 'network.ip', munich, besides],
    ['continent', vienna, boston, 'geoip.continent', 'EU', 'NA'],
    ['continent', besides, nowhere, 'geoip.missing', 'EU', null],
    ['country', berlin, vienna, 'geoip.country', 'DE', 'AT'],
    ['city', besides, berlin, 'geoip.city', 'Munich', 'Berlin'],
  ] as const)('to its %s: holds at %s, ends at %s (%s), and is over at home too', async (...row) => {
    const [slug, near, far, reason, previous, present] = row;
    const username = `of-${reason}-${dialect}`;
    const browser = await signedIn(slug, username);
    const data = await browser.request('/if/user/data.json', { headers: from(near) });
    expect(data.json()).toMatchObject({ profile: { username }, sessions: [{ last_ip: near }] });
    const away = await browser.request('/if/user/', { headers: from(far) });
    expect(away.headers.location).toBe('/if/flow/default-authentication-flow/?next=%2Fif%2Fuser%2F');
    expect(await statusOf(browser, munich)).toBe(403);
    expect(await eventsOf('logout', username)).toMatchObject([
      {
        ...{ client_ip: far, flow: null, user: { username } },
        context: {
          binding: { reason, previous_value: previous, new_value: present },
          ip: { previous: near, new: far },
        },
      },
    ]);
  });

  it('one that is bound to nothing holds everywhere, and its address stays that of the sign-in', async () => {
    const browser = await signedIn('free', 'free');
    for (const at of [vienna, boston, nowhere]) expect(await statusOf(browser, at)).toBe(200);
    const data = await browser.request('/if/user/data.json', { headers: from(boston) });
    expect(data.json()).toMatchObject({ sessions: [{ last_ip: munich, bound_to: null }] });
  });

  it('one that began where nobody knows the network holds at that address alone', async () => {
    const browser = await signedIn('asn', 'unknown', nowhere);
    expect(await statusOf(browser, nowhere)).toBe(200);
    expect(await statusOf(browser, munich)).toBe(403);
    expect(await eventsOf('logout', 'unknown')).toMatchObject([
      { context: { binding: { reason: 'network.missing', previous_value: null, new_value: 64500 } } },
    ]);
  });

  it('a copied session cookie answers no flow from elsewhere: run and session end, and the thief begins as nobody', async () => {
    const browser = await signedIn('country', 'robbed');
    const page = '/if/flow/rename/';
    const opened = await browser.request(page, { headers: from(berlin) });
    expect(opened.text).toContain('name="name"');
    const thief = browser.twin();
    const form = { ...hiddenFields(opened.text), name: 'Eve' };
    const answer = await thief.submit(page, form, from(vienna));
    expect(thief.cookies).not.toEqual(browser.cookies);
    expect(answer.text).not.toContain('name="name"');
    expect(await server.auth.users.get({ username: 'robbed' })).toMatchObject({ name: '' });
    for (const one of [thief, browser]) expect(await statusOf(one, munich)).toBe(403);
    expect(await eventsOf('logout', 'robbed')).toMatchObject([
      { flow: 'rename', context: { binding: { reason: 'geoip.country' }, ip: { previous: berlin, new: vienna } } },
    ]);
  });

  it('many requests from elsewhere at once end it once', async () => {
    const browser = await signedIn('asn', 'hurried');
    const statuses = await Promise.all(Array.from({ length: 6 }, () => statusOf(browser, vienna)));
    expect(statuses).toEqual(Array(6).fill(403));
    expect(await eventsOf('logout', 'hurried')).toHaveLength(1);
  });

  it('an administrator who acts as a user is bound as before; from elsewhere both sessions end', async () => {
    const root = await signedIn('country', 'root');
    const { id: rootId } = (await server.auth.users.get({ username: 'root' })) ?? { id: 0 };
    await server.auth.users.join(rootId, 'Doorward Admins');
    const ada = await server.auth.users.create({ username: 'ada' });
    const own = root.twin();
    const began = await root.request(`/api/v3/core/users/${ada.id}/impersonate/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.origin, ...from(munich) },
      body: JSON.stringify({ reason: 'ticket 7' }),
    });
    expect(began.status).toBe(204);
    const me = await root.request('/api/v3/core/users/me/', { headers: from(berlin) });
    expect(me.json()).toMatchObject({ user: { username: 'ada' }, original: { username: 'root' } });
    expect(await statusOf(root, vienna)).toBe(403);
    for (const browser of [root, own]) expect(await statusOf(browser, munich)).toBe(403);
    const who = { user: { username: 'root', on_behalf_of: { username: 'ada' } } };
    expect(await eventsOf('logout', 'root')).toMatchObject([
      { ...who, context: { binding: { reason: 'geoip.country' } } },
    ]);
    expect(await eventsOf('impersonation_ended', 'root')).toMatchObject([who]);
  });

  it('an application that does not say where a request came from finds nobody, and ends nothing', async () => {
    const browser = await signedIn('country', 'embedded');
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const request = new Request(server.origin, { headers: { cookie } });
    expect(await server.auth.session(request)).toBeNull();
    expect((await server.auth.session(request, { address: berlin }))?.user.username).toBe('embedded');
    expect(await eventsOf('logout', 'embedded')).toEqual([]);
  });
});

describe('UL-4: a binding whose file is not there', () => {
  it('lets nobody in, and the log says which is lacking', async () => {
    const logged: unknown[] = [];
    const server = await startServer({
      ...{ hasher: openHasher, blueprints: flows, trustedProxies: ['127.0.0.0/8'] },
      log: (level, message, fields) => void (level === 'warn' && logged.push({ message, ...fields })),
    });
    const browser = new WebClient(server.origin);
    await browser.open('asn');
    expect(await browser.answer({ username: 'ada' })).toMatchObject({ component: 'ak-stage-access-denied' });
    expect(await browser.whoAmI()).toBeNull();
    expect(logged).toContainEqual({
      ...{ message: 'nobody can sign in here: the session could not be bound', flow: 'asn', stage: 'asn-2-user_login' },
      lacking: 'DOORWARD_ASN_FILE (places.asnFile), for network_binding bind_asn',
    });
    await server.close();
  });
});
