import { expect, it } from 'vitest';
import type { DefinitionsChange } from '../../src/engine/definition.ts';
import type { Effect } from '../../src/engine/effects.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';
import { newUuid } from '../../src/kernel/ids.ts';
import { Secret } from '../../src/kernel/secrets.ts';
import type { Driver } from '../../src/store/driver.ts';
import { type OpenStore, openDriver } from '../../src/store/open.ts';
import { added, commit, given, loadAt, newerKeys, onEachDatabase, type Rig, run, start } from './databases.ts';

const [newer = ''] = newerKeys.split(',');
const privateKey = 'the private key of a captcha';

const captcha = { public_key: 'site', private_key: privateKey, texts: ['a', { api_key: privateKey }] };
const put = [
  { pk: 'captcha', model: 'authentik_stages_captcha.captchastage', attrs: { name: 'captcha', ...captcha } },
  { pk: 'field', model: 'authentik_stages_prompt.prompt', attrs: { type: 'password', initial_value: privateKey } },
  { pk: 'plain', model: 'authentik_stages_prompt.prompt', attrs: { type: 'text', initial_value: 'shown to all' } },
];
const flow = {
  ...{ pk: 'f', slug: 'guarded', version: 1, name: 'Guarded', title: '', designation: 'enrollment' },
  ...{ authentication: 'none', deniedAction: 'message', layout: 'stacked', background: '', policyEngineMode: 'any' },
  ...{
    policies: [],
    bindings: [{ pk: 'b', stage: { pk: 'captcha', name: 'captcha', kind: 'captcha', config: captcha } }],
  },
  objects: { field: { pk: 'field', kind: 'prompt', name: 'field', config: given(put[1]).attrs } },
} as unknown as CompiledFlow;

function change(revision: number, more: Partial<DefinitionsChange>): DefinitionsChange {
  return { revision, put: [], remove: [], flows: [], removedFlows: [], effects: [], ...more };
}

/** SQL by hand: what lies on the disk. */
async function onDisk<T>({ database }: Rig, work: (driver: Driver) => Promise<T>): Promise<T> {
  const driver = await openDriver(database);
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}

const columns = ['attrs FROM doorward_definition', 'definition FROM doorward_flow_version'];

async function settingsOnDisk(rig: Rig): Promise<string> {
  return onDisk(rig, async (driver) => {
    const rows = await Promise.all(columns.map((from) => driver.read({ text: `SELECT ${from}`, params: [] })));
    return JSON.stringify(rows);
  });
}

function app(userId: number, secret: string): Effect {
  const fresh = { uuid: newUuid(), userId, name: 'app', createdAt: start, lastUsedAt: null, credential: null };
  const authenticator = {
    ...fresh,
    kind: 'totp',
    secret: new Secret(secret),
    data: {},
    codes: [],
    counter: 0,
  } as const;
  return { kind: 'authenticator.add', authenticator };
}

const mail: Effect = {
  kind: 'outbox',
  message: { kind: 'mail', channel: 'mail', userId: null, payload: { to: 'ada@example.com' }, at: start },
};

/** Kinds of which something was sealed anew, or could not be read. */
async function resealed(store: OpenStore): Promise<Record<string, readonly [resealed: number, unreadable: number]>> {
  const kinds = (await store.reseal()).filter((kind) => kind.resealed + kind.unreadable > 0);
  return Object.fromEntries(kinds.map((kind) => [kind.kind, [kind.resealed, kind.unreadable]]));
}

