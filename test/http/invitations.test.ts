import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, parseCall } from '../../src/cli/command.ts';
import { apply } from '../../src/cli/commands/apply.ts';
import { inviteCreate, inviteList, inviteRevoke } from '../../src/cli/commands/invite.ts';
import { mailList, mailShow } from '../../src/cli/commands/mail.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';

const path = '/api/v3/stages/invitation/invitations/';
const origin = 'http://localhost:9000';
const stage = { kind: 'authentik_stages_invitation.invitationstage' };
const stages = [
  stage,
  promptFor({ field_key: 'username', type: 'username' }),
  write({ user_creation_mode: 'always_create' }),
  login,
];
const attrs = { authentication: 'require_unauthenticated', name: 'Joining' };
const week = 7 * 86_400_000;

onBothDatabases('the API of invitations', (rig) => {
  let token = '';
  let root = 0;
  beforeAll(async () => {
    root = (await rig.user('root', { groups: ['Doorward Admins'] })).id;
    token = (await rig.auth.tokens.create(root)).secret;
    await rig.flow('join', stages, { attrs });
    await rig.flow('no-stage', [promptFor('name')]);
  });
  const ask = (method: string, at = '', body?: object, more: Readonly<Record<string, string>> = {}) =>
    rig.visitor().request(`${path}${at}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more },
    });
  const made = async (body: object): Promise<JsonObject> => {
    const answer = await ask('POST', '', { name: 'friends', flow: 'join', ...body });
    expect(answer.status).toBe(201);
    return (await answer.json()) as JsonObject;
  };

  it('makes one by the reference’s names, shows its address once, and the address opens the flow', async () => {
    const fixed_data = { email: 'ada@example.com', attributes: { team: 'engines' } };
    const one = await made({ name: 'engines', fixed_data, single_use: true });
    expect(one).toMatchObject({
      ...{ name: 'engines', fixed_data, single_use: true, uses: 0, created_by: { pk: root, username: 'root' } },
      ...{ flow: expect.stringMatching(/^[\da-f-]{36}$/), expires: new Date(rig.clock.now() + week).toISOString() },
      flow_obj: { slug: 'join', name: 'Joining', designation: 'enrollment', pk: one.flow },
      address: `${origin}/if/flow/join/?itoken=${one.itoken}`,
    });
    const { itoken, address, ...rest } = one;
    expect(itoken).toMatch(/^[\w-]{43}$/);
    expect(await (await ask('GET', `${one.pk}/`)).json()).toEqual(rest);
    const [event] = await rig.events('model_created', 'root');
    expect(event).toMatchObject({ context: { model: 'invitation', pk: one.pk, flow: 'join', via: 'api' } });
    expect(JSON.stringify(event)).not.toContain(itoken);
    const visitor = rig.visitor();
    await visitor.open('join', new URL(String(address)).search.slice(1));
    await visitor.answer({ username: 'ada' });
    visitor.expectEnd();
    expect(await (await ask('GET', `${one.pk}/`)).json()).toMatchObject({ uses: 1 });
    expect(await rig.find('ada')).toMatchObject({ email: 'ada@example.com', attributes: { team: 'engines' } });
  });

  it('lists in pages, the last to expire first, by name and flow', async () => {
    const expires = (days: number) => new Date(rig.clock.now() + days * 86_400_000).toISOString();
    for (const days of [1, 3, 2]) await made({ name: `listed-${days}`, expires: expires(days) });
    await made({ name: 'listed-free', flow: null, expires: expires(4) });
    const list = async (query: string) =>
      (await (await ask('GET', `?${query}`)).json()) as { results: JsonObject[]; pagination: JsonObject };
    const { results, pagination } = await list('search=LISTED-&page_size=2');
    expect(results).toMatchObject([{ name: 'listed-free', flow: null, flow_obj: null }, { name: 'listed-3' }]);
    expect(pagination).toMatchObject({ count: 4, current: 1, next: 2, total_pages: 2, end_index: 2 });
    expect((await list('search=listed-&page_size=2&page=2')).results).toMatchObject([
      { name: 'listed-2' },
      { name: 'listed-1' },
    ]);
    expect((await list('search=listed-&flow__slug=join')).results).toHaveLength(3);
    expect((await list('name=listed-2')).results).toHaveLength(1);
    expect((await ask('GET', '?page=99')).status).toBe(404);
  });

  it('changes one, and makes one void', async () => {
    const { pk, flow, itoken } = await made({ name: 'changing' });
    const changes = { name: 'changed', fixed_data: { name: 'Ada' }, single_use: true };
    expect(await (await ask('PATCH', `${pk}/`, changes)).json()).toMatchObject({ ...changes, flow });
    expect(await (await ask('PATCH', `${pk}/`, { flow: null })).json()).toMatchObject({ name: 'changed', flow: null });
    expect(await (await ask('PATCH', `${pk}/`, { flow })).json()).toMatchObject({ flow, flow_obj: { slug: 'join' } });
    expect((await ask('DELETE', `${pk}/`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await ask(method, `${pk}/`)).status).toBe(404);
    expect((await ask('PATCH', `${pk}/`, { name: 'x' })).status).toBe(404);
    const visitor = rig.visitor();
    await visitor.open('join', `itoken=${itoken}`);
    visitor.expectDenied();
    expect(await rig.events('model_updated', 'root')).toMatchObject([{ context: { changed: ['flow'] } }, {}, {}]);
    expect(await rig.events('model_deleted', 'root')).toMatchObject([{ context: { pk } }]);
  });

  it.each<[object, string]>([
    [{ name: undefined }, 'name'],
    [{ name: 'two words' }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ flow: 'nowhere' }, 'flow'],
    [{ flow: 'no-stage' }, 'flow'],
    [{ flow: 1 }, 'flow'],
    [{ single_use: 'yes' }, 'single_use'],
    [{ expires: '2025-01-01T11:59:59Z' }, 'expires'],
    [{ expires: '2099-01-01T00:00:00Z' }, 'expires'],
    [{ expires: '2025-01-02T00:00:00' }, 'expires'],
    [{ expires: 1 }, 'expires'],
    [{ fixed_data: [] }, 'fixed_data'],
    [{ fixed_data: { password: 'x' } }, 'fixed_data'],
    [{ fixed_data: { password_hash: 'x' } }, 'fixed_data'],
    [{ fixed_data: { attributes: 'x' } }, 'fixed_data'],
    [{ fixed_data: { attributes: { 'a.b': 1 } } }, 'fixed_data'],
    [{ fixed_data: { attributes: { a: [{ $sealed: 'x' }] } } }, 'fixed_data'],
    [{ fixed_data: { 'attributes.__proto__.x': 1 } }, 'fixed_data'],
    [{ fixed_data: { a: 'x'.repeat(70_000) } }, 'fixed_data'],
    [{ mail: 'nobody' }, 'mail'],
    [{ mail: 'ada@example.com', flow: null }, 'mail'],
    [{ locale: 'xx' }, 'locale'],
  ])('refuses %j, and says which member is wrong', async (wrong, member) => {
    const answer = await ask('POST', '', { name: 'friends', flow: 'join', ...wrong });
    expect([400, 404]).toContain(answer.status);
    expect(await answer.json()).toMatchObject({ [member]: [expect.any(String)], detail: expect.any(String) });
  });

  it('is for administrators alone, and in a browser for requests from here', async () => {
    const { pk } = await made({});
    await rig.user('worker');
    const [worker, admin] = [await rig.signedIn('worker'), await rig.signedIn('root')];
    const body = JSON.stringify({ name: 'browser', flow: 'join' });
    const headers = { 'content-type': 'application/json', origin };
    const requests: [string, RequestInit][] = [
      [path, { method: 'GET' }],
      [`${path}${pk}/`, { method: 'GET' }],
      [path, { method: 'POST', body, headers }],
      [`${path}${pk}/`, { method: 'PATCH', body: '{}', headers }],
      [`${path}${pk}/`, { method: 'DELETE', headers }],
    ];
    for (const [at, init] of requests) {
      for (const visitor of [rig.visitor(), worker]) expect((await visitor.request(at, init)).status).toBe(403);
      if (init.method === 'GET') continue;
      const foreign = { ...init, headers: { ...headers, origin: 'https://evil.example' } };
      expect((await admin.request(at, foreign)).status).toBe(403);
    }
    const [, , post, , remove] = requests;
    expect((await admin.request(path, post?.[1])).status).toBe(201);
    expect((await admin.request(`${path}${pk}/`, remove?.[1])).status).toBe(204);
  });

  it('sends one by mail, in the commit that makes it; it is good for one user', async () => {
    const { itoken, single_use } = await made({ name: 'mailed', mail: 'grace@example.com', locale: 'de' });
    expect(single_use).toBe(true);
    const [message] = (await rig.store.outbox.pending(10)).filter(({ kind }) => kind === 'mail');
    expect(message?.payload).toMatchObject({
      ...{ template: 'invitation', locale: 'de', to: { name: '', address: 'grace@example.com' } },
      values: { url: `${origin}/if/flow/join/?itoken=${itoken}`, expires: rig.clock.now() + week },
      until: rig.clock.now() + week,
    });
    const many = await rig.auth.invitations.create({
      ...{ name: 'many', flow: 'join', mail: 'all@example.com', singleUse: false },
    });
    expect(many.invitation.singleUse).toBe(false);
    const [last] = (await rig.store.outbox.pending(10)).filter(({ kind }) => kind === 'mail').slice(-1);
    expect(last?.payload).toMatchObject({ values: { url: many.address } });
    expect(JSON.stringify(last?.payload)).not.toContain('expires');
  });
});

describe('doorward invite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-invite-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(async () => {
    const file = join(folder, 'join.yaml');
    writeFileSync(file, flowYaml({ slug: 'join', stages, attrs }).text);
    await run(apply, [file]);
  });

  async function run(command: Command, args: readonly string[]): Promise<string[]> {
    const out: string[] = [];
    const terminal = {
      ...{ env: { DOORWARD_DATA_DIR: folder }, interactive: false, color: false, overwrite: null },
      ...{ print: (line: string) => void out.push(line), note: () => {}, secret: async () => '' },
      stopped: new AbortController().signal,
    };
    await command.run(parseCall(command, args, terminal));
    return out;
  }
  const json = async (command: Command, args: readonly string[]) =>
    JSON.parse((await run(command, [...args, '--json']))[0] ?? '') as JsonObject;

  it('makes one and mails it, lists it, and makes it void', async () => {
    const data = [
      '--data',
      'email=ada@example.com',
      '--data',
      'attributes.motto=a=b',
      '--data',
      '{"attributes":{"seats":3}}',
    ];
    const more = ['--flow', 'join', '--expires', 'hours=12', '--mail', 'ada@example.com'];
    const one = await json(inviteCreate, ['--name', 'engines', ...data, ...more]);
    expect(one).toMatchObject({ address: `${origin}/if/flow/join/?itoken=${one.itoken}`, name: 'engines' });
    const { messages } = (await json(mailList, [])) as { messages: readonly JsonObject[] };
    expect(messages).toMatchObject([{ to: 'ada@example.com', template: 'invitation' }]);
    const letter = (await run(mailShow, [String(messages[0]?.id)])).join('\n');
    expect(letter).toContain(String(one.address));
    const plain = await run(inviteCreate, ['--name', 'anywhere']);
    expect(plain).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
    const row = { id: one.id, name: 'engines', flow: 'join', single_use: true, uses: 0, expires: one.expires };
    expect(await json(inviteList, ['--search', 'ENG'])).toEqual({ total: 1, invitations: [row] });
    expect((await run(inviteList, [])).join('\n')).toMatch(/engines {3}used 0 of 1 {2}until \S+ {2}join/);
    await run(inviteRevoke, [String(one.id)]);
    expect(await json(inviteList, ['--search', 'engines'])).toMatchObject({ total: 0 });
    await expect(run(inviteRevoke, [String(one.id)])).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    [[], /--name/],
    [['--name', 'x', '--data', 'nothing'], /KEY=VALUE/],
    [['--name', 'x', '--data', '{"a"'], /JSON/],
    [['--name', 'x', '--expires', 'soon'], /duration/],
    [['--name', 'x', '--locale', 'xx'], /--locale/],
  ])('%j is refused as wrong usage', async (args, said) => {
    await expect(run(inviteCreate, args)).rejects.toThrow(said);
  });
});
