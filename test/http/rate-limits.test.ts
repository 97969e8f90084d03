import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { DoorwardOptions } from '../../src/app/options.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase } from '../store/databases.ts';

const minute = 60_000;
const signIn = 'default-authentication-flow';
const signUp = 'default-enrollment-flow';

interface Place {
  readonly rig: Rig;
  readonly clock: ManualClock;
}

/** A Doorward with these limits and a clock that stands still. */
async function at(options: Partial<DoorwardOptions>, steps: (place: Place) => Promise<void>): Promise<void> {
  const clock = new ManualClock(Date.UTC(2026, 0, 1, 12));
  const rig = await createRig({ clock, ...options });
  try {
    await rig.auth.users.create({ username: 'owner', password: 'the owner password' });
    await steps({ rig, clock });
  } finally {
    await rig.close();
  }
}

async function named(rig: Rig, address: string, uid_field: string): Promise<Visitor> {
  const visitor = rig.visitor({ address });
  await visitor.open(signIn);
  await visitor.answer({ uid_field });
  return visitor;
}

/** Status and Retry-After of one password, of a new browser. */
async function guess(rig: Rig, address: string, uid_field: string, headers: HeadersInit = {}): Promise<string> {
  const visitor = await named(rig, address, uid_field);
  const body = JSON.stringify({ component: 'ak-stage-password', password: 'a wrong guess' });
  const answer = await visitor.request(`/api/v3/flows/executor/${signIn}/?query=`, {
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/json', origin: rig.origin, ...headers },
  });
  return `${answer.status} ${answer.headers.get('retry-after') ?? ''}`.trim();
}

async function guesses(rig: Rig, count: number, address: (index: number) => string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await guess(rig, address(index), `name ${index}`));
  return answers;
}

const few = { passwords: { perClient: 3, windowMs: 3 * minute } };

