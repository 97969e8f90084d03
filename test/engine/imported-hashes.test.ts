import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { createPasswordHasher } from '../../src/adapters/password/hasher.ts';
import { onBothDatabases, promptFor, write } from '../support/engine-rig.ts';

const password = 'lètmein';
const derived = pbkdf2Sync(password, 'seasalt', 1_000, 32, 'sha256').toString('base64');
const scrypted = scryptSync(password, 'seasalt', 64, { N: 1_024, r: 8, p: 1 }).toString('base64');

/** As other systems keep them. */
const hashes: readonly (readonly [string, string])[] = [
  ['bcrypt', '$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['django-bcrypt', 'bcrypt$$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['django-pbkdf2', `pbkdf2_sha256$1000$seasalt$${derived}`],
  ['django-scrypt', `scrypt$1024$seasalt$8$1$${scrypted}`],
];

onBothDatabases('users who come with a hash from elsewhere', (rig) => {
  it.each(hashes)(
    '%s: sign in with their password, once and again, and are hashed anew by the first',
    async (name, hash) => {
      const server = await rig.another({ probes: false, hasher: createPasswordHasher() });
      await rig.flow('import', [promptFor('username'), write({ user_creation_mode: 'always_create' })]);
      const context = { prompt_data: { username: name, password_hash: hash } };
      expect(await server.auth.flows.execute('import', { context, trustedHashes: true })).toMatchObject({
        status: 'done',
      });
      const stored = async (): Promise<string | null> => rig.store.read.passwordHash((await rig.find(name))?.id ?? 0);
      const signIn = async (typed: string): Promise<string | null> => {
        const visitor = server.visitor();
        await visitor.open('default-authentication-flow');
        await visitor.answer({ uid_field: name });
        await visitor.answer({ password: typed });
        return visitor.whoAmI();
      };
      expect([await signIn('letmein'), await stored()]).toEqual([null, hash]);
      expect(await signIn(password)).toBe(name);
      const renewed = await stored();
      expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect([await signIn('letmein'), await signIn(password), await stored()]).toEqual([null, name, renewed]);
    },
  );
});
