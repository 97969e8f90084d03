import { createHash, pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hashRaw } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Argon2's cost parameters (RFC 9106 section 3.1). */
export interface Argon2Cost {
  /** KiB of memory, `m` in a PHC string. */
  memoryCost: number;
  /** Passes over the memory, `t`. */
  timeCost: number;
  /** Lanes, `p`. */
  parallelism: number;
}

/** One format that a password hash can be stored in. */
export interface PasswordFormat {
  readonly name: string;
  /** A hash of the format's usual cost that no known password matches, for the work of a decoy. */
  readonly sample: string;
  /** Whether the text starts as this format does. Says nothing of the rest: see `supports`. */
  matches(stored: string): boolean;
  /** Whether the text is a well-formed hash of this format and its cost is within the bounds. */
  supports(stored: string): boolean;
  /** Whether the password's UTF-8 bytes give the stored hash. False, without work, for a text it does not support. */
  verify(stored: string, password: string): Promise<boolean>;
}

/**
 * The bounds on imported hashes. The dearest hash that passes them takes single-digit seconds of one thread, so that
 * an imported hash costs time but cannot take the service down.
 */
const limits = {
  /** Characters. The longest hash in use is well below 300. */
  length: 1024,
  /** Bytes of output below which a guess at the hash itself would be a way in. */
  minOutput: 16,
  /** KiB, 1 GiB. */
  argon2Memory: 1_048_576,
  /** KiB times passes: 1 GiB and 4 passes, libsodium's SENSITIVE preset. */
  argon2Work: 4_194_304,
  argon2Parallelism: 255,
  bcryptCost: 16,
  /** Iterations, counted once for each block of output (RFC 8018 section 5.2). */
  pbkdf2Iterations: 10_000_000,
  /** Bytes, 256 MiB. */
  scryptMemory: 268_435_456,
  /** N * r * p: 16 times OWASP's N=2^17, r=8, p=1. */
  scryptWork: 16_777_216,
} as const;

/** A parsed hash: tells whether the password's bytes give it. */
type Check = (password: Buffer) => Promise<boolean>;
type Parse = (stored: string) => Check | null;

/** PHC's B64 (no padding), canonical text only. */
function unpadded(text = ''): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64').replaceAll('=', '') === text ? bytes : null;
}

/** B64, or passlib's ab64, which has `.` in the place of `+`. */
function adapted(text = ''): Buffer | null {
  return unpadded(text.replaceAll('.', '+'));
}

/** RFC 4648 base64 with padding, canonical text only. */
function padded(text = ''): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : null;
}