describe('a local budget', () => {
  it('ends in 429 with when to come back, and comes back as the window goes on', () =>
    at({ rateLimits: few }, async ({ rig, clock }) => {
      const here = () => '192.0.2.7';
      expect(await guesses(rig, 5, here)).toEqual(['200', '200', '200', '429 60', '429 60']);
      clock.advance(20_500);
      expect(await guesses(rig, 1, here)).toEqual(['429 40']);
      clock.advance(39_500);
      expect(await guesses(rig, 2, here)).toEqual(['200', '429 60']);
      clock.advance(60 * minute);
      expect(await guesses(rig, 4, here)).toEqual(['200', '200', '200', '429 60']);
    }));

  it('is one of each client: loopback too, an IPv6 network of /64 as one', () =>
    at({ rateLimits: few }, async ({ rig }) => {
      for (const address of ['192.0.2.7', '127.0.0.1', '::1'])
        expect(await guesses(rig, 4, () => address)).toEqual(['200', '200', '200', '429 60']);
      expect(await guesses(rig, 4, (index) => `2001:db8:1:2:${index}::${index}`)).toContain('429 60');
      expect(await guesses(rig, 3, (index) => `2001:db8:1:${index + 3}::1`)).toEqual(['200', '200', '200']);
      expect(await guesses(rig, 4, (index) => (index % 2 === 0 ? '::ffff:198.51.100.1' : '198.51.100.1'))).toContain(
        '429 60',
      );
    }));

  it('X-Forwarded-For gives nobody another one, unless a trusted proxy says so', async () => {
    const spoofed = (rig: Rig) => (index: number) =>
      guess(rig, '192.0.2.7', `name ${index}`, { 'x-forwarded-for': `203.0.113.${index}` });
    const four = async (rig: Rig) => {
      const answers: string[] = [];
      for (const index of [1, 2, 3, 4]) answers.push(await spoofed(rig)(index));
      return answers;
    };
    await at({ rateLimits: few }, async ({ rig }) => expect(await four(rig)).toContain('429 60'));
    await at({ rateLimits: few, trustedProxies: ['192.0.2.0/24'] }, async ({ rig }) => {
      expect(await four(rig)).toEqual(['200', '200', '200', '200']);
      // What a visitor puts before the proxy's own word counts for nothing.
      const through = (index: number) => ({ 'x-forwarded-for': `203.0.113.${index}, 198.51.100.9` });
      const answers: string[] = [];
      for (const index of [1, 2, 3, 4]) answers.push(await guess(rig, '192.0.2.7', 'x', through(index)));
      expect(answers.at(-1)).toBe('429 60');
    });
  });

  it('of all clients together holds those who come from anywhere', () =>
    at({ rateLimits: { passwords: { inAll: 4, windowMs: 4 * minute } } }, async ({ rig }) => {
      const answers = await guesses(rig, 6, (index) => `198.51.100.${index}`);
      expect(answers).toEqual(['200', '200', '200', '200', '429 60', '429 60']);
    }));

  it('is no reason to lose an answer: the same one is taken afterwards', () =>
    at({ rateLimits: few }, async ({ rig, clock }) => {
      const owner = await named(rig, '192.0.2.7', 'owner');
      await guesses(rig, 3, () => '192.0.2.7');
      await expect(owner.answer({ password: 'the owner password' })).rejects.toThrow('429');
      clock.advance(minute);
      const step = await owner.open(signIn);
      expect(step.component).toBe('ak-stage-password');
      await owner.answer({ password: 'the owner password' });
      expect(await owner.whoAmI()).toBe('owner');
    }));

  it('is turned off with the limits, and large by default: an office signs in at nine', async () => {
    await at({ rateLimits: false }, async ({ rig }) =>
      expect(new Set(await guesses(rig, 310, () => '192.0.2.7'))).toEqual(new Set(['200'])),
    );
    await at({ rateLimits: true }, async ({ rig }) => {
      const answers = await guesses(rig, 301, () => '192.0.2.7');
      expect(answers.slice(0, 300).every((answer) => answer === '200')).toBe(true);
      expect(answers[300]).toBe('429 1');
    });
  });

  it('counts no run without a browser', () =>
    at({ rateLimits: { ...few, signUps: { perClient: 1, inAll: 1 } } }, async ({ rig }) => {
      for (let index = 0; index < 5; index += 1) {
        const username = `imported${index}`;
        const password = 'a long password';
        const who = { username, name: username, email: `${username}@example.com` };
        const prompt_data = { ...who, password, password_repeat: password };
        const { status } = await rig.auth.flows.execute(signUp, { context: { prompt_data } });
        expect(status).toBe('done');
      }
    }));

  it('a visitor reads it in words, in their language', () =>
    at({ rateLimits: { passwords: { perClient: 1, windowMs: 25 * minute } } }, async ({ rig }) => {
      await guess(rig, '192.0.2.7', 'owner');
      const page = async (language: string) => {
        const visitor = rig.visitor({ address: '192.0.2.7', language });
        const first = await (await visitor.request(`/if/flow/${signIn}/`)).text();
        const send = (html: string, fields: Record<string, string>) =>
          visitor.request(`/if/flow/${signIn}/`, {
            ...{ method: 'POST', headers: { origin: rig.origin, 'content-type': 'application/x-www-form-urlencoded' } },
            body: new URLSearchParams({
              step: /name="step" value="([^"]+)"/.exec(html)?.[1] ?? '',
              ...fields,
            }).toString(),
          });
        await send(first, { component: 'ak-stage-identification', uid_field: 'owner' });
        const second = await (await visitor.request(`/if/flow/${signIn}/`)).text();
        const refused = await send(second, { component: 'ak-stage-password', password: 'a wrong guess' });
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1500']);
        return refused.text();
      };
      expect(await page('en')).toContain('You can try again in 25 minutes.');
      expect(await page('de')).toContain('25 Minuten');
    }));
});

