import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, parseCall } from '../../src/cli/command.ts';
import { events } from '../../src/cli/commands/events.ts';
import { userRecoveryLink } from '../../src/cli/commands/recovery-link.ts';
import { tokenCreate, tokenList, tokenRevoke } from '../../src/cli/commands/token.ts';
import { userCreate } from '../../src/cli/commands/user.ts';
import { masked } from '../../src/kernel/secrets.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { type EngineRig, field, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

interface Page {
  readonly pagination: Readonly<Record<string, number>>;
  readonly results: readonly {
    readonly pk: string;
    readonly action: string;
    readonly user: object;
    readonly context: object;
  }[];
}

onBothDatabases('programs and administrators', (rig) => {
  let secret = '';
  let root = 0;
  beforeAll(async () => {
    root = (await rig.user('root', { groups: ['Doorward Admins'] })).id;
    secret = (await rig.auth.tokens.create(root, { description: 'tests' })).secret;
  });

  describe('a token', () => {
    it('gives a program the rights of its user, without a session and a check of the origin', async () => {
      const { id } = await rig.user('worker');
      const { secret: own } = await rig.auth.tokens.create(id);
      expect(await json(rig, '/api/v3/core/users/me/', own)).toMatchObject({ user: { username: 'worker' } });
      const worker = await rig.signedIn('worker');
      const listed = await json(rig, '/api/v3/core/authenticated_sessions/', own);
      expect(listed).toMatchObject({ pagination: { count: 1 }, results: [{ current: false }] });
      const [{ uuid = '' } = {}] = (listed as { results: { uuid: string }[] }).results;
      const path = `/api/v3/core/authenticated_sessions/${uuid}/`;
      const answer = await ask(rig, path, own, { method: 'DELETE', headers: { origin: 'https://ci.example' } });
      expect(answer.status).toBe(204);
      expect(await worker.whoAmI()).toBeNull();
      expect((await ask(rig, '/api/v3/events/events/', own)).status).toBe(403);
    });

    it('is no way into a flow or the account page', async () => {
      const visitor = rig.visitor();
      const headers = { authorization: `Bearer ${secret}` };
      expect((await visitor.request('/if/user/', { headers })).headers.get('location')).toContain('authentication');
      const path = '/api/v3/flows/executor/default-user-settings-flow/?query=';
      expect(await (await visitor.request(path, { headers })).json()).toMatchObject({
        component: 'ak-stage-access-denied',
      });
    });

    it.each(['unknown', '', 'a b', 'x'.repeat(5_000)])('that is unknown gets 403 as JSON: %s', async (guess) => {
      const answer = await ask(rig, '/api/v3/core/users/me/', guess);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ detail: expect.any(String) as string });
    });

    it('that is unknown does not fall back to the cookie', async () => {
      const visitor = await rig.signedIn('root');
      const headers = { authorization: 'Bearer unknown' };
      const answer = await visitor.request('/api/v3/core/users/me/', { headers });
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'invalid_token' }]);
    });

    it('is stored as its hash, told in events without it, and ends: revoked, expired, its user deactivated', async () => {
      const { id } = await rig.user('leaver');
      const [first, second, third] = [
        await rig.auth.tokens.create(id, { days: 1 }),
        await rig.auth.tokens.create(id),
        await rig.auth.tokens.create(id),
      ];
      const all = JSON.stringify([await rig.store.accounts.listTokens('api'), await rig.events('token_created')]);
      for (const made of [first, second, third]) expect(all).not.toContain(made.secret);
      const status = async (made: { secret: string }) => (await ask(rig, '/api/v3/core/users/me/', made.secret)).status;
      await rig.auth.tokens.revoke(second.uuid);
      expect([await status(first), await status(second), await status(third)]).toEqual([200, 403, 200]);
      rig.clock.advance(86_400_000);
      expect([await status(first), await status(third)]).toEqual([403, 200]);
      await rig.auth.users.deactivate(id);
      expect(await status(third)).toBe(403);
      await expect(rig.auth.tokens.create(id)).rejects.toMatchObject({ code: 'refused' });
      await expect(rig.auth.tokens.revoke(second.uuid)).rejects.toMatchObject({ code: 'not_found' });
      expect(await rig.events('token_revoked', 'leaver')).toHaveLength(1);
    });
  });

  describe('events', () => {
    it('show what a write wrote and discarded, masked (W22, W35)', async () => {
      await rig.flow('signup', [
        promptFor('username', 'is_superuser', field('attributes.api_key'), field('password', { type: 'password' })),
        write({ user_creation_mode: 'always_create' }),
      ]);
      const visitor = rig.visitor();
      await visitor.open('signup');
      const answers = {
        username: 'grace',
        is_superuser: 'yes',
        'attributes.api_key': 'k-123456',
        password: 'secret words',
      };
      await visitor.answer(answers);
      visitor.expectEnd();
      const pk = (await rig.find('grace'))?.id ?? 0;
      const { results } = await list(rig, secret, `?action=user_write&user=${pk}`);
      expect(results).toMatchObject([
        {
          action: 'user_write',
          user: { pk, username: 'grace' },
          client_ip: '192.0.2.1',
          flow: 'signup',
          context: {
            created: true,
            discarded: [{ key: 'is_superuser', reason: 'protected' }],
            data: { username: 'grace' },
          },
        },
      ]);
      expect(JSON.stringify(results)).not.toMatch(/k-123456|secret words/);
    });

    it('tell of a program’s write in the same words (W35)', async () => {
      const attributes = { team: 'engines', api_key: 'k-654321' };
      const { id: pk } = await rig.auth.users.create({
        ...{ username: 'hopper', password: 'secret words', groups: ['Doorward Admins'], attributes },
      });
      await rig.auth.users.update(pk, { name: 'Grace Hopper', isActive: false });
      const { results } = await list(rig, secret, `?action=user_write&user=${pk}`);
      expect(results.map(({ context }) => context)).toEqual([
        {
          ...{ created: false, via: 'library', discarded: [] },
          written: ['name', 'is_active'].map((key) => ({ key, field: key })),
          data: { name: 'Grace Hopper', is_active: false },
        },
        {
          ...{ created: true, via: 'library', discarded: [], groups_added: ['Doorward Admins'] },
          written: ['username', 'password', 'attributes'].map((key) => ({ key, field: key })),
          data: { username: 'hopper', password: masked, attributes: { team: 'engines', api_key: masked } },
        },
      ]);
    });

    it('come in pages, the newest first, by action and time (stages.md 8)', async () => {
      const from = rig.clock.now() + 1_000;
      for (let count = 1; count <= 5; count += 1) {
        rig.clock.advance(1_000);
        await rig.auth.tokens.recoveryLink(root);
      }
      const since = new Date(from).toISOString();
      const first = await list(rig, secret, `?action=recovery_link_created&created__gte=${since}&page_size=2`);
      expect(first.pagination).toEqual({
        ...{ next: 2, previous: 0, count: 5, current: 1, total_pages: 3, start_index: 1, end_index: 2 },
      });
      const last = await list(rig, secret, `?action=recovery_link_created&since=${since}&page_size=2&page=3`);
      expect(last.pagination).toEqual({
        ...{ next: 0, previous: 2, count: 5, current: 3, total_pages: 3, start_index: 5, end_index: 5 },
      });
      expect(Number(first.results[0]?.pk)).toBeGreaterThan(Number(last.results[0]?.pk));
      const before = `?action=recovery_link_created&since=${since}&created__lt=${new Date(from + 2_000).toISOString()}`;
      expect((await list(rig, secret, before)).results).toHaveLength(2);
      expect((await list(rig, secret, '?action=nothing')).pagination).toMatchObject({ count: 0, start_index: 0 });
    });

    it.each([
      ['page=4', 404],
      ['page=0', 404],
      ['page=x', 404],
      ['user=ada', 400],
      ['since=yesterday', 400],
      ['created__gte=2025-13-45', 400],
      ['action=%00', 400],
    ])('?%s gets %i', async (query, status) => {
      expect((await ask(rig, `/api/v3/events/events/?${query}`, secret)).status).toBe(status);
    });

    it('are for administrators alone, by session as well', async () => {
      const read = async (visitor: Visitor) => (await visitor.request('/api/v3/events/events/')).status;
      await rig.user('plain');
      expect(await read(rig.visitor())).toBe(403);
      expect(await read(await rig.signedIn('plain'))).toBe(403);
      expect(await read(await rig.signedIn('root'))).toBe(200);
    });
  });
});