onEachDatabase('secrets in a copy of the database (CONTRACT: Trust)', (rig) => {
  it('those of definitions and flow versions lie sealed, and are given as they were', async () => {
    const { definitions } = rig.store;
    const { revision } = await definitions.all();
    expect(await definitions.apply(change(revision, { put, flows: [flow] }))).toBe('done');
    const kept = await settingsOnDisk(rig);
    expect(kept).toContain('$sealed');
    expect(kept).toContain('shown to all');
    expect(kept).not.toContain(privateKey);
    expect((await definitions.all()).definitions).toEqual(put);
    expect(await definitions.flow('guarded', 1)).toEqual(flow);
  });

  it('a sealed secret that is put into another row opens nothing', async () => {
    await onDisk(rig, async (driver) => {
      const [row] = await driver.read({
        text: "SELECT attrs FROM doorward_definition WHERE pk = 'captcha'",
        params: [],
      });
      const text = "UPDATE doorward_definition SET attrs = ? WHERE pk = 'plain'".replace(
        '?',
        rig.dialect === 'sqlite' ? '?' : '$1',
      );
      await driver.write({ text, params: [String(row?.[0])] });
    });
    await expect(rig.store.definitions.all()).rejects.toMatchObject({ code: 'configuration' });
    await onDisk(rig, (driver) =>
      driver.write({ text: "DELETE FROM doorward_definition WHERE pk = 'plain'", params: [] }),
    );
    expect((await rig.store.definitions.all()).definitions).toEqual(put.slice(0, 2));
  });

  it('what was kept before secrets were sealed is read, and sealed by the command', async () => {
    const plain = JSON.stringify({ name: 'old', private_key: privateKey });
    await onDisk(rig, (driver) =>
      driver.write({
        text: `INSERT INTO doorward_definition (pk, model, attrs) VALUES ('old', 'authentik_stages_captcha.captchastage', '${plain}')`,
        params: [],
      }),
    );
    expect((await rig.store.definitions.all()).definitions).toHaveLength(3);
    expect(await settingsOnDisk(rig)).toContain(privateKey);
    expect(await resealed(rig.store)).toEqual({ definitions: [1, 0] });
    expect(await settingsOnDisk(rig)).not.toContain(privateKey);
    expect(await resealed(rig.store)).toEqual({});
  });

  it('all is sealed anew under the first key while others serve, and then the former one is not needed', async () => {
    const ada = await added(rig.store, 'ada');
    const many = Array.from({ length: 90 }, (_, index) => app(ada.id, `secret ${index}`));
    await commit(rig.store, [...many, mail]);
    const waiting = run('browser');
    const context = { prompt_data: [['password', new Secret('typed in confidence')]] } as const;
    const state = { ...waiting.state, context };
    await commit(rig.store, [], [{ mode: 'insert', run: { ...waiting, state } }]);
    await commit(rig.store, [], [{ mode: 'insert', run: run('another', { flow: 'nothing-sealed' }) }]);

    const rotating = await rig.open({ secretKey: newerKeys });
    const serving = Promise.all(
      Array.from({ length: 20 }, (_, index) => commit(rotating, [app(ada.id, `while serving ${index}`)])),
    );
    const seen: number[] = [];
    const [first] = await Promise.all([rotating.reseal((rows) => void seen.push(rows)), serving]);
    expect(first.every(({ unreadable }) => unreadable === 0)).toBe(true);
    expect(Object.fromEntries(first.map(({ kind, resealed: count }) => [kind, count]))).toEqual({
      ...{ definitions: 3, 'flow versions': 1, authenticators: 90, runs: 1, approvals: 0, messages: 1 },
    });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await resealed(rotating)).toEqual({});

    const after = await rig.open({ secretKey: newer });
    const secrets = (await after.read.authenticatorsOf(ada.id)).map(({ secret }) => secret?.reveal());
    expect(new Set(secrets).size).toBe(110);
    expect(secrets).not.toContain(undefined);
    expect((await after.definitions.all()).definitions).toHaveLength(3);
    expect(await after.definitions.flow('guarded', 1)).toEqual(flow);
    expect((await loadAt(after, 'browser', start)).run?.state.context).toEqual(context);
    expect((await after.outbox.pending(10)).map(({ payload }) => payload)).toEqual([{ to: 'ada@example.com' }]);
  });

  it('what no key opens is counted and left as it is', async () => {
    const user = await added(rig.store, 'sealed elsewhere');
    const unreadable = app(user.id, 'sealed by a key that is gone');
    // Its seal is of another user's row.
    await commit(rig.store, [unreadable]);
    const other = await added(rig.store, 'other');
    await onDisk(rig, (driver) =>
      driver.write({
        text: `UPDATE doorward_authenticator SET user_id = ${other.id} WHERE user_id = ${user.id}`,
        params: [],
      }),
    );
    const store = await rig.open({ secretKey: newerKeys });
    expect(await resealed(store)).toEqual({ authenticators: [0, 1] });
    expect(await resealed(store)).toEqual({ authenticators: [0, 1] });
  });
});