/** A decimal number without leading zeros, else NaN, which is outside of every bound. */
function decimal(text = ''): number {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** Whether these costs are possible (RFC 9106 section 3.1) and within the bounds that stored hashes have. */
export function isArgon2CostInBounds({ memoryCost: m, timeCost: t, parallelism: p }: Argon2Cost): boolean {
  if (![m, t, p].every((cost) => Number.isSafeInteger(cost) && cost >= 1)) return false;
  return p <= limits.argon2Parallelism && m >= 8 * p && m <= limits.argon2Memory && m * t <= limits.argon2Work;
}

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`. Without `v` it is version 16, as the reference implementation has it. */
const parseArgon2: Parse = (stored) => {
  const match = /^\$argon2(id|i)\$(?:v=(16|19)\$)?m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (!match) return null;
  const [, type, version, m, t, p] = match;
  const cost = { memoryCost: decimal(m), timeCost: decimal(t), parallelism: decimal(p) };
  const salt = unpadded(match[6]);
  const expected = unpadded(match[7]);
  if (!isArgon2CostInBounds(cost) || !salt || salt.length < 8) return null;
  if (!expected || expected.length < limits.minOutput) return null;
  const options = { ...cost, salt, outputLen: expected.length, algorithm: type === 'id' ? 2 : 1 } as const;
  return async (password) =>
    timingSafeEqual(await hashRaw(password, { ...options, version: version === '19' ? 1 : 0 }), expected);
};

/**
 * `$2b$12$` and 22 characters of salt and 31 of hash. The last character of each has unused bits that must be zero.
 * bcrypt takes 72 bytes of the password and is silent about the rest: so is the check.
 */
const parseBcrypt: Parse = (stored) => {
  const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z\d]{21}[.Oeu][./A-Za-z\d]{30}[.CGKOSWaeimquy26]$/.exec(stored);
  const cost = Number(match?.[1]);
  return cost >= 4 && cost <= limits.bcryptCost ? (password) => verifyBcrypt(password, stored) : null;
};

/** Django's BCryptSHA256PasswordHasher: bcrypt of the hex SHA-256, so that no byte of a long password is lost. */
const parseBcryptSha256: Parse = (stored) => {
  const check = parseBcrypt(stored);
  return check && ((password) => check(Buffer.from(createHash('sha256').update(password).digest('hex'))));
};

const digestBytes = { sha1: 20, sha256: 32, sha512: 64 } as const;
type Digest = keyof typeof digestBytes;

function checkPbkdf2(digest: Digest, iterations: number, salt: Buffer | null, expected: Buffer | null): Check | null {
  if (!salt?.length || !expected || expected.length < limits.minOutput) return null;
  const work = iterations * Math.ceil(expected.length / digestBytes[digest]);
  if (!(work <= limits.pbkdf2Iterations)) return null;
  return async (password) =>
    timingSafeEqual(await derivePbkdf2(password, salt, iterations, expected.length, digest), expected);
}

/** `pbkdf2_sha256$1000000$salt$hash`: the salt is text, the hash has the digest's length. */
function parseDjangoPbkdf2(digest: Digest): Parse {
  return (stored) => {
    const [, iterations, salt, hash, ...rest] = stored.split('$');
    const expected = padded(hash);
    if (rest.length > 0 || expected?.length !== digestBytes[digest]) return null;
    return checkPbkdf2(digest, decimal(iterations), Buffer.from(salt ?? ''), expected);
  };
}

/** `$pbkdf2-sha256$i=600000,l=32$salt$hash` (`l` may be absent) and passlib's `$pbkdf2-sha256$29000$salt$hash`. */
function parsePhcPbkdf2(digest: Digest): Parse {
  return (stored) => {
    const [, , parameters = '', salt, hash, ...rest] = stored.split('$');
    const match = /^(?:i=)?(\d+)(?:,l=(\d+))?$/.exec(parameters);
    const expected = adapted(hash);
    if (rest.length > 0 || !match) return null;
    if (match[2] !== undefined && decimal(match[2]) !== expected?.length) return null;
    return checkPbkdf2(digest, decimal(match[1]), adapted(salt), expected);
  };
}

/** N must be a power of two, and below 2^(16r) (RFC 7914 section 2). */
function checkScrypt(logN: number, r: number, p: number, salt: Buffer | null, expected: Buffer | null): Check | null {
  if (!salt?.length || !expected || expected.length < limits.minOutput) return null;
  if (!(Number.isInteger(logN) && logN >= 1 && logN < 16 * r)) return null;
  const N = 2 ** logN;
  if (!(128 * r * Math.max(N, p) <= limits.scryptMemory && N * r * p <= limits.scryptWork)) return null;
  // OpenSSL counts its working blocks too, and would refuse at its own 32 MiB.
  const options = { N, r, p, maxmem: 128 * r * (N + p + 4) };
  return async (password) => timingSafeEqual(await deriveScrypt(password, salt, expected.length, options), expected);
}

/** `scrypt$16384$salt$8$5$hash` is N, salt as text, r, p and 64 bytes (Django's ScryptPasswordHasher). */
const parseDjangoScrypt: Parse = (stored) => {
  const [, n, salt, r, p, hash, ...rest] = stored.split('$');
  const expected = padded(hash);
  if (rest.length > 0 || expected?.length !== 64) return null;
  return checkScrypt(Math.log2(decimal(n)), decimal(r), decimal(p), Buffer.from(salt ?? ''), expected);
};

/** `$scrypt$ln=17,r=8,p=1$salt$hash`, of passlib and others. */
const parsePhcScrypt: Parse = (stored) => {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (!match) return null;
  const [, logN, r, p, salt, hash] = match;
  return checkScrypt(decimal(logN), decimal(r), decimal(p), unpadded(salt), unpadded(hash));
};

function format(name: string, prefixes: string[], parse: Parse, sample: string): PasswordFormat {
  const matches = (stored: string) => prefixes.some((prefix) => stored.startsWith(prefix));
  const check = (stored: string) => (stored.length <= limits.length && matches(stored) ? parse(stored) : null);
  return {
    name,
    sample,
    matches,
    supports: (stored) => check(stored) !== null,
    verify: async (stored, password) => (await check(stored)?.(Buffer.from(password))) ?? false,
  };
}

/** The same format with a name in front of it. */
function after(prefix: string, parse: Parse): Parse {
  return (stored) => parse(stored.slice(prefix.length));
}

/** `bytes` zero bytes in B64 without padding: salt and hash of the samples. */
function zeros(bytes: number): string {
  return Buffer.alloc(bytes).toString('base64').replaceAll('=', '');
}

/** A well-formed argon2id hash (version 19, 32 bytes) of this cost that no known password matches. */
export function argon2Sample({ memoryCost, timeCost, parallelism }: Argon2Cost): string {
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${zeros(16)}$${zeros(32)}`;
}

