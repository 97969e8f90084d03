import { describe, expect, test } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import { runUserWrite } from '../../../test/support/user-write-rig.ts';
import type { PromptData } from '../../engine/plan-context.ts';
import type { Json, JsonObject } from '../../kernel/json.ts';
import { testUser } from '../../testing/desk.ts';
import { draftOf, sanitise, writePath } from './attributes.ts';
import { dispatch, protectedFields } from './dispatch.ts';

/** For each property; `npm run drill -- properties` asks for more. */
const runs = { numRuns: Number(process.env.DOORWARD_PROPERTY_CASES ?? 2_000) };
const limit = Math.max(120_000, runs.numRuns * 20);
const rules = {
  attributes: {},
  writable: [],
  impersonating: false,
  trustedHashes: false,
  addressesVerifiedAt: null,
} as const;
const ada = testUser({ username: 'ada', name: 'Ada', attributes: { a: { b: 1 }, list: [1], text: 'x' } });

/** Keys that mean something, keys that look like it, and any others. */
const key = fc.oneof(
  fc.constantFrom(
    ...['component', 'password', 'password_hash', 'groups', 'id', 'pk', 'attributes', 'username', 'name', 'email'],
    ...['path', 'type', 'is_active', 'is_superuser', 'uuid', '__proto__', 'constructor', 'toString', 'save', 'version'],
    ...['isActive', 'passwordChangedAt', 'attributes.', 'attributes_', 'attributes.__proto__.x', 'attributes.a.b'],
    ...['attributes.text.x', 'attributes.constructor.prototype.x', 'attributes_list', 'attributes.a.__proto__'],
  ),
  fc
    .tuple(fc.constantFrom('attributes.', 'attributes_', ''), fc.string({ unit: 'binary' }))
    .map((parts) => parts.join('')),
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }).map((json) => json as Json),
  fc.json({ maxDepth: 4 }).map((json) => JSON.parse(json.replaceAll('""', '"__proto__"')) as Json),
  fc.constant({ 'goauthentik.io/user/sources': ['x'], constructor: { prototype: { polluted: 1 } } } as Json),
);
const pairs: fc.Arbitrary<PromptData> = fc
  .array(fc.tuple(key, value), { maxLength: 8 })
  .map((entries) => [...new Map<string, Json>(entries)]);

const columns = ['username', 'name', 'email', 'path', 'type', 'isActive', 'attributes'];

