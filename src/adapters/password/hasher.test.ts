import { availableParallelism } from 'node:os';
import * as argon2 from '@node-rs/argon2';
import * as bcrypt from '@node-rs/bcrypt';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import { isDoorwardError } from '../../kernel/errors.ts';
import { formatOf, passwordFormats } from './formats.ts';
import { createPasswordHasher } from './hasher.ts';
import { createJobPool } from './pool.ts';

vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof argon2>();
  return { ...real, hashRaw: vi.fn(real.hashRaw) };
});
vi.mock('@node-rs/bcrypt', async (original) => {
  const real = await original<typeof bcrypt>();
  return { ...real, verify: vi.fn(real.verify) };
});
beforeEach(() => void vi.clearAllMocks());

const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 };
const composed = 'l\u00e8tmein';
const decomposed = 'le\u0300tmein';
const bcryptOfComposed = '$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.';
const bcryptOfDecomposed = '$2b$04$abcdefghijklmnopqrstuuLnkAEYm0YjSM5eMgE3OB/rdZovljjh6';
const argon2OfComposed = '$argon2id$v=19$m=256,t=3,p=4$yMnKy8zNzs/Q0dLT1NXW1w$J2Ky7tzyHB7nFKmnwTu7Iwg1W/FgCDhB';

/** The code that a promise rejects with, or `none`. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return isDoorwardError(error) ? error.code : 'none';
}

describe('hash and verify', () => {
  test('a new hash is argon2id with 19 MiB, 2 passes, 1 lane and 32 bytes, and is salted', async () => {
    const hasher = createPasswordHasher();
    const stored = await hasher.hash(composed);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z\d+/]{22}\$[A-Za-z\d+/]{43}$/);
    expect(await hasher.hash(composed)).not.toBe(stored);
    expect(await hasher.verify(stored, composed)).toEqual({ ok: true, renew: false });
    expect(await hasher.verify(stored, 'letmein')).toEqual({ ok: false, renew: false });
  });

  test('a hash of other parameters or another format matches and asks to be renewed', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    const today = await hasher.hash('p');
    const shorter = await argon2.hash('p', { ...cheap, outputLen: 24 });
    expect(await hasher.verify(today, 'p')).toEqual({ ok: true, renew: false });
    expect(await createPasswordHasher({ argon2: { timeCost: 3 } }).verify(today, 'p')).toEqual({
      ok: true,
      renew: true,
    });
    expect(await hasher.verify(shorter, 'p')).toEqual({ ok: true, renew: true });
    expect(await hasher.verify(`argon2${today}`, 'p')).toEqual({ ok: true, renew: true });
    expect(await hasher.verify(bcryptOfComposed, composed)).toEqual({ ok: true, renew: true });
    expect(await hasher.verify(bcryptOfComposed, 'wrong')).toEqual({ ok: false, renew: false });
  });

  test('options beyond the bounds are a configuration error', () => {
    for (const options of [
      { concurrency: 0 },
      { concurrency: 1.5 },
      { queue: -1 },
      { queue: Number.POSITIVE_INFINITY },
      { argon2: { memoryCost: 4 } },
      { argon2: { memoryCost: 2_097_152 } },
      { argon2: { timeCost: 0 } },
    ]) {
      expect(() => createPasswordHasher(options)).toThrowError(expect.objectContaining({ code: 'configuration' }));
    }
  });
});

describe('Unicode', () => {
  test('the same text typed in another normal form matches a hash of our own', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    expect(await hasher.verify(await hasher.hash(composed), decomposed)).toEqual({ ok: true, renew: false });
    expect(await hasher.verify(await hasher.hash(decomposed), composed)).toEqual({ ok: true, renew: false });
  });

  test('a hash of today that was made of text as typed is not tried as typed', async () => {
    const foreign = await argon2.hash(decomposed, cheap);
    expect((await createPasswordHasher({ argon2: cheap }).verify(foreign, decomposed)).ok).toBe(false);
  });

  test('an imported hash is tried as typed, then normalised', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    const foreign = await argon2.hash(decomposed, { ...cheap, timeCost: 2 });
    for (const [stored, password, ok] of [
      [bcryptOfDecomposed, decomposed, true],
      [bcryptOfDecomposed, composed, false],
      [bcryptOfComposed, decomposed, true],
      [bcryptOfComposed, composed, true],
      [argon2OfComposed, decomposed, true],
      [foreign, decomposed, true],
    ] as const) {
      expect(await hasher.verify(stored, password)).toEqual({ ok, renew: ok });
    }
  });

  test('the normalised form costs no second try when it is the same text or the first matched', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    await hasher.verify(bcryptOfComposed, 'wrong');
    await hasher.verify(bcryptOfDecomposed, decomposed);
    expect(bcrypt.verify).toHaveBeenCalledTimes(2);
    await hasher.verify(bcryptOfComposed, decomposed);
    expect(bcrypt.verify).toHaveBeenCalledTimes(4);
  });
});

describe('hostile hashes and decoys', () => {
  const oneDefaultHash = [[expect.anything(), expect.objectContaining({ ...cheap, algorithm: 2, outputLen: 32 })]];

  test.each(['', '!unusable', 'plain', '$2b$31$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.', '$argon2id$'])(
    'the hash %j matches nothing and takes the work of one default hash',
    async (stored) => {
      const hasher = createPasswordHasher({ argon2: cheap });
      expect(await hasher.verify(stored, decomposed)).toEqual({ ok: false, renew: false });
      expect(vi.mocked(argon2.hashRaw).mock.calls).toEqual(oneDefaultHash);
    },
  );

  test('any text as a hash matches no password', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    const text = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(text, text, async (stored, password) => {
        expect(await hasher.verify(stored, password)).toEqual({ ok: false, renew: false });
      }),
      { numRuns: 500 },
    );
  });

  test.each([undefined, 'argon2id', 'no such format', '$2b$31$x'])(
    'the decoy of %j is a default hash',
    async (format) => {
      expect(await createPasswordHasher({ argon2: cheap }).decoy('p', format)).toBeUndefined();
      expect(vi.mocked(argon2.hashRaw).mock.calls).toEqual(oneDefaultHash);
    },
  );

  test('the decoy of a format name has the usual cost, and of a stored hash that cost', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    await hasher.decoy('p', formatOf(bcryptOfComposed) ?? '');
    await hasher.decoy('p', bcryptOfComposed);
    const costs = vi.mocked(bcrypt.verify).mock.calls.map(([, stored]) => bcrypt.parseOptions(stored).cost);
    expect(costs).toEqual([10, 6]);
    await hasher.decoy('p', argon2OfComposed);
    expect(argon2.hashRaw).toHaveBeenLastCalledWith(
      Buffer.from('p'),
      expect.objectContaining({ memoryCost: 256, timeCost: 3, parallelism: 4, outputLen: 24 }),
    );
  });

  test('a decoy tries twice where a failing verify does', async () => {
    await createPasswordHasher().decoy(decomposed, bcryptOfComposed);
    expect(bcrypt.verify).toHaveBeenCalledTimes(2);
  });

  test.each(passwordFormats.map((format) => format.name))('the decoy of %s ends', async (name) => {
    await expect(createPasswordHasher().decoy('p', name)).resolves.toBeUndefined();
  });
});

describe('back-pressure', () => {
  test('over the queue every method is refused at once, and work goes on afterwards', async () => {
    const hasher = createPasswordHasher({ concurrency: 1, queue: 1, argon2: cheap });
    const accepted = [hasher.hash('a'), hasher.hash('b')];
    expect(hasher.load).toEqual({ running: 1, waiting: 1 });
    await expect(hasher.hash('c')).rejects.toMatchObject({ code: 'too_busy', status: 429, retryAfter: 1 });
    expect(await codeOf(hasher.verify('plain', 'c'))).toBe('too_busy');
    expect(await codeOf(hasher.decoy('c'))).toBe('too_busy');
    expect(hasher.load).toEqual({ running: 1, waiting: 1 });
    await Promise.all(accepted);
    expect(hasher.load).toEqual({ running: 0, waiting: 0 });
    expect((await hasher.verify(await hasher.hash('c'), 'c')).ok).toBe(true);
  });

  test('by default as many run as there are cores, and 256 wait', async () => {
    const hasher = createPasswordHasher({ argon2: cheap });
    const cores = availableParallelism();
    const accepted = Array.from({ length: cores + 256 }, () => hasher.hash('a'));
    expect(hasher.load).toEqual({ running: cores, waiting: 256 });
    expect(await codeOf(hasher.hash('a'))).toBe('too_busy');
    await Promise.all(accepted);
  });

  test('jobs start first in, first out, never more than the concurrency', async () => {
    const pool = createJobPool(2, 10);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const jobs = Array.from({ length: 5 }, (_, index) =>
      pool.run(() => {
        started.push(index);
        return new Promise<void>((resolve) => finish.push(resolve));
      }),
    );
    for (let done = 0; done < 5; done += 1) {
      expect(started).toEqual([0, 1, 2, 3, 4].slice(0, done + 2));
      expect(pool.load).toEqual({ running: Math.min(2, 5 - done), waiting: Math.max(0, 3 - done) });
      finish[done]?.();
      await jobs[done];
    }
  });

  test('a job that fails frees its slot', async () => {
    const pool = createJobPool(1, 1);
    const failing = pool.run(() => Promise.reject(new Error('no memory')));
    const next = pool.run(async () => 'done');
    await expect(failing).rejects.toThrow('no memory');
    expect(await next).toBe('done');
    const throwing = pool.run(() => {
      throw new Error('at once');
    });
    await expect(throwing).rejects.toThrow('at once');
    expect(pool.load).toEqual({ running: 0, waiting: 0 });
  });

  test('the next in line goes before one who arrives when a slot is freed', async () => {
    const pool = createJobPool(1, 2);
    const order: string[] = [];
    const first = pool.run(async () => void order.push('first'));
    const second = pool.run(async () => void order.push('second'));
    const late = first.then(() => pool.run(async () => void order.push('late')));
    await Promise.all([first, second, late]);
    expect(order).toEqual(['first', 'second', 'late']);
  });
});
