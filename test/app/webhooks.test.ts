import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { sendWebhook } from '../../src/adapters/webhook.ts';
import type { DoorwardOptions } from '../../src/app/options.ts';
import { webhooksOf } from '../../src/app/webhooks.ts';
import type { Terminal } from '../../src/cli/command.ts';
import { outboxList, outboxRetry } from '../../src/cli/commands/outbox.ts';
import { readEnvironment } from '../../src/cli/environment.ts';
import { optionsOf } from '../../src/cli/open.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { Keyring } from '../../src/kernel/secrets.ts';
import { openStore } from '../../src/store/open.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { isSigned, openReceiver, type Received, type WebhookReceiver } from '../support/webhook-receiver.ts';

const secret = `whsec_${Buffer.from('a signing key of exactly 32 byte').toString('base64')}`;
const newerSecret = `whsec_${Buffer.from('another signing key, of 31 byte').toString('base64')}`;
const secretKey = 'the secret key of a test which is no secret';
const start = Date.UTC(2025, 0, 1, 12);
const signUp = flowYaml({
  slug: 'sign-up',
  stages: [
    {
      kind: 'prompt',
      fields: [
        { field_key: 'username', type: 'username', required: true },
        { field_key: 'attributes.api_key', required: false },
        { field_key: 'password', type: 'password', required: false },
      ],
    },
    { kind: 'user_write' },
  ],
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function receiver(): Promise<WebhookReceiver> {
  const opened = await openReceiver();
  closers.push(() => opened.close());
  return opened;
}

const says = ({ body }: Received): { type: string; timestamp: string; data: Record<string, unknown> } =>
  JSON.parse(body);
const username = (received: Received): unknown => (says(received).data.user as { username: string }).username;

describe('the Standard Webhooks scheme', () => {
  it('signs the specification’s own example, with every secret while one is rotated', async () => {
    const side = await receiver();
    const published = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const call = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: 1_614_265_330_999, body: '{"test": 2432232314}' };
    expect(await sendWebhook({ ...call, url: side.url, secret: published })).toBeNull();
    expect(side.received[0]).toEqual({
      ...{ id: call.id, timestamp: '1614265330', type: 'application/json', body: call.body },
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    await sendWebhook({ ...call, url: side.url, secret: `${newerSecret},${secret}` });
    const rotated = given(side.received[1]);
    expect(await isSigned(rotated, secret)).toBe(true);
    expect(await isSigned(rotated, newerSecret)).toBe(true);
    expect(await isSigned({ ...rotated, body: `${rotated.body} ` }, secret)).toBe(false);
  });

  it('takes 2xx alone for delivered, follows no redirect, and names the trouble', async () => {
    const side = await receiver();
    const call = { url: side.url, secret, id: 'one', at: start, body: '{}' };
    for (const status of [302, 410, 429, 500]) {
      side.answer = () => status;
      expect(await sendWebhook(call)).toBe(`answered ${status}`);
    }
    expect(side.received).toHaveLength(4);
    const gone = await openReceiver();
    await gone.close();
    expect(await sendWebhook({ ...call, url: gone.url })).toBe('ECONNREFUSED');
  });

  it.each([
    [[{ url: 'ftp://example.com', secret }], 'webhooks.0.url'],
    [[{ url: 'https://name:word@example.com', secret }], 'webhooks.0.url'],
    [[{ url: 'https://example.com', secret: 'whsec_c2hvcnQ=' }], 'webhooks.0.secret'],
    [[{ url: 'https://example.com', secret: 'of another form' }], 'webhooks.0.secret'],
    [[{ url: 'https://example.com', secret, events: [] }], 'webhooks.0.events'],
    [[{ url: 'https://example.com', secret, extra: 1 }], 'webhooks.0'],
    [
      [
        { url: 'https://example.com/a', secret },
        { url: 'https://example.com/a', secret },
      ],
      'named twice',
    ],
    [{}, 'webhooks'],
  ])('refuses a wrong list: %j', (list, where) => {
    expect(() => webhooksOf(list)).toThrow(where);
    expect(() => webhooksOf(list)).not.toThrow('c2hvcnQ');
  });

  it('is configured for the server by a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'doorward-webhooks-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'webhooks.json');
    const env = { DOORWARD_DATA_DIR: folder, DOORWARD_WEBHOOKS: file };
    const read = () => optionsOf(readEnvironment(env), () => undefined).webhooks;
    expect(read).toThrow(`DOORWARD_WEBHOOKS: ${file}`);
    writeFileSync(file, `[{ "secret": "${secret}" "url" }]`);
    expect(read).toThrow(`DOORWARD_WEBHOOKS: ${file} cannot be used: it is not valid JSON`);
    expect(read).not.toThrow(secret);
    writeFileSync(file, JSON.stringify([{ url: 'nowhere', secret }]));
    expect(read).toThrow('webhooks.0.url');
    writeFileSync(file, JSON.stringify([{ url: 'https://example.com/events', secret }]));
    expect(read()).toEqual([{ url: 'https://example.com/events', secret, events: ['user_write'] }]);
  });
});

describe.each(['sqlite', 'postgres'] as const)('webhooks on %s', (dialect) => {
  async function open(options: Partial<DoorwardOptions>): Promise<{ rig: Rig; clock: ManualClock }> {
    const { database, remove } = await emptyDatabase(dialect);
    const clock = new ManualClock(start);
    const rig = await createRig({ database, clock, secretKey, blueprints: [signUp], ...options });
    closers.push(remove, () => rig.close());
    return { rig, clock };
  }

  async function signingUp(rig: Rig, answers: Record<string, unknown>): Promise<Visitor> {
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    await visitor.answer(answers);
    visitor.expectEnd();
    return visitor;
  }

  it('tell of a write once, signed and masked, however often its answer is sent', async () => {
    const side = await receiver();
    const { rig } = await open({ webhooks: [{ url: side.url, secret }] });
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    const answers = { username: 'ada', 'attributes.api_key': 'abc123', password: 'analytical one' };
    const twin = visitor.clone();
    await Promise.all([visitor.post(answers), twin.post(answers), visitor.post(answers)]);
    await side.until(1);
    await signingUp(rig, { username: 'grace' });
    const received = await side.until(2);
    expect(received.map(username)).toEqual(['ada', 'grace']);
    const first = given(received[0]);
    expect(await isSigned(first, secret)).toBe(true);
    const { id: pk, uuid } = given(await rig.auth.users.get({ username: 'ada' }));
    expect(says(first)).toMatchObject({
      type: 'user_write',
      timestamp: '2025-01-01T12:00:00.000Z',
      data: { user: { pk, uuid, username: 'ada' }, created: true, discarded: [], flow: 'sign-up' },
    });
    expect(first.body).not.toMatch(/abc123|analytical/);
    await rig.close();
    closers.pop();
    expect(side.received).toHaveLength(2);
  });

  it('tell of what was asked for alone', async () => {
    const [writes, deletions] = [await receiver(), await receiver()];
    const { rig } = await open({
      webhooks: [
        { url: writes.url, secret },
        { url: deletions.url, secret, events: ['model_deleted'] },
      ],
    });
    const user = await rig.auth.users.create({ username: 'short', password: 'some password' });
    await rig.auth.users.delete(user.id);
    expect((await deletions.until(1)).map(({ body }) => JSON.parse(body).type)).toEqual(['model_deleted']);
    expect((await writes.until(1)).map(({ body }) => JSON.parse(body).type)).toEqual(['user_write']);
    expect(says(given(writes.received[0])).data.user).toMatchObject({ pk: user.id, uuid: user.uuid });
  });

  it('leave nothing where the write was refused', async () => {
    const side = await receiver();
    const { rig } = await open({ webhooks: [{ url: side.url, secret }] });
    await rig.auth.users.create({ username: 'taken', password: 'some password' });
    await side.until(1);
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    await visitor.answer({ username: 'taken' });
    expect(visitor.challenge.response_errors).toHaveProperty('username');
    await visitor.answer({ username: 'free' });
    expect((await side.until(2)).map(username)).toEqual(['taken', 'free']);
  });

  it('are sent again after a failure, with the same id and a signature of that moment', async () => {
    const side = await receiver();
    const { rig, clock } = await open({ webhooks: [{ url: side.url, secret }] });
    side.answer = () => 500;
    await signingUp(rig, { username: 'patient' });
    await side.until(1);
    await until(async () => (await rig.auth.outbox.list())[0]?.state === 'waiting');
    expect((await rig.auth.outbox.list())[0]).toMatchObject({
      to: new URL(side.url).origin,
      lastError: 'answered 500',
    });
    side.answer = () => 204;
    clock.advance(5_000);
    const [first, second] = await side.until(2);
    expect(second).toMatchObject({ id: first?.id, body: first?.body });
    expect(Number(second?.timestamp)).toBe(Number(first?.timestamp) + 5);
    expect(await isSigned(given(second), secret)).toBe(true);
    await until(async () => (await rig.auth.outbox.list()).length === 0);
  });

  it('of a dead address or a stuck user hold nobody else', async () => {
    const [dead, alive] = [await receiver(), await receiver()];
    await dead.close();
    const { rig } = await open({
      webhooks: [
        { url: dead.url, secret },
        { url: alive.url, secret },
      ],
    });
    alive.answer = (received) => (username(received) === 'stuck' ? 500 : 200);
    for (const name of ['stuck', 'one', 'two']) await signingUp(rig, { username: name });
    const names = (await alive.until(3)).map(username);
    expect(names.toSorted()).toEqual(['one', 'stuck', 'two']);
    await until(async () => (await rig.auth.outbox.list()).every(({ state }) => state === 'waiting'));
    expect((await rig.auth.outbox.list()).map(({ to }) => to).toSorted()).toEqual(
      [dead.url, dead.url, dead.url, alive.url].map((url) => new URL(url).origin).toSorted(),
    );
  });

  it('that hang hold nobody else, however long', async () => {
    const side = await receiver();
    const { rig } = await open({ webhooks: [{ url: side.url, secret }] });
    let finish = (_status: number): void => {};
    const hanging = new Promise<number>((resolve) => {
      finish = resolve;
    });
    side.answer = (received) => (username(received) === 'first' ? hanging : 204);
    for (const [count, name] of ['first', 'second', 'third'].entries()) {
      await signingUp(rig, { username: name });
      await side.until(count + 1);
    }
    await until(async () => (await rig.auth.outbox.list()).length === 1);
    finish(204);
    await until(async () => (await rig.auth.outbox.list()).length === 0);
  });

  it('under way are waited for when the server stops', async () => {
    const side = await receiver();
    const { rig } = await open({ webhooks: [{ url: side.url, secret }] });
    let release: (status: number) => void = () => undefined;
    side.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await signingUp(rig, { username: 'last' });
    await side.until(1);
    let closed = false;
    const closing = rig.auth.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    release(200);
    await closing;
    closers.pop();
  });
});

describe('doorward outbox', () => {
  it('lists what was not delivered, and retries what was set aside', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doorward-outbox-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const side = await receiver();
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const env = { DOORWARD_DATA_DIR: folder, DOORWARD_SECRET_KEY: secretKey };
    const terminal = { env, interactive: false, print, note: print } as unknown as Terminal;
    const options = { database: { sqlite: join(folder, 'doorward.sqlite') }, secretKey, blueprints: [signUp] };
    // The command works by the real time; what it makes due now must be due here.
    const clock = new ManualClock(Date.now() + 3_600_000);
    const rig = await createRig({ ...options, clock, webhooks: [{ url: side.url, secret }] });
    closers.push(() => rig.close());
    side.answer = () => 503;
    await signingUp(rig);
    await until(async () => (await rig.auth.outbox.list())[0]?.lastError === 'answered 503');
    const store = await openStore({ database: options.database, keyring: new Keyring(secretKey), clock });
    for (const message of await store.outbox.pending(1)) await store.outbox.setAside(message, 'answered 503');
    await store.close();
    await outboxList.run({ operands: [], options: { json: true }, terminal });
    const { messages } = JSON.parse(given(lines.pop())) as { messages: { id: string }[] };
    expect(messages).toMatchObject([{ state: 'set_aside', tries: 1, last_error: 'answered 503' }]);
    await outboxList.run({ operands: [], options: {}, terminal });
    expect(lines.splice(0).join('\n')).toMatch(/set_aside .* 1 try .*\n1 set aside/);
    const retry = (...operands: string[]) => outboxRetry.run({ operands, options: {}, terminal });
    await expect(retry()).rejects.toThrow('name messages');
    await expect(retry('nothing')).rejects.toThrow('nothing');
    side.answer = () => 200;
    await retry(given(messages[0]).id);
    await side.until(2);
    await until(async () => (await rig.auth.outbox.list()).length === 0);
    await outboxRetry.run({ operands: [], options: { all: true, json: true }, terminal });
    expect(JSON.parse(given(lines.pop()))).toEqual({ retried: 0 });
  });

  async function signingUp(rig: Rig): Promise<void> {
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    await visitor.answer({ username: 'unheard' });
    visitor.expectEnd();
  }
});

/** Gives way until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
