import { describe, expect, test } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import {
  argon2Sample,
  defaultArgon2Cost,
  formatOf,
  isArgon2CostInBounds,
  isSupportedHash,
  passwordFormats,
  verifyHash,
} from './formats.ts';

/** Made by Python's hashlib, crypt (libxcrypt) and cryptography, or quoted from the named projects' own tests. */
const vectors: [format: string, password: string, stored: string][] = [
  [
    'argon2id',
    'lètmein',
    '$argon2id$v=19$m=19456,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$KCDJLvZ+eG+DNWUP+RSyUirL87asjS9wGTo0vedwvwI',
  ],
  ['argon2id', 'lètmein', '$argon2id$v=19$m=256,t=3,p=4$yMnKy8zNzs/Q0dLT1NXW1w$J2Ky7tzyHB7nFKmnwTu7Iwg1W/FgCDhB'],
  // phc-winner-argon2, src/test.c
  ['argon2id', 'password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['argon2i', 'password', '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA'],
  ['argon2i', 'password', '$argon2i$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ'],
  // Django, tests/auth_tests/test_hashers.py
  [
    'django-argon2',
    'secret',
    'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg',
  ],
  ['django-argon2', 'secret', 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'],
  ['django-argon2', 'secret', 'argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw'],
  ['bcrypt', 'lètmein', '$2a$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['bcrypt', 'lètmein', '$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['bcrypt', 'lètmein', '$2y$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['bcrypt', '', '$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq'],
  ['django-bcrypt', 'lètmein', 'bcrypt$$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['django-bcrypt-sha256', 'lètmein', 'bcrypt_sha256$$2b$06$abcdefghijklmnopqrstuul5B/dAdshjIhHjT6my8nuQ0dMXgwHGG'],
  ['django-pbkdf2-sha256', 'lètmein', 'pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps='],
  ['django-pbkdf2-sha1', 'lètmein', 'pbkdf2_sha1$390000$seasalt2$aDapRanzW8aHTz97v2TcfHzWD+I='],
  [
    'pbkdf2-sha256',
    'lètmein',
    '$pbkdf2-sha256$i=12000,l=32$yMnKy8zNzs/Q0dLT1NXW1w$w7ILfghLbNDKPRmZvOSDWWScDW0uV+f2McYDTKVLWjE',
  ],
  [
    'pbkdf2-sha256',
    'lètmein',
    '$pbkdf2-sha256$i=12000$yMnKy8zNzs/Q0dLT1NXW1w$w7ILfghLbNDKPRmZvOSDWWScDW0uV+f2McYDTKVLWjE',
  ],
  [
    'pbkdf2-sha256',
    'lètmein',
    '$pbkdf2-sha256$i=5000,l=64$yMnKy8zNzs/Q0dLT1NXW1w$l6TPbIhpsFCb0rgQMKinsfVtNvAgDQtCdrMFAFeEk4Bx7AmWskRtZqmgogXvu7SFESCFVNN0t32k2BVA/xaFLw',
  ],
  // passlib's spelling
  [
    'pbkdf2-sha256',
    'lètmein',
    '$pbkdf2-sha256$29000$yMnKy8zNzs/Q0dLT1NXW1w$qO2YkJ7asW4dvnKMTBX7aTKRpTKNFGyVIKrkEw.2uzc',
  ],
  [
    'pbkdf2-sha512',
    'lètmein',
    '$pbkdf2-sha512$i=12000,l=64$yMnKy8zNzs/Q0dLT1NXW1w$4lRDHj7TvGt29Tq7mqYqOGH8Gc5Q51unxSkrQA/s+KxTSZVr6XnQKt82+V1GoI9g9qovjj46DZGmdAfeL8Aarg',
  ],
  [
    'pbkdf2-sha512',
    'lètmein',
    '$pbkdf2-sha512$29000$yMnKy8zNzs/Q0dLT1NXW1w$6Vsa/aNnrE0SGDO1CDYDo4Sc6oy9Psfx.sGjzqrxfc61kD02wj/nMzF/KT7hwRjXVbakTnzj3iDNEUNTQjVrEA',
  ],
  [
    'django-scrypt',
    'lètmein',
    'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
  ],
  [
    'django-scrypt',
    'lètmein',
    'scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==',
  ],
  // passlib's documentation of passlib.hash.scrypt
  ['scrypt', 'password', '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
  ['scrypt', 'lètmein', '$scrypt$ln=10,r=8,p=1$yMnKy8zNzs/Q0dLT1NXW1w$q4xox+td6ncKcqk7/40htJG+Ekrm7cP44eudX1wXLps'],
];

describe('vectors', () => {
  test.each(vectors)('%s of %j matches that password alone: %s', async (name, password, stored) => {
    expect(formatOf(stored)).toBe(name);
    expect(isSupportedHash(stored)).toBe(true);
    expect(await verifyHash(stored, password)).toBe(true);
    expect(await verifyHash(stored, `${password}z`)).toBe(false);
  });

  test('every format has a vector and a supported sample', () => {
    const names = passwordFormats.map((format) => format.name);
    expect(new Set(vectors.map(([name]) => name))).toEqual(new Set(names));
    expect(passwordFormats.map((format) => formatOf(format.sample))).toEqual(names);
    expect(passwordFormats.filter((format) => !format.supports(format.sample))).toEqual([]);
    expect(isSupportedHash(argon2Sample(defaultArgon2Cost))).toBe(true);
  });

  test('each supported hash belongs to one format alone', () => {
    for (const [name, , stored] of vectors) {
      expect(passwordFormats.filter((format) => format.matches(stored)).map((format) => format.name)).toEqual([name]);
    }
  });

  test('bcrypt sees 72 bytes of a password, bcrypt_sha256 sees all', async () => {
    const bcrypt = '$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i';
    expect(await verifyHash(bcrypt, 'x'.repeat(100))).toBe(true);
    expect(await verifyHash(bcrypt, 'x'.repeat(72))).toBe(true);
    expect(await verifyHash(bcrypt, 'x'.repeat(71))).toBe(false);
    const sha256 = 'bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuCAvIyD0QJ5jPCZEmfu/pCR8B3ay503q';
    expect(await verifyHash(sha256, 'y'.repeat(100))).toBe(true);
    expect(await verifyHash(sha256, 'y'.repeat(99))).toBe(false);
  });
});

const salt = 'yMnKy8zNzs/Q0dLT1NXW1w';
const hash = 'q4xox+td6ncKcqk7/40htJG+Ekrm7cP44eudX1wXLps';
const bcryptTail = 'abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.';

describe('bounds', () => {
  test.each([
    [
      'argon2 memory',
      `$argon2id$v=19$m=1048576,t=4,p=1$${salt}$${hash}`,
      `$argon2id$v=19$m=1048577,t=1,p=1$${salt}$${hash}`,
    ],
    [
      'argon2 passes',
      `$argon2id$v=19$m=65536,t=64,p=1$${salt}$${hash}`,
      `$argon2id$v=19$m=65536,t=65,p=1$${salt}$${hash}`,
    ],
    [
      'argon2 lanes',
      `$argon2i$v=19$m=8192,t=1,p=255$${salt}$${hash}`,
      `$argon2i$v=19$m=8192,t=1,p=256$${salt}$${hash}`,
    ],
    ['argon2 memory for its lanes', `$argon2id$m=32,t=1,p=4$${salt}$${hash}`, `$argon2id$m=31,t=1,p=4$${salt}$${hash}`],
    ['bcrypt cost', `$2b$16$${bcryptTail}`, `$2b$17$${bcryptTail}`],
    ['bcrypt lowest cost', `bcrypt$$2b$04$${bcryptTail}`, `bcrypt$$2b$03$${bcryptTail}`],
    ['pbkdf2 iterations', `pbkdf2_sha256$10000000$s$${hash}=`, `pbkdf2_sha256$10000001$s$${hash}=`],
    [
      'pbkdf2 iterations for two blocks',
      `$pbkdf2-sha256$i=5000000$${salt}$${'A'.repeat(86)}`,
      `$pbkdf2-sha256$i=5000001$${salt}$${'A'.repeat(86)}`,
    ],
    ['scrypt memory', `$scrypt$ln=18,r=8,p=1$${salt}$${hash}`, `$scrypt$ln=19,r=8,p=1$${salt}$${hash}`],
    ['scrypt work', `$scrypt$ln=17,r=8,p=16$${salt}$${hash}`, `$scrypt$ln=17,r=8,p=17$${salt}$${hash}`],
    ['scrypt N for its r', `$scrypt$ln=15,r=1,p=1$${salt}$${hash}`, `$scrypt$ln=16,r=1,p=1$${salt}$${hash}`],
    ['scrypt N', `scrypt$1024$s$8$1$${'A'.repeat(86)}==`, `scrypt$1000$s$8$1$${'A'.repeat(86)}==`],
    [
      'scrypt parallel memory',
      `$scrypt$ln=1,r=1,p=2097152$${salt}$${hash}`,
      `$scrypt$ln=1,r=1,p=2097153$${salt}$${hash}`,
    ],
    ['length', `pbkdf2_sha256$1$${'s'.repeat(963)}$${hash}=`, `pbkdf2_sha256$1$${'s'.repeat(964)}$${hash}=`],
  ])('%s: the last allowed and the first refused', async (_name, allowed, refused) => {
    expect(isSupportedHash(allowed)).toBe(true);
    expect(isSupportedHash(refused)).toBe(false);
    expect(await verifyHash(refused, 'lètmein')).toBe(false);
  });

  test('scrypt takes parameters that OpenSSL refuses by default', async () => {
    expect(await verifyHash(`$scrypt$ln=18,r=8,p=1$${salt}$${hash}`, 'x')).toBe(false);
    expect(await verifyHash(`$scrypt$ln=3,r=2000,p=50$${salt}$${hash}`, 'x')).toBe(false);
  });

  test('argon2 costs that are not numbers are out of bounds', () => {
    expect(isArgon2CostInBounds(defaultArgon2Cost)).toBe(true);
    expect(isArgon2CostInBounds({ ...defaultArgon2Cost, timeCost: 1.5 })).toBe(false);
    expect(isArgon2CostInBounds({ ...defaultArgon2Cost, memoryCost: Number.NaN })).toBe(false);
    expect(isArgon2CostInBounds({ ...defaultArgon2Cost, parallelism: 0 })).toBe(false);
  });
});

describe('malformed hashes', () => {
  test.each([
    '',
    '!',
    '*',
    'lètmein',
    '$argon2d$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=18$m=8,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=19$m=08,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$YC9+jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9+',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8R',
    '$argon2id$v=19$m=8,t=1,p=1,data=AAAA$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9.jJCrQhs5R6db7LlN8Q',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q$',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YC9+jJCrQhs5R6db7LlN8Q\n',
    `$2x$06$${bcryptTail}`,
    `$2b$6$${bcryptTail}`,
    `$2b$06$${bcryptTail.replace('uu', 'uv')}`,
    `$2b$06$${bcryptTail.slice(0, -1)}`,
    `bcrypt$${bcryptTail}`,
    'pbkdf2_sha256$1$salt$',
    'pbkdf2_sha256$1$salt$AA==',
    `pbkdf2_sha256$1$$${hash}=`,
    `pbkdf2_sha256$0$salt$${hash}=`,
    `pbkdf2_sha256$-1$salt$${hash}=`,
    `pbkdf2_sha256$1e3$salt$${hash}=`,
    `pbkdf2_sha256$1$salt$${hash}`,
    `pbkdf2_sha256$1$sa$lt$${hash}=`,
    `$pbkdf2-sha256$i=1,l=31$${salt}$${hash}`,
    `$pbkdf2-sha256$i=1$$${hash}`,
    `$pbkdf2-sha256$i=1$${salt}$`,
    `$pbkdf2-sha256$i=1$${salt}$AA`,
    `scrypt$16384$salt$8$1$${hash}=`,
    `scrypt$16384$salt$8$$${'A'.repeat(86)}==`,
    `$scrypt$ln=1,r=0,p=1$${salt}$${hash}`,
    `$scrypt$ln=1,r=1,p=0$${salt}$${hash}`,
    '$'.repeat(1_000_000),
    `$argon2id$v=19$m=${'9'.repeat(1_000_000)}`,
    `$pbkdf2-sha256$${'1'.repeat(1000)}`,
  ])('malformed hash number %$ is not supported and does not match', async (stored) => {
    expect(isSupportedHash(stored)).toBe(false);
    expect(await verifyHash(stored, '')).toBe(false);
    expect(await verifyHash(stored, 'lètmein')).toBe(false);
  });
});

describe('hostile text', () => {
  test('any text is answered', async () => {
    const prefix = fc.constantFrom(
      '',
      '$argon2id$',
      'argon2$',
      '$2b$',
      'bcrypt$',
      'scrypt$',
      '$scrypt$',
      '$pbkdf2-sha256$',
    );
    const field = fc.oneof(fc.string(), fc.constantFrom('1', '2', 'i=1', 'v=19', 'm=8,t=1,p=1', 'ln=1,r=1,p=1', '04'));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(field).map((fields) => fields.join('$')),
    );
    await fc.assert(
      fc.asyncProperty(prefix, text, fc.string({ unit: 'binary' }), async (start, rest, password) => {
        expect(await verifyHash(start + rest, password)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('a hash with one character of its tail changed never matches', async () => {
    const cheap = [
      ['secret', 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'],
      ['', '$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq'],
      ['lètmein', `$scrypt$ln=10,r=8,p=1$${salt}$${hash}`],
    ] as const;
    const changed = fc.tuple(fc.constantFrom(...cheap), fc.nat(15), fc.string({ unit: 'binary', maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(changed, async ([[password, stored], fromEnd, insert]) => {
        const at = stored.length - 1 - fromEnd;
        fc.pre(insert !== stored[at]);
        expect(await verifyHash(stored.slice(0, at) + insert + stored.slice(at + 1), password)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