/** What new hashes cost: 19 MiB, 2 passes, 1 lane (OWASP's password storage cheat sheet, argon2id). */
export const defaultArgon2Cost: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const tail16 = `${zeros(16)}$`;
const bcryptTail = '.'.repeat(53);

/**
 * Every format a stored hash can have, each with a sample of the cost its own tools use by default: PHP's for argon2i,
 * Django 5.2's for Django's formats, 10 for bcrypt, passlib's for the rest.
 * Sources: RFC 9106 (argon2), RFC 7914 (scrypt), RFC 8018 (PBKDF2), the PHC string format, passlib's documentation,
 * Django's "Password management in Django" and `django.contrib.auth.hashers`.
 */
export const passwordFormats: readonly PasswordFormat[] = [
  format('argon2id', ['$argon2id$'], parseArgon2, argon2Sample(defaultArgon2Cost)),
  format('argon2i', ['$argon2i$'], parseArgon2, `$argon2i$v=19$m=65536,t=4,p=1$${tail16}${zeros(32)}`),
  format(
    'django-argon2',
    ['argon2$'],
    after('argon2', parseArgon2),
    `argon2$argon2id$v=19$m=102400,t=2,p=8$${tail16}${zeros(32)}`,
  ),
  format('bcrypt', ['$2a$', '$2b$', '$2y$'], parseBcrypt, `$2b$10$${bcryptTail}`),
  format('django-bcrypt', ['bcrypt$'], after('bcrypt$', parseBcrypt), `bcrypt$$2b$12$${bcryptTail}`),
  format(
    'django-bcrypt-sha256',
    ['bcrypt_sha256$'],
    after('bcrypt_sha256$', parseBcryptSha256),
    `bcrypt_sha256$$2b$12$${bcryptTail}`,
  ),
  format(
    'django-pbkdf2-sha256',
    ['pbkdf2_sha256$'],
    parseDjangoPbkdf2('sha256'),
    `pbkdf2_sha256$1000000$salt$${zeros(32)}=`,
  ),
  format('django-pbkdf2-sha1', ['pbkdf2_sha1$'], parseDjangoPbkdf2('sha1'), `pbkdf2_sha1$1000000$salt$${zeros(20)}=`),
  format('pbkdf2-sha256', ['$pbkdf2-sha256$'], parsePhcPbkdf2('sha256'), `$pbkdf2-sha256$29000$${tail16}${zeros(32)}`),
  format('pbkdf2-sha512', ['$pbkdf2-sha512$'], parsePhcPbkdf2('sha512'), `$pbkdf2-sha512$25000$${tail16}${zeros(64)}`),
  format('django-scrypt', ['scrypt$'], parseDjangoScrypt, `scrypt$16384$salt$8$5$${zeros(64)}==`),
  format('scrypt', ['$scrypt$'], parsePhcScrypt, `$scrypt$ln=16,r=8,p=1$${tail16}${zeros(32)}`),
];

/** The name of the format that the text starts as, or null. The text may still be malformed: see `isSupportedHash`. */
export function formatOf(stored: string): string | null {
  return passwordFormats.find((known) => known.matches(stored))?.name ?? null;
}

/** Whether the text is a well-formed hash of a known format with its cost within the bounds. For trusted imports. */
export function isSupportedHash(stored: string): boolean {
  return passwordFormats.some((known) => known.supports(stored));
}

/** Whether the password gives the stored hash, as it is written (no normalisation). False for an unsupported hash. */
export async function verifyHash(stored: string, password: string): Promise<boolean> {
  return (await passwordFormats.find((known) => known.matches(stored))?.verify(stored, password)) ?? false;
}