/** A terminal of the tests on a data folder of its own. */
class TestTerminal {
  readonly folder: string;
  lines: string[] = [];
  readonly notes: string[] = [];
  onLine: (line: string) => void = () => undefined;

  constructor(folder = mkdtempSync(join(tmpdir(), 'doorward-cli-'))) {
    this.folder = folder;
  }

  async run(
    command: Command,
    args: readonly string[],
    stopped = new AbortController().signal,
  ): Promise<readonly string[]> {
    this.lines = [];
    const terminal = {
      env: { DOORWARD_DATA_DIR: this.folder, DOORWARD_PUBLIC_URL: 'https://id.example' },
      interactive: false,
      stopped,
      color: false,
      print: (line: string) => {
        this.lines.push(line);
        this.onLine(line);
      },
      note: (line: string) => void this.notes.push(line),
      overwrite: () => undefined,
      secret: async () => 'the password of a test',
    };
    await command.run(parseCall(command, args, terminal));
    return this.lines;
  }
}

describe('on the command line', () => {
  const terminal = new TestTerminal();
  afterAll(() => rmSync(terminal.folder, { recursive: true, force: true }));
  beforeAll(async () => {
    await terminal.run(userCreate, ['ada', '--admin']);
  });

  it('user recovery-link prints the address alone, so that it can be passed on', async () => {
    const [address, ...more] = await terminal.run(userRecoveryLink, ['ada', '--minutes', '5']);
    expect(more).toEqual([]);
    expect(address).toMatch(/^https:\/\/id\.example\/if\/flow\/default-recovery-link\/\?flow_token=/);
    for (const minutes of ['0', '1.5', 'x', '99999'])
      await expect(terminal.run(userRecoveryLink, ['ada', '--minutes', minutes])).rejects.toThrow('--minutes takes');
    await expect(terminal.run(userRecoveryLink, ['nobody'])).rejects.toMatchObject({ code: 'not_found' });
  });

  it('token create, list and revoke', async () => {
    const [secret = ''] = await terminal.run(tokenCreate, ['ada', '--description', 'nightly\u001b[31m', '--days', '7']);
    expect(secret).toMatch(/^doorward_[\w-]{43}$/);
    const [row = ''] = await terminal.run(tokenList, []);
    expect(row).toMatch(/^[0-9a-f-]{36} {2}ada {2}until \S+ {2}nightly\ufffd\[31m$/);
    expect(row).not.toContain(secret);
    const [printed = ''] = await terminal.run(tokenList, ['--json']);
    const { tokens } = JSON.parse(printed) as { tokens: { id: string }[] };
    await terminal.run(tokenRevoke, [tokens[0]?.id ?? '']);
    expect(await terminal.run(tokenList, [])).toEqual([]);
    await expect(terminal.run(tokenRevoke, ['unknown'])).rejects.toMatchObject({ code: 'not_found' });
  });

  it('events shows what was written, the newest last, filtered', async () => {
    const lines = await terminal.run(events, ['--user', 'ada', '--action', 'user_write']);
    expect(lines).toEqual([expect.stringMatching(/^\S+Z {2}user_write +ada \(1\) {2}created username="ada"/)]);
    const all = await terminal.run(events, ['--json', '--limit', '2']);
    expect(all.map((line) => JSON.parse(line) as object)).toMatchObject([
      { action: 'token_created', user: { username: 'ada' } },
      { action: 'token_revoked', context: { via: 'cli' } },
    ]);
    expect(await terminal.run(events, ['--user', '999'])).toEqual([]);
    expect(terminal.notes.at(-1)).toBe('There are no such events.');
    await expect(terminal.run(events, ['--user', 'nobody'])).rejects.toMatchObject({ code: 'not_found' });
  });

  it('events --follow goes on with what happens, each once, until it is stopped', async () => {
    const stop = new AbortController();
    const shown: string[] = [];
    const following = new TestTerminal(terminal.folder);
    following.onLine = (line) => {
      shown.push(line);
      const { action } = JSON.parse(line) as { action: string };
      if (action === 'recovery_link_created') stop.abort();
      else if (shown.length === 1) void terminal.run(userRecoveryLink, ['ada']);
    };
    const args = ['--follow', '--json', '--limit', '1', '--user', 'ada'];
    await following.run(events, args, stop.signal);
    expect(shown.map((line) => (JSON.parse(line) as { action: string }).action)).toEqual([
      'token_revoked',
      'recovery_link_created',
    ]);
  });
});

function ask(rig: EngineRig, path: string, secret: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${secret}` };
  return rig.visitor().request(path, { ...init, headers });
}

async function json(rig: EngineRig, path: string, secret: string): Promise<object> {
  return (await (await ask(rig, path, secret)).json()) as object;
}

async function list(rig: EngineRig, secret: string, query: string): Promise<Page> {
  return (await json(rig, `/api/v3/events/events/${query}`, secret)) as Page;
}