it.each([
  [{ passwords: { perClient: 0 } }, 'rateLimits.passwords.perClient: 0 is not a number from 1'],
  [{ signUps: { windowMs: Number.POSITIVE_INFINITY } }, 'rateLimits.signUps.windowMs'],
  [{ logins: {} }, 'rateLimits: "logins" is none of passwords, messages, codes, signUps'],
])('limits that make no sense are refused: %j', async (rateLimits, message) => {
  await expect(createRig({ rateLimits: rateLimits as object })).rejects.toThrow(message);
});

async function signedUp(rig: Rig, address: string, username: string): Promise<string> {
  const visitor = rig.visitor({ address });
  await visitor.open(signUp);
  const password = 'quiet anvil meadow 42';
  const body = { username, name: username, email: `${username}@example.com`, password, password_repeat: password };
  const answer = await visitor.post({ component: 'ak-stage-prompt', ...body }, visitor.step);
  return `${answer.status} ${answer.headers.get('retry-after') ?? ''}`.trim();
}

it('a sign-up that is counted waits for PostgreSQL no more often', async () => {
  const { query } = Client.prototype;
  const waits = async (rateLimits: boolean): Promise<number> => {
    const { database, remove } = await emptyDatabase('postgres');
    const rig = await createRig({ database, rateLimits });
    await signedUp(rig, '192.0.2.7', 'first');
    const sent: string[] = [];
    Client.prototype.query = function (this: Client, ...args: unknown[]) {
      const [first] = args;
      const text = typeof first === 'string' ? first : String((first as { text?: string } | undefined)?.text);
      // What is delivered and purged meanwhile is no part of it.
      if (/^BEGIN|doorward_(run|attempt|user)\b/.test(text)) sent.push(text);
      return Reflect.apply(query, this, args);
    } as typeof query;
    await signedUp(rig, '192.0.2.7', 'second');
    Client.prototype.query = query;
    await rig.close();
    await remove();
    expect(sent.some((text) => text.includes('doorward_attempt'))).toBe(rateLimits);
    return sent.length;
  };
  expect(await waits(true)).toBe(await waits(false));
});

describe.each(['sqlite', 'postgres'] as const)('sign-ups on %s', (dialect) => {
  const limits = (signUps: object) => ({ rateLimits: { signUps: { windowMs: 60 * minute, ...signUps } } });

  it('of one client are bounded, on all nodes together, and nobody is half made', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const clock = new ManualClock(Date.UTC(2026, 0, 1, 12, 20));
    const nodes = await Promise.all([1, 2].map(() => createRig({ database, clock, ...limits({ perClient: 2 }) })));
    const [one, two] = nodes as [Rig, Rig];
    expect(await signedUp(one, '2001:db8::1', 'first')).toBe('200');
    expect(await signedUp(two, '2001:db8::2', 'second')).toBe('200');
    expect(await signedUp(one, '2001:db8::3', 'third')).toBe('429 2400');
    expect(await one.auth.users.get({ username: 'third' })).toBeNull();
    expect(await signedUp(two, '192.0.2.9', 'elsewhere')).toBe('200');
    clock.advance(40 * minute);
    expect(await signedUp(one, '2001:db8::3', 'third')).toBe('200');
    await Promise.all(nodes.map((node) => node.close()));
    await remove();
  });

  it('of all clients are bounded too; fifty at once make no more than that', async () => {
    const { database, remove } = await emptyDatabase(dialect);
    const clock = new ManualClock(Date.UTC(2026, 0, 1, 12));
    const rig = await createRig({ database, clock, ...limits({ inAll: 20 }) });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => signedUp(rig, `198.51.100.${index}`, `at-once-${index}`)),
    );
    expect(answers.filter((answer) => answer === '200')).toHaveLength(20);
    expect(new Set(answers)).toEqual(new Set(['200', '429 3600']));
    expect((await rig.auth.users.list({ pageSize: 100 })).users).toHaveLength(20);
    await rig.close();
    await remove();
  });
});
