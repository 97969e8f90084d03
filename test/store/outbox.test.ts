import { expect, it } from 'vitest';
import { startDelivery } from '../../src/app/deliver.ts';
import type { NewMessage } from '../../src/engine/effects.ts';
import { type OpenStore, openDriver } from '../../src/store/open.ts';
import type { LeasedMessage } from '../../src/store/outbox.ts';
import { commit, given, onEachDatabase } from './databases.ts';

const minute = 60_000;
const hour = 60 * minute;

onEachDatabase('the outbox', (rig) => {
  let channels = 0;
  const freshChannel = (): string => {
    channels += 1;
    return `test:${channels}`;
  };
  const put = (channel: string, userId: number | null, note: string): Promise<unknown> => {
    const message: NewMessage = { kind: 'webhook', channel, userId, payload: { note }, at: rig.clock.now() };
    return commit(rig.store, [{ kind: 'outbox', message }]);
  };
  const notes = (messages: readonly LeasedMessage[]): unknown[] => messages.map(({ payload }) => payload?.note);
  const lease = (channel: string, store: OpenStore = rig.store) => store.outbox.lease(channel, 10, minute);
  const left = async (channel: string) =>
    (await rig.store.outbox.pending(1_000)).filter((message) => message.channel === channel);

  /** A node that delivers; `take` says why not, or null. `settled` waits until so many attempts were made. */
  function node(store: OpenStore, channel: string, take: (note: string, message: LeasedMessage) => string | null) {
    const tried: string[] = [];
    const waiting = new Set<() => void>();
    const delivery = startDelivery({
      ...{ outbox: store.outbox, log: () => undefined, now: () => rig.clock.now() },
      channels: new Map([
        [
          channel,
          async (message) => {
            const note = String(message.payload.note);
            tried.push(note);
            for (const look of waiting) look();
            return take(note, message);
          },
        ],
      ]),
    });
    const until = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (tried.length >= count) resolve();
        };
        waiting.add(look);
        look();
      });
    return { tried, until, poke: () => delivery.poke(), stop: () => delivery.stop() };
  }

  it('gives a user’s messages one after the other, and other users’ meanwhile', async () => {
    const channel = freshChannel();
    for (const [user, note] of [
      [1, 'a1'],
      [1, 'a2'],
      [2, 'b1'],
      [null, 'x'],
      [null, 'y'],
    ] as const)
      await put(channel, user, note);
    await put(freshChannel(), 1, 'elsewhere');
    const first = await lease(channel);
    expect(notes(first).toSorted()).toEqual(['a1', 'b1', 'x', 'y']);
    expect(await lease(channel)).toEqual([]);
    const a1 = given(first.find(({ payload }) => payload?.note === 'a1'));
    await rig.store.outbox.delivered(a1);
    expect(notes(await lease(channel))).toEqual(['a2']);
  });

  it('makes a user’s later messages wait with the one that failed', async () => {
    const channel = freshChannel();
    await put(channel, 1, 'a1');
    await put(channel, 1, 'a2');
    await put(channel, 2, 'b1');
    const [a1] = await lease(channel);
    await rig.store.outbox.retryLater(given(a1), 'answered 500', rig.clock.now() + minute);
    expect(await lease(channel)).toEqual([]);
    const [waiting] = await left(channel);
    expect(waiting).toMatchObject({ state: 'waiting', lastError: 'answered 500', tries: 1 });
    rig.clock.advance(minute);
    expect(notes(await lease(channel))).toContain('a1');
  });

  it('gives a message to another node when its lease ran out, under the same id', async () => {
    const channel = freshChannel();
    await put(channel, 1, 'crashed');
    const [lost] = await lease(channel);
    const other = await rig.open();
    expect(await lease(channel, other)).toEqual([]);
    rig.clock.advance(minute);
    const [again] = await lease(channel, other);
    expect(again).toMatchObject({ uuid: given(lost).uuid, tries: 2 });
    // What the first node says now is too late: the message is the other one's.
    await rig.store.outbox.setAside(given(lost), 'late');
    expect((await left(channel))[0]?.state).toBe('leased');
    await other.outbox.delivered(given(again));
    expect(await left(channel)).toEqual([]);
  });

  it('is emptied by several nodes at once, each message once', async () => {
    const channel = freshChannel();
    const all = Array.from({ length: 60 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    for (const [index, note] of all.entries()) await put(channel, index % 7, note);
    const nodes = [rig.store, await rig.open(), await rig.open()].map((store) => node(store, channel, () => null));
    const delivered = (): string[] => nodes.flatMap(({ tried }) => tried);
    while (delivered().length < all.length) {
      for (const one of nodes) one.poke();
      await Promise.race(nodes.map(({ tried, until }) => until(tried.length + 1)).concat(pollOnce()));
    }
    await Promise.all(nodes.map(({ stop }) => stop()));
    expect(delivered().toSorted()).toEqual(all);
    expect(await left(channel)).toEqual([]);
  });

  it('keeps each user’s order and holds nobody else when one is stuck; sets it aside, and gives it again', async () => {
    const channel = freshChannel();
    for (const [user, note] of [
      [1, 'stuck'],
      [1, 'after'],
      [2, 'free'],
    ] as const)
      await put(channel, user, note);
    let mended = false;
    const one = node(rig.store, channel, (note) => (note === 'stuck' && !mended ? 'answered 500' : null));
    one.poke();
    await one.until(2);
    expect(one.tried.toSorted()).toEqual(['free', 'stuck']);
    for (let tries = 2; tries <= 12; tries += 1) {
      // A delivered row is gone a moment after its delivery; what is stuck stays, and what came after it.
      await eventually(async () => (await left(channel)).map(({ payload }) => payload?.note).join() === 'stuck,after');
      await eventually(async () => (await left(channel))[0]?.state === 'waiting');
      rig.clock.advance(6 * hour);
      one.poke();
      await one.until(1 + tries);
    }
    await one.until(14);
    expect(one.tried.at(-1)).toBe('after');
    await eventually(async () => (await left(channel)).length === 1);
    const [aside] = await left(channel);
    expect(aside).toMatchObject({ state: 'set_aside', tries: 12, lastError: 'answered 500' });
    expect((await rig.store.outbox.counts()).setAside).toBe(1);
    mended = true;
    expect(await rig.store.outbox.replay(['unknown'])).toEqual([]);
    expect(await rig.store.outbox.replay([given(aside).uuid])).toEqual([given(aside).uuid]);
    one.poke();
    await one.until(15);
    await one.stop();
    expect(await left(channel)).toEqual([]);
  });

  it('seals what a message says, erases it after delivery, and forgets the row in the end', async () => {
    const channel = freshChannel();
    await put(channel, 1, 'confidential');
    const { database } = rig;
    const driver = await openDriver(database);
    const rows = () => driver.read({ text: 'SELECT * FROM doorward_outbox WHERE channel = ?', params: [channel] });
    expect(JSON.stringify(await rows())).not.toContain('confidential');
    const [message] = await lease(channel);
    const before = given((await rows())[0]).filter((value) => typeof value === 'string').length;
    await rig.store.outbox.delivered(given(message));
    expect(given((await rows())[0]).filter((value) => typeof value === 'string').length).toBe(before - 1);
    await rig.store.accounts.purge(rig.clock.now() + 25 * hour);
    expect(await rows()).toEqual([]);
    await driver.close();
  });

  it('sets a message aside that cannot be opened any more', async () => {
    const channel = freshChannel();
    await put(channel, 1, 'sealed by a lost key');
    const { payload, ...message } = given((await lease(channel))[0]);
    expect(payload).not.toBeNull();
    rig.clock.advance(minute);
    const unreadable = {
      ...rig.store.outbox,
      lease: async (...given: Parameters<typeof rig.store.outbox.lease>) =>
        (await rig.store.outbox.lease(...given)).map((one) => ({ ...one, payload: null })),
    };
    const one = node({ ...rig.store, outbox: unreadable }, channel, () => null);
    one.poke();
    await eventually(async () => (await left(channel))[0]?.state === 'set_aside');
    await one.stop();
    expect(one.tried).toEqual([]);
    expect((await left(channel))[0]?.uuid).toBe(message.uuid);
  });
});

/** Gives way until it is so. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pollOnce();
}

function pollOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
