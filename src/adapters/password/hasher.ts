import { availableParallelism } from 'node:os';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { DoorwardError } from '../../kernel/errors.ts';
import {
  type Argon2Cost,
  argon2Sample,
  defaultArgon2Cost,
  isArgon2CostInBounds,
  isSupportedHash,
  passwordFormats,
  verifyHash,
} from './formats.ts';
import { createJobPool } from './pool.ts';

export interface PasswordHasherOptions {
  /**
   * Jobs at once. Default: the number of cores. They run on libuv's threads, which file access and DNS lookups share:
   * 4, unless `UV_THREADPOOL_SIZE` says otherwise. More jobs than threads gain nothing, and as many leave none for
   * the rest.
   */
  concurrency?: number;
  /** Jobs that may wait for a slot. Default 256. */
  queue?: number;
  /** The cost of new hashes; what is absent has the default (19456 KiB, 2 passes, 1 lane). */
  argon2?: Partial<Argon2Cost>;
}

/** Every method rejects with DoorwardError `too_busy` (retryAfter 1 second), at once, when the queue is full. */
export interface PasswordHasher {
  /** An argon2id PHC string of the password's NFC form: 16 bytes of random salt, 32 of output. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password gives the stored hash, of any format in `passwordFormats`. `renew`: it does, but the format
   * or the cost is not today's, so hash the password again.
   *
   * A hash as `hash` makes it today is of NFC text, so only that is tried. Any other may come from a system that did
   * not normalise: the text as it was typed is tried first, then its NFC form if that differs.
   *
   * An unknown, malformed or too costly hash never matches, and takes the work of one default hash.
   */
  verify(stored: string, password: string): Promise<{ ok: boolean; renew: boolean }>;
  /**
   * Does the work of one failing verify and tells nothing: for accounts that do not exist, so that the time of an
   * answer does not tell them apart.
   *
   * @param format a name from `formatOf`, for that format's usual cost, or a stored hash, for exactly its cost. Absent
   * or unknown: the cost of `hash`.
   */
  decoy(password: string, format?: string): Promise<void>;
  /** Jobs running and waiting, for metrics. */
  readonly load: { running: number; waiting: number };
}

function settings(options: PasswordHasherOptions): { concurrency: number; queue: number; cost: Argon2Cost } {
  const { concurrency = availableParallelism(), queue = 256 } = options;
  const cost = { ...defaultArgon2Cost, ...options.argon2 };
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new DoorwardError('configuration', `password concurrency must be a whole number from 1, not ${concurrency}`);
  }
  if (!Number.isSafeInteger(queue) || queue < 0) {
    throw new DoorwardError('configuration', `password queue must be a whole number from 0, not ${queue}`);
  }
  if (!isArgon2CostInBounds(cost)) {
    throw new DoorwardError('configuration', `password argon2 cost is out of bounds: ${JSON.stringify(cost)}`);
  }
  return { concurrency, queue, cost };
}

/**
 * Hashes and checks passwords off the main thread, a bounded number at a time. Memory at the peak is `concurrency`
 * times the cost of the dearest stored hash (19 MiB for today's, 1 GiB at most for an imported one).
 *
 * New hashes are argon2id (RFC 9106). The password's length is not bounded here: the caller's policy does that.
 *
 * @throws DoorwardError `configuration` for an option out of bounds.
 */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const { concurrency, queue, cost } = settings(options);
  const pool = createJobPool(concurrency, queue);
  const ownSample = argon2Sample(cost);
  const costText = `m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}`;
  const current = new RegExp(`^\\$argon2id\\$v=19\\$${costText}\\$[A-Za-z\\d+/]{22}\\$[A-Za-z\\d+/]{43}$`);

  async function check(stored: string, password: string): Promise<boolean> {
    const normalised = password.normalize('NFC');
    if (current.test(stored)) return verifyHash(stored, normalised);
    if (await verifyHash(stored, password)) return true;
    return normalised !== password && verifyHash(stored, normalised);
  }

  function sampleOf(format?: string): string {
    if (format === undefined || format === 'argon2id') return ownSample;
    if (isSupportedHash(format)) return format;
    return passwordFormats.find((known) => known.name === format)?.sample ?? ownSample;
  }

  return {
    hash: (password) =>
      pool.run(() => {
        const bytes = Buffer.from(password.normalize('NFC'));
        return hashArgon2(bytes, { ...cost, algorithm: 2, version: 1, outputLen: 32 });
      }),
    verify: (stored, password) =>
      pool.run(async () => {
        const supported = isSupportedHash(stored);
        const matched = await check(supported ? stored : ownSample, password);
        const ok = supported && matched;
        return { ok, renew: ok && !current.test(stored) };
      }),
    async decoy(password, format) {
      await pool.run(() => check(sampleOf(format), password));
    },
    get load() {
      return pool.load;
    },
  };
}