describe('any JSON as prompt_data', { timeout: limit }, () => {
  test('D-8: pollutes no prototype and never throws', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).toSorted();
    await fc.assert(
      fc.asyncProperty(pairs, fc.boolean(), async (data, unattended) => {
        const config = { writable_fields: [...protectedFields] };
        await runUserWrite({
          users: [ada],
          visitor: { user: ada },
          config,
          unattended,
          context: { prompt_data: data },
        });
        expect('polluted' in {}).toBe(false);
      }),
      runs,
    );
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(before);
  });

  test('W1: whatever it is instead of an object, it is no crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fc.array(value)), async (data) => {
        const { outcome } = await runUserWrite({
          users: [ada],
          visitor: { user: ada },
          context: { prompt_data: data },
        });
        expect(['pass', 'deny', 'revise']).toContain(outcome.kind);
      }),
      runs,
    );
  });

  test('D-1: sets no column outside the allow-list', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (data) => {
        const { outcome, accounts } = await runUserWrite({
          users: [ada],
          visitor: { user: ada },
          context: { prompt_data: data },
        });
        const open = ['username', 'name', 'email', 'attributes'];
        for (const effect of outcome.effects ?? []) {
          if (effect.kind !== 'user.update') continue;
          // Another address is one that nobody confirmed.
          const { emailVerifiedAt = null, ...set } = effect.set;
          expect(emailVerifiedAt).toBeNull();
          expect(open).toEqual(expect.arrayContaining(Object.keys(set)));
        }
        const { username, name, email, attributes, version, ...rest } = accounts.users[0] ?? ada;
        const { username: _u, name: _n, email: _e, attributes: _a, version: _v, ...untouched } = ada;
        expect(rest).toEqual(untouched);
      }),
      runs,
    );
  });

  test('D-1: makes no user with more than the allow-list says', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (data) => {
        const { outcome, accounts } = await runUserWrite({ users: [ada], context: { prompt_data: data } });
        if (outcome.kind !== 'pass') return;
        const [, made, ...others] = accounts.users;
        expect(others).toEqual([]);
        const whatever = { username: expect.any(String), name: expect.any(String), email: expect.any(String) };
        const times = { passwordChangedAt: made?.passwordChangedAt ?? null };
        expect(made).toEqual({
          ...testUser({ username: '' }),
          ...{
            ...whatever,
            ...times,
            id: 2,
            uuid: expect.any(String),
            type: 'external',
            attributes: expect.anything(),
          },
        });
        expect(accounts.members.size + accounts.connections.length).toBe(0);
      }),
      runs,
    );
  });

  test('every key is written or discarded, component aside; a discarded one changes nothing', () => {
    fc.assert(
      fc.property(pairs, (data) => {
        const all = dispatch(data, rules);
        if (!all.ok) return;
        const { written, discarded } = all.changes;
        const told = new Set([...written, ...discarded].map((entry) => entry.key));
        expect(told).toEqual(new Set(data.map(([name]) => name).filter((name) => name !== 'component')));
        const kept = new Set(written.map((entry) => entry.key));
        const again = dispatch(
          data.filter(([name]) => kept.has(name)),
          rules,
        );
        expect(again.ok && again.changes).toMatchObject({
          columns: all.changes.columns,
          attributes: all.changes.attributes,
        });
        expect(columns).toEqual(expect.arrayContaining(Object.keys(all.changes.columns)));
      }),
      runs,
    );
  });

  test('is idempotent: the second write changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (data) => {
        const options = { visitor: { user: ada }, context: { prompt_data: data } };
        const first = await runUserWrite({ ...options, users: [ada] });
        if (first.outcome.kind !== 'pass') return;
        const second = await runUserWrite({ ...options, users: first.accounts.users });
        // A password is written again whatever it was before, and that counts the row's version up.
        const passwordAgain = data.some(([key]) => key === 'password') ? { version: expect.any(Number) } : {};
        expect(second.accounts.users).toEqual(first.accounts.users.map((user) => ({ ...user, ...passwordAgain })));
      }),
      runs,
    );
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'toString', '0');
const tree: fc.Arbitrary<JsonObject> = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof({ maxDepth: 4 }, fc.constantFrom<Json>(null, 1, 'x', []), tie('object')),
})).object;

/** Leaves and empty objects by their path: a tree without nesting, on which writing is a matter of prefixes. */
function leaves(object: JsonObject, at: readonly string[] = []): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const [member, inner] of Object.entries(object)) {
    const place = [...at, member];
    const isObject = inner !== null && typeof inner === 'object' && !Array.isArray(inner);
    const nested = isObject ? leaves(inner as JsonObject, place) : new Map<string, Json>();
    if (nested.size === 0) found.set(place.join('/'), inner);
    for (const [path, leaf] of nested) found.set(path, leaf);
  }
  return found;
}

test('W14 to W16: writing at a path agrees with a model of leaves', { timeout: limit }, () => {
  fc.assert(
    fc.property(tree, fc.array(name, { minLength: 1, maxLength: 4 }), (attributes, path) => {
      const model = leaves(attributes);
      const target = path.join('/');
      const above = path.slice(0, -1).map((_, index) => path.slice(0, index + 1).join('/'));
      const blocked = above.some((place) => model.has(place) && JSON.stringify(model.get(place)) !== '{}');
      for (const place of above) model.delete(place);
      for (const place of [...model.keys()]) if (`${place}/`.startsWith(`${target}/`)) model.delete(place);
      model.set(target, 'new');
      const draft = draftOf(attributes);
      expect(writePath(draft, path, 'new')).toBe(!blocked);
      expect(leaves(draft)).toEqual(blocked ? leaves(attributes) : model);
    }),
    runs,
  );
});

test('W24: what JSON can hold comes through as it was', { timeout: limit }, () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (json) => {
      const kept = sanitise(json);
      if (kept !== undefined) expect(JSON.stringify(kept)).toBe(JSON.stringify(json));
    }),
    runs,
  );
});
