import { beforeAll, expect, it } from 'vitest';
import type { Visitor } from '../../src/testing/rig.ts';
import { given } from '../store/databases.ts';
import { accountPageOf, deleted, listed, postForm, press } from '../support/account-forms.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { withMailOnBothDatabases } from '../support/mail-rig.ts';

const all = '/api/v3/sources/user_connections/all/';
const sources = 'goauthentik.io/user/sources';

/** Writes somebody as a source does who sent them, and signs in whoever is named. */
const flows = [
  flowYaml({
    slug: 'from-source',
    stages: [{ kind: 'user_write', attrs: { user_creation_mode: 'create_when_required' } }],
  }),
  flowYaml({
    slug: 'by-name',
    attrs: { designation: 'authentication' },
    stages: [{ kind: 'identification', attrs: { user_fields: ['username'] } }, { kind: 'user_login' }],
  }),
];

withMailOnBothDatabases('connected sources', {}, (rig) => {
  beforeAll(() => rig.auth.flows.apply(flows));

  const connect = async (username: string, source: string, identifier: string): Promise<void> => {
    const known = await rig.find(username);
    const pending = known === null ? {} : { pending_user: { pk: known.id } };
    const prompt_data = known === null ? { username, email: `${username}@example.com` } : {};
    const executed = await rig.auth.flows.execute('from-source', {
      context: { ...pending, prompt_data, source: { source, identifier, isNew: true } },
    });
    expect(executed).toMatchObject({ status: 'done' });
  };
  /** Somebody with a password, connected to these. */
  const connected = async (username: string, ...names: readonly string[]): Promise<Visitor> => {
    await rig.user(username);
    for (const name of names) await connect(username, name, `${username}-at-${name}`);
    return rig.signIn(username);
  };
  /** Somebody who comes from a source alone. */
  const foreign = async (username: string): Promise<Visitor> => {
    await connect(username, 'github', `${username}-at-github`);
    const visitor = rig.visitor();
    await visitor.open('by-name');
    await visitor.answer({ uid_field: username });
    visitor.expectEnd();
    return visitor;
  };

  it("are listed for their owner, and another user's are not found", async () => {
    const [ada, eve] = [await connected('lists-ada', 'github', 'gitlab'), await connected('lists-eve')];
    const [first, second, ...none] = await listed(ada, all);
    expect([first, second]).toMatchObject([
      { pk: expect.any(String), source: 'github', identifier: 'lists-ada-at-github', source_obj: { name: 'github' } },
      { pk: expect.any(String), source: 'gitlab', user: given(await rig.find('lists-ada')).id },
    ]);
    expect([none, await listed(eve, all)]).toEqual([[], []]);
    expect((await rig.visitor().request(all)).status).toBe(403);
    const path = `${all}${String(first?.pk)}/`;
    expect(await (await ada.request(path)).json()).toEqual(first);
    expect([(await eve.request(path)).status, await deleted(eve, path)]).toEqual([404, 404]);
    expect((await postForm(eve, `/if/user/connections/${String(first?.pk)}/disconnect`)).status).toBe(404);
    for (const pk of ["'", '%00', '']) expect(await deleted(ada, `${all}${pk}x/`)).toBe(404);
    expect(await listed(ada, all)).toHaveLength(2);
  });

  it('are disconnected by a button, with an event and a message; the source is theirs no more', async () => {
    const visitor = await connected('button', 'github', 'gitlab');
    expect(await accountPageOf(visitor)).toContain('button-at-github');
    const answer = await press(visitor, /connections\/.*disconnect$/);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/if/user/?notice=connection-removed']);
    expect(await listed(visitor, all)).toMatchObject([{ source: 'gitlab' }]);
    expect((await rig.find('button'))?.attributes).toEqual({ [sources]: ['gitlab'] });
    const { headers, text } = await rig.letter('button@example.com');
    expect(headers.get('subject')).toBe('An account was disconnected from Doorward');
    expect(text).toContain('disconnected from your account button');
    const { events } = (await (await visitor.request('/if/user/data.json')).json()) as { events: { action: string }[] };
    expect(events.filter(({ action }) => action === 'source_unlinked')).toHaveLength(1);
  });

  it('one of two with the same source leaves the source', async () => {
    const visitor = await connected('two', 'github');
    await connect('two', 'github', 'two-again');
    const [one] = await listed(visitor, all);
    expect(await deleted(visitor, `${all}${String(one?.pk)}/`)).toBe(204);
    expect((await rig.find('two'))?.attributes).toEqual({ [sources]: ['github'] });
    expect(await deleted(visitor, `${all}${String(one?.pk)}/`)).toBe(404);
  });

  it('take a proof from a moment ago, by the user alone', async () => {
    const visitor = await connected('proof', 'github');
    const [{ pk } = {}] = await listed(visitor, all);
    const path = `${all}${String(pk)}/`;
    const { secret } = await rig.auth.tokens.create(given(await rig.find('proof')).id);
    expect(await deleted(rig.visitor(), path, { authorization: `Bearer ${secret}` })).toBe(403);
    expect(await deleted(visitor, path, { origin: 'https://evil.example' })).toBe(403);
    rig.clock.advance(16 * 60_000);
    const refused = await press(visitor, /connections\/.*disconnect$/);
    expect(refused.headers.get('location')).toBe('/flows/-/prove/?next=%2Fif%2Fuser%2F');
    expect(await deleted(visitor, path)).toBe(403);
    expect(await listed(visitor, all)).toHaveLength(1);
    const again = await rig.signIn('proof');
    expect(await deleted(again, path)).toBe(204);
  });

  it('the only way to sign in stays, and the page says what to do', async () => {
    const visitor = await foreign('only');
    const answer = await press(visitor, /connections\/.*disconnect$/);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/if/user/?notice=connection-needed']);
    const page = await (await visitor.request('/if/user/?notice=connection-needed')).text();
    expect(page).toContain('This is your only way to sign in. Set a password or add a passkey first');
    const [{ pk } = {}] = await listed(visitor, all);
    const api = await visitor.request(`${all}${String(pk)}/`, {
      ...{ method: 'DELETE', headers: { origin: 'http://localhost:9000' } },
    });
    expect([api.status, await api.json()]).toMatchObject([409, { code: 'only_sign_in' }]);
    expect(await listed(visitor, all)).toHaveLength(1);
    await rig.auth.users.setPassword(given(await rig.find('only')).id, 'only password');
    const back = await rig.signIn('only');
    expect(await deleted(back, `${all}${String(pk)}/`)).toBe(204);
  });

  it('of two that are removed at the same moment the last one stays', async () => {
    const visitor = await foreign('race');
    await connect('race', 'gitlab', 'race-at-gitlab');
    const paths = (await listed(visitor, all)).map(({ pk }) => `${all}${String(pk)}/`);
    const statuses = await Promise.all(paths.map((path) => deleted(visitor, path)));
    expect(statuses.toSorted()).toEqual([204, 409]);
    expect(await listed(visitor, all)).toHaveLength(1);
  });

  it('are all listed for administrators, who may disconnect them', async () => {
    const ada = await connected('seen-ada', 'github');
    await rig.user('seen-chief', { groups: ['Doorward Admins'] });
    const { secret } = await rig.auth.tokens.create(given(await rig.find('seen-chief')).id);
    const headers = { authorization: `Bearer ${secret}` };
    const own = await listed(ada, all);
    expect(await listed(rig.visitor(), `${all}?user=${String(own[0]?.user)}`, headers)).toEqual(own);
    expect((await listed(rig.visitor(), all, headers)).length).toBeGreaterThan(1);
    expect(await deleted(rig.visitor(), `${all}${String(own[0]?.pk)}/`, headers)).toBe(204);
    expect(await listed(ada, all)).toEqual([]);
    const events = `/api/v3/events/events/?action=source_unlinked&user=${String(own[0]?.user)}`;
    expect(await listed(rig.visitor(), events, headers)).toMatchObject([
      { user: { username: 'seen-ada' }, context: { source: 'github', unlinked_by: 'seen-chief' } },
    ]);
  });

  it('are in the copy of one’s data, and go with the user', async () => {
    const visitor = await connected('data', 'github');
    expect(await (await visitor.request('/if/user/data.json')).json()).toMatchObject({
      connections: [{ source: 'github', identifier: 'data-at-github', created: expect.any(String) }],
    });
    await rig.auth.users.delete(given(await rig.find('data')).id);
    await connect('data', 'github', 'data-at-github');
    expect((await rig.find('data'))?.attributes).toEqual({ [sources]: ['github'] });
  });
});
