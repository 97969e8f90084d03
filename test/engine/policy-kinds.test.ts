import { pbkdf2Sync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswordHasher } from '../../src/adapters/password/hasher.ts';
import { createRig, type Visitor } from '../../src/testing/rig.ts';
import { type BreachService, openBreachService } from '../support/breach-service.ts';
import { dummy, field, login, onBothDatabases, promptFor, write } from '../support/engine-rig.ts';
import { flowYaml, type StagePart } from '../support/flow-yaml.ts';

type Attrs = Readonly<Record<string, unknown>>;

const models: Readonly<Record<string, string>> = {
  password: 'authentik_policies_password.passwordpolicy',
  expiry: 'authentik_policies_expiry.passwordexpirypolicy',
  unique: 'authentik_policies_unique_password.uniquepasswordpolicy',
  reputation: 'authentik_policies_reputation.reputationpolicy',
  event: 'authentik_policies_event_matcher.eventmatcherpolicy',
  dummy: 'authentik_policies_dummy.dummypolicy',
};
const always = write({ user_creation_mode: 'always_create' });
const never = write({ user_creation_mode: 'never_create' });
const password = field('password', { type: 'password' });
const username = field('username', { type: 'username' });
const identification: StagePart = { kind: 'identification', attrs: { user_fields: ['username'] } };

let service: BreachService;
beforeAll(async () => {
  service = await openBreachService({ 'a stolen password': 12 });
});
afterAll(() => service.close());

/* Each kind of policy through a real flow; the reference's tests of its kinds by their names (flow-engine.md 8). */
onBothDatabases('kinds of policy', (rig) => {
  /** Makes a policy; what refers to it. */
  async function policy(kind: string, name: string, attrs: Attrs = {}): Promise<string> {
    const model = models[kind];
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [{ model, identifiers: { name }, attrs }] }));
    return `!Find [${model}, [name, ${name}]]`;
  }

  function validated(fields: readonly Attrs[], ...validation_policies: string[]): StagePart {
    return { ...promptFor(...fields), attrs: { validation_policies } };
  }

  /** What is said of the whole form. */
  function said({ challenge }: Visitor): readonly unknown[] {
    return (challenge.response_errors?.non_field_errors ?? []).map(({ string }) => string);
  }

  describe('at a prompt', () => {
    it('invalid policy, one and two: each says why, nothing is written, and the answers can be mended', async () => {
      const [one, two] = [await policy('dummy', 'refusing one'), await policy('dummy', 'refusing two')];
      const passing = await policy('dummy', 'passing', { result: true });
      for (const [slug, policies, expected] of [
        ['one-invalid', [one], ['dummy']],
        ['two-invalid', [one, passing, two], ['dummy', 'dummy', 'dummy']],
      ] as const) {
        await rig.flow(slug, [validated([username], ...policies), always]);
        const visitor = rig.visitor();
        await visitor.open(slug);
        await visitor.answer({ username: slug });
        visitor.expectProblem('non_field_errors', 'invalid');
        expect(said(visitor)).toEqual(expected);
        expect(await rig.find(slug)).toBeNull();
      }
    });

    it('valid with policy: the answers are taken', async () => {
      await rig.flow('valid', [validated([username], await policy('dummy', 'valid', { result: true })), always]);
      const visitor = rig.visitor();
      await visitor.open('valid');
      await visitor.answer({ username: 'valid' });
      visitor.expectEnd();
      expect(await rig.find('valid')).not.toBeNull();
    });

    it('password: what is missing is said in the language of the visitor, and a better one is taken', async () => {
      const strict = await policy('password', 'strict', { length_min: 12, amount_digits: 1, check_zxcvbn: true });
      await rig.flow('strict', [validated([username, password], strict), always, login]);
      const visitor = rig.visitor({ language: 'de' });
      await visitor.open('strict');
      await visitor.answer({ username: 'strict', password: 'no digits' });
      expect(said(visitor)).toEqual(['Bitte verwenden Sie mindestens 12 Zeichen.', 'Ziffern: mindestens 1 verwenden.']);
      await visitor.answer({ username: 'strict', password: 'password1234' });
      expect(said(visitor)).toEqual([expect.stringContaining('zu schwach')]);
      await visitor.answer({ username: 'strict', password: '7 quartz tundra velvet' });
      visitor.expectEnd();
      expect(await visitor.whoAmI()).toBe('strict');
    });

    it('a stolen password is refused; where nobody can tell, it is refused or taken as configured', async () => {
      const check = { check_have_i_been_pwned: true, breach_check_url: service.url };
      const away = { ...check, breach_check_url: 'http://127.0.0.1:1/' };
      const stolen = await policy('password', 'stolen', check);
      const denying = await policy('password', 'denying', away);
      const allowing = await policy('password', 'allowing', { ...away, breach_check_failure: 'allow' });
      const answer = async (name: string, unsafe: string, typed: string): Promise<Visitor> => {
        await rig.flow(name, [validated([username, password], unsafe), always]);
        const visitor = rig.visitor();
        await visitor.open(name);
        await visitor.answer({ username: name, password: typed });
        return visitor;
      };
      const known = await answer('stolen', stolen, 'a stolen password');
      expect(said(known)).toEqual(['Password exists on 12 online lists. Please use another one.']);
      await known.answer({ username: 'stolen', password: 'one of my own' });
      known.expectEnd();
      const unknown = await answer('denying', denying, 'one of my own');
      expect(said(unknown)).toEqual([expect.stringContaining('could not be checked')]);
      expect(await rig.find('denying')).toBeNull();
      (await answer('allowing', allowing, 'one of my own')).expectEnd();
      expect(await rig.find('allowing')).not.toBeNull();
    });

    it('a run without a browser is judged alike; a hash that it may bring is not looked into', async () => {
      const long = await policy('password', 'long', { length_min: 20 });
      await rig.flow('unattended', [validated([username, password], long), always]);
      const run = (prompt_data: Attrs, more: Attrs = {}) =>
        rig.auth.flows.execute('unattended', { context: { prompt_data }, ...more });
      expect(await run({ username: 'by program', password: 'not that long' })).toMatchObject({
        status: 'challenge',
        problems: [{ field: null, code: 'invalid', detail: 'Use at least 20 characters.' }],
      });
      expect(await rig.find('by program')).toBeNull();
      expect(await run({ username: 'by program', password: 'as long as it has to be' })).toMatchObject({
        status: 'done',
      });
      const imported = { username: 'imported', password_hash: djangoHash('short') };
      expect(await run(imported, { trustedHashes: true })).toMatchObject({ status: 'done' });
      expect(await run({ ...imported, username: 'untrusted' })).toMatchObject({ status: 'challenge' });
    });
  });

  describe('unique password', () => {
    const change = async (visitor: Visitor, typed: string): Promise<readonly unknown[]> => {
      rig.clock.advance(1_000);
      await visitor.open('change');
      await visitor.answer({ password: typed });
      if (visitor.challenge.component !== 'ak-stage-prompt') visitor.expectEnd();
      return said(visitor);
    };
    const refused = ['This password has been used previously. Please choose a different one.'];

    beforeAll(async () => {
      const unique = await policy('unique', 'unique', { num_historical_passwords: 2 });
      const attrs = { authentication: 'require_authenticated' };
      await rig.flow('change', [validated([password], unique), never], { attrs });
    });

    it('history: the present one and the one before are refused, an older one is not', async () => {
      await rig.user('changer');
      const visitor = await rig.signedIn('changer');
      expect(await change(visitor, 'changer password')).toEqual(refused);
      expect(await change(visitor, 'the second password')).toEqual([]);
      expect(await change(visitor, 'changer password')).toEqual(refused);
      expect(await change(visitor, 'the third password')).toEqual([]);
      expect(await change(visitor, 'changer password')).toEqual([]);
    });

    it('differing hash algorithms: one that was imported counts like any other', async () => {
      const user = await rig.user('imported long ago');
      rig.clock.advance(1_000);
      const hash = djangoHash('an imported password');
      await rig.store.commit({
        id: 'import',
        runs: [],
        effects: [{ kind: 'password.set', userId: user.id, hash, at: rig.clock.now() }],
      });
      const server = await rig.another({ probes: false, hasher: createPasswordHasher() });
      const visitor = server.visitor();
      await visitor.open('default-authentication-flow');
      await visitor.answer({ uid_field: 'imported long ago' });
      await visitor.answer({ password: 'an imported password' });
      visitor.expectEnd();
      expect(await change(visitor, 'an imported password')).toEqual(refused);
      expect(await change(visitor, 'the second password')).toEqual([]);
      expect(await change(visitor, 'an imported password')).toEqual(refused);
    });
  });

  describe('reputation', () => {
    /** An identification, and a deny stage for those whose reputation is bad. */
    async function suspicious(slug: string, attrs: Attrs, more: Partial<StagePart> = {}): Promise<void> {
      const deny: StagePart = { kind: 'deny', policies: [{ policy: await policy('reputation', slug, attrs) }] };
      await rig.flow(slug, [{ ...identification, ...more }, deny, dummy]);
    }

    async function fail(uid_field: string, times: number, address: string): Promise<void> {
      for (let time = 0; time < times; time += 1) {
        const visitor = rig.visitor({ address });
        await visitor.open('default-authentication-flow');
        await visitor.answer({ uid_field });
        await visitor.answer({ password: 'a wrong guess' });
      }
    }

    async function standing(slug: string, uid_field: string, address: string): Promise<string> {
      const visitor = rig.visitor({ address });
      await visitor.open(slug);
      return (await visitor.answer({ uid_field })).component;
    }

    it('username: failed sign-ins count against who was meant, known or not, and a successful one for them', async () => {
      await rig.user('attacked');
      await rig.user('left alone');
      await suspicious('by-name', { check_ip: false, threshold: -2 });
      for (const name of ['attacked', 'not a user']) {
        expect(await standing('by-name', name, '198.51.100.1')).toBe('ak-stage-dummy');
        await fail(name, 2, '198.51.100.2');
        expect(await standing('by-name', name, '198.51.100.1')).toBe('ak-stage-access-denied');
      }
      expect(await standing('by-name', 'left alone', '198.51.100.2')).toBe('ak-stage-dummy');
      await rig.signedIn('attacked', { address: '198.51.100.2' });
      expect(await standing('by-name', 'attacked', '198.51.100.1')).toBe('ak-stage-dummy');
    });

    it('ip: failed sign-ins count against the address, whoever was meant', async () => {
      await suspicious('by-address', { check_username: false, threshold: -3 });
      for (const name of ['one', 'two', 'three']) await fail(`nobody ${name}`, 1, '203.0.113.5');
      expect(await standing('by-address', 'somebody', '203.0.113.5')).toBe('ak-stage-access-denied');
      expect(await standing('by-address', 'somebody', '203.0.113.6')).toBe('ak-stage-dummy');
    });

    it('invalid_restart: what failed in this very request counts when the flow starts again', async () => {
      const deny: StagePart = {
        ...{ kind: 'deny' },
        policies: [{ policy: await policy('reputation', 'restarted', { check_username: false, threshold: -1 }) }],
      };
      const strict = { user_fields: ['username'], pretend_user_exists: false };
      const binding = { invalid_response_action: 'restart_with_context' };
      await rig.flow('restarted', [deny, { kind: 'identification', attrs: strict, binding }]);
      const visitor = rig.visitor({ address: '203.0.113.9' });
      await visitor.open('restarted');
      visitor.expectAsk('ak-stage-identification');
      await visitor.answer({ uid_field: 'unknown user' });
      visitor.expectDenied();
    });
  });

  describe('at a flow or a stage', () => {
    it('dummy: its word is what a denied visitor reads', async () => {
      await rig.flow('closed', [dummy], {
        ...{ attrs: { denied_action: 'message' }, policies: [{ policy: await policy('dummy', 'closed') }] },
      });
      const visitor = rig.visitor();
      await visitor.open('closed');
      visitor.expectDenied('dummy');
    });

    it('event_matcher: an event in the plan context decides', async () => {
      const failed = await policy('event', 'failed sign-ins', { action: 'login_failed', client_ip: '192.0.2.1' });
      await rig.flow('told', [], { policies: [{ policy: failed }] });
      const told = (event: Attrs) => rig.auth.flows.execute('told', { context: { event } });
      expect(await told({ action: 'login_failed', client_ip: '192.0.2.1' })).toMatchObject({ status: 'done' });
      expect(await told({ action: 'login_failed', client_ip: '192.0.2.2' })).toMatchObject({ status: 'denied' });
      expect(await told({ action: 'login' })).toMatchObject({ status: 'denied' });
      expect(await rig.auth.flows.execute('told')).toMatchObject({ status: 'denied' });
    });

    it('one that cannot be asked denies and never skips its stage, negated or not; the event names it', async () => {
      const away = { check_have_i_been_pwned: true, breach_check_url: 'http://127.0.0.1:1/' };
      const broken = await policy('password', 'broken check', away);
      for (const negate of [false, true]) {
        const guard: StagePart = { ...promptFor('attributes.guard'), policies: [{ policy: broken, negate }] };
        await rig.flow(`broken-${negate}`, [promptFor(password), guard, dummy]);
        const visitor = rig.visitor();
        await visitor.open(`broken-${negate}`);
        await visitor.answer({ password: 'a good password' });
        visitor.expectDenied('A check could not be carried out, so access is denied. Please try again later.');
      }
      const events = await rig.events('policy_exception');
      expect(events.filter(({ context }) => context.policy === 'policy "broken check"')).toHaveLength(2);
      expect(JSON.stringify(events)).not.toContain('a good password');
    });

    it('password_expiry: says so, and leads to a change of the password while the old one still proves its owner', async () => {
      await rig.user('forgetful');
      const expiry = { policy: await policy('expiry', 'monthly', { days: 30 }) };
      const change: StagePart = { ...promptFor(password), policies: [{ ...expiry, negate: true }] };
      await rig.flow('expiring', [change, { ...never, policies: [{ ...expiry, negate: true }] }, dummy]);
      await rig.flow('only-fresh', [dummy], { attrs: { denied_action: 'message' }, policies: [expiry] });
      expect((await (await rig.signedIn('forgetful')).open('expiring')).component).toBe('ak-stage-dummy');
      rig.clock.advance(31 * 86_400_000);
      const visitor = await rig.signedIn('forgetful');
      await visitor.open('only-fresh');
      visitor.expectDenied('Password expired 1 days ago. Please update your password.');
      await visitor.open('expiring');
      visitor.expectAsk('ak-stage-prompt');
      await visitor.answer({ password: 'the next password' });
      visitor.expectAsk('ak-stage-dummy');
      expect((await visitor.open('only-fresh')).component).toBe('ak-stage-dummy');
    });
  });
});

it('the service of stolen passwords is an option of the library, too', async () => {
  const rig = await createRig({ breachCheckUrl: service.url });
  try {
    const checked = {
      model: models.password,
      identifiers: { name: 'checked' },
      attrs: { check_have_i_been_pwned: true },
    };
    await rig.auth.flows.apply(JSON.stringify({ version: 1, entries: [checked] }));
    const validation_policies = [`!Find [${models.password}, [name, checked]]`];
    const stages = [{ ...promptFor(username, password), attrs: { validation_policies } }, always];
    await rig.auth.flows.apply([flowYaml({ slug: 'checked', stages })]);
    const visitor = rig.visitor();
    await visitor.open('checked');
    await visitor.answer({ username: 'checked', password: 'a stolen password' });
    visitor.expectProblem('non_field_errors', 'invalid');
  } finally {
    await rig.close();
  }
});

/** As Django keeps a password. */
function djangoHash(typed: string): string {
  return `pbkdf2_sha256$1000$salt$${pbkdf2Sync(typed, 'salt', 1000, 32, 'sha256').toString('base64')}`;
}
