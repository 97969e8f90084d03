import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  createDoorward,
  type Doorward,
  defineFlow,
  definePolicy,
  deny,
  dummy,
  field,
  identification,
  inGroup,
  isDoorwardError,
  not,
  password,
  policy,
  prompt,
  redirect,
  type TypedFlow,
  userLogin,
  userWrite,
} from '../../src/index.ts';
import { createRig, openHasher, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { emptyDatabase, given } from '../store/databases.ts';
import { rigOnEachDatabase } from '../support/each-database.ts';

const about = prompt({
  fields: {
    username: field.username(),
    'attributes.company': field.text({ label: { en: 'Company', de: 'Firma' }, required: false }),
    password: field.password(),
    password_repeat: field.passwordRepeat(),
  },
  validate: (answers) => ({
    passing: answers.username !== 'root',
    messages: ['root is taken'],
  }),
});

const signUp = defineFlow({
  slug: 'sign-up',
  title: { en: 'Sign up', de: 'Registrieren' },
  designation: 'enrollment',
  authentication: 'require_unauthenticated',
  stages: [
    about,
    dummy({ when: (request) => request.answersTo(about)['attributes.company'] === 'ACME' }),
    userWrite({ createUsersGroup: 'customers', userType: 'internal' }),
    userLogin(),
  ],
});

const signIn = defineFlow({
  slug: 'sign-in',
  designation: 'authentication',
  stages: [identification({ password: password(), enrollmentFlow: signUp }), userLogin()],
});

const answers = (username: string, company = '') => ({
  ...{ username, 'attributes.company': company },
  ...{ password: 'correct horse', password_repeat: 'correct horse' },
});

rigOnEachDatabase('a flow in code', { flows: [signIn, signUp] }, (rig) => {
  it('is walked like any other, and its functions decide which stages are visited', async () => {
    const plain = rig().visitor({ language: 'de' });
    const shown = await plain.open('sign-up');
    expect(shown.flow_info?.title).toBe('Registrieren');
    expect((shown.fields as { label: string }[]).map(({ label }) => label)).toEqual([
      ...['Benutzername', 'Firma', 'Passwort', 'Passwort wiederholen'],
    ]);
    await plain.answer(answers('ada'));
    plain.expectEnd();
    expect(await plain.whoAmI()).toBe('ada');
    const asked = rig().visitor();
    await asked.open('sign-up');
    await asked.answer(answers('grace', 'ACME'));
    asked.expectAsk('ak-stage-dummy');
    await asked.answer();
    asked.expectEnd();
    const grace = await rig().auth.users.get({ username: 'grace' });
    expect(grace).toMatchObject({ type: 'internal', attributes: { company: 'ACME' } });
    expect((await rig().auth.groups.list()).map(({ name }) => name)).toContain('customers');
  });

  it('refers to stages and flows by value', async () => {
    await rig().auth.users.create({ username: 'linus', password: 'correct horse' });
    const visitor = rig().visitor();
    const shown = await visitor.open('sign-in');
    expect(shown).toMatchObject({ password_fields: true, enroll_url: '/if/flow/sign-up/' });
    await visitor.answer({ uid_field: 'linus', password: 'correct horse' });
    visitor.expectEnd();
  });
});

describe('a flow in code, from start to start', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  const opened: Rig[] = [];
  beforeAll(async () => {
    database = await emptyDatabase('sqlite');
  });
  afterAll(async () => {
    for (const rig of opened) await rig.auth.close();
    await database.remove();
  });
  const start = async (flows: readonly TypedFlow[]): Promise<Rig> => {
    const rig = await createRig({ database: database.database, flows });
    opened.push(rig);
    return rig;
  };
  const step = (name: string) => dummy({ name });
  const edition = (...stages: ReturnType<typeof dummy>[]) =>
    defineFlow({ slug: 'steps', designation: 'authorization', stages });
  const walk = async (rig: Rig): Promise<readonly unknown[]> => {
    const visitor = rig.visitor();
    const seen: unknown[] = [];
    await visitor.open('steps');
    while (visitor.challenge.component === 'ak-stage-dummy') {
      seen.push(visitor.challenge.name);
      await visitor.answer();
    }
    return seen;
  };

  it('makes the same at every start, and what the code says now where it changed', async () => {
    const [a, b, c] = [step('a'), step('b'), step('c')];
    expect(await walk(await start([edition(a, b)]))).toEqual(['a', 'b']);
    expect(await walk(await start([edition(a, b)]))).toEqual(['a', 'b']);
    // Stages that are moved, put in between or taken out, under names of their own.
    expect(await walk(await start([edition(c, b, a)]))).toEqual(['c', 'b', 'a']);
    expect(await walk(await start([edition(b)]))).toEqual(['b']);
    // A flow that is taken out of the code stays.
    expect(await walk(await start([]))).toEqual(['b']);
  });

  it('leaves what an administrator changed until the code changes', async () => {
    const first = await start([edition(step('a'))]);
    await first.auth.flows.apply(`entries:
  - {model: authentik_stages_dummy.dummystage, id: more, identifiers: {name: more}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !Find [authentik_flows.flow, [slug, steps]], stage: !KeyOf more, order: 90}}`);
    expect(await walk(await start([edition(step('a'))]))).toEqual(['a', 'more']);
    expect(await walk(await start([edition(step('z'))]))).toEqual(['z']);
    await first.auth.flows.apply('entries: [{model: authentik_flows.flow, state: absent, identifiers: {slug: steps}}]');
    expect(await walk(await start([edition(step('z'))]))).toEqual(['z']);
  });

  it('a run under way never meets another function than the one it began with', async () => {
    const changing = (third: () => boolean) =>
      defineFlow({
        slug: 'changing',
        designation: 'authorization',
        stages: [dummy(), dummy(), dummy({ when: third })],
      });
    const old = await start([changing(() => true)]);
    const underWay = async (): Promise<Visitor> => {
      const visitor = old.visitor();
      await visitor.open('changing');
      await visitor.answer();
      return visitor;
    };
    const [stays, moves] = [await underWay(), await underWay()];
    const deployed = (await start([changing(() => 1 + 1 === 2)])).visitor();
    for (const [name, value] of moves.cookies) deployed.cookies.set(name, value);
    await deployed.open('changing');
    await deployed.answer();
    deployed.expectDenied();
    // The node with the old code goes on with the old version.
    await stays.answer();
    stays.expectAsk('ak-stage-dummy');
    await stays.answer();
    stays.expectEnd();
  });

  it('takes the place of a flow that stands there, a shipped one too, and keeps it', async () => {
    const slug = 'default-enrollment-flow';
    const own = defineFlow({ slug, designation: 'enrollment', stages: [dummy({ name: 'own' })] });
    for (const rig of [await start([own]), await start([own]), await start([])]) {
      const visitor = rig.visitor();
      expect(await visitor.open(slug)).toMatchObject({ component: 'ak-stage-dummy', name: 'own' });
      await visitor.answer();
      visitor.expectEnd();
    }
  });

  it('two stages of one name, and a flow that does not exist, are refused with their place', async () => {
    const refused = async (flow: TypedFlow): Promise<string> => {
      try {
        await start([flow]);
      } catch (error) {
        if (isDoorwardError(error)) return error.detail;
      }
      throw new Error('it was not refused');
    };
    expect(await refused(edition(step('a'), step('a')))).toBe('flow steps: two stages are called "a"');
    const lost = defineFlow({ slug: 'lost', designation: 'authorization', stages: [redirect({ flow: 'nowhere' })] });
    expect(await refused(lost)).toBe('flow lost, stage 1: there is no flow with the slug "nowhere"');
  });

  it('functions that another process lacks deny (CVE-2024-47070)', async () => {
    const guarded = (passes: boolean) =>
      defineFlow({
        ...{ slug: 'guarded', designation: 'authorization' },
        stages: [dummy({ when: passes ? () => true : () => false })],
      });
    const here = await start([guarded(true)]);
    const visitor = here.visitor();
    await visitor.open('guarded');
    visitor.expectAsk('ak-stage-dummy');
    const elsewhere = (await start([])).visitor();
    await elsewhere.open('guarded');
    elsewhere.expectDenied();
    // Other code in its place: a new version, which its process can run.
    const after = (await start([guarded(false)])).visitor();
    await after.open('guarded');
    after.expectEnd();
  });
});

it.each(['sqlite', 'postgres'] as const)(
  'nodes that start together make a flow in code once, on %s',
  async (dialect) => {
    const { database, remove } = await emptyDatabase(dialect);
    const rigs = await Promise.all([1, 2, 3].map(() => createRig({ database, flows: [signIn, signUp] })));
    try {
      const [first] = rigs;
      expect(await first?.auth.flows.versions('sign-up')).toHaveLength(1);
      expect((await first?.auth.groups.list())?.filter(({ name }) => name === 'customers')).toHaveLength(1);
    } finally {
      await Promise.all(rigs.map((rig) => rig.auth.close()));
      await remove();
    }
  },
);

describe('conditions', () => {
  let rig: Rig | null = null;
  const early = definePolicy({
    ...{ kind: 'early', model: 'tests.early', component: 'ak-policy-own-early', description: 'Passes when told.' },
    config: z.object({ passes: z.boolean() }),
    evaluate: async ({ config }) => ({ passing: config.passes, messages: ['the early bird'] }),
  });
  const base = { designation: 'authorization' } as const;
  const flows = [
    defineFlow({ ...base, slug: 'own-policy', stages: [dummy({ when: policy(early, { passes: false }) }), deny()] }),
    defineFlow({ ...base, slug: 'both', when: [() => true, not(policy(early, { passes: true }))], stages: [] }),
    defineFlow({ ...base, slug: 'staff-only', when: inGroup('staff'), deniedAction: 'message', stages: [dummy()] }),
    defineFlow({
      ...{ ...base, slug: 'thrown' },
      stages: [
        dummy({
          when: () => {
            throw new Error('the other side is away');
          },
        }),
      ],
    }),
    defineFlow({
      ...{ ...base, slug: 'patched' },
      stages: [
        dummy({ when: () => ({ passing: false, contextPatch: { deny_message: 'said by a function' } }) }),
        deny(),
      ],
    }),
    signUp,
  ];
  beforeAll(async () => {
    rig = await createRig({ flows });
  });
  afterAll(() => rig?.close());

  it.each([
    ['own-policy', undefined],
    ['both', undefined],
    ['staff-only', undefined],
    ['thrown', undefined],
    ['patched', 'said by a function'],
  ])('%s', async (slug, message) => {
    const visitor = given(rig).visitor();
    await visitor.open(slug);
    visitor.expectDenied(message);
  });

  it('hold for whom they are about', async () => {
    const { auth } = given(rig);
    const user = await auth.users.create({ username: 'sally', password: 'correct horse', groups: ['staff'] });
    const visitor = given(rig).visitor();
    await visitor.open('default-authentication-flow');
    await visitor.answer({ uid_field: user.username });
    await visitor.answer({ password: 'correct horse' });
    await visitor.open('staff-only');
    visitor.expectAsk('ak-stage-dummy');
  });

  it('judge the answers of a prompt', async () => {
    const visitor = given(rig).visitor();
    await visitor.open('sign-up');
    await visitor.answer(answers('root'));
    expect(JSON.stringify(visitor.challenge.response_errors)).toContain('root is taken');
    await visitor.answer(answers('mary'));
    visitor.expectEnd();
  });
});

it('the attributes that flows ask for are typed where an application reads users', async () => {
  const { database, remove } = await emptyDatabase('sqlite');
  const auth = await createDoorward({
    ...{ database, secretKey: 'the secret key of a test which is no secret', publicUrl: 'http://localhost:9000' },
    ...{ hasher: openHasher, flows: [signUp] },
  });
  try {
    await auth.users.create({ username: 'ada', attributes: { company: 'ACME', more: 1 } });
    const ada = given(await auth.users.get({ username: 'ada' }));
    const company: string | undefined = ada.attributes.company;
    // An application that takes any Doorward takes this one.
    const plain: Doorward = auth;
    expect(plain).toBe(auth);
    // @ts-expect-error the flows ask for a text
    const wrong: number | undefined = ada.attributes.company;
    // What others wrote is there too, and may be anything.
    expect([company, wrong, ada.attributes.more]).toEqual(['ACME', 'ACME', 1]);
    const session = await auth.session(new Request('http://localhost:9000/'));
    const signedInCompany: string | undefined = session?.user.attributes.company;
    expect(signedInCompany).toBeUndefined();
    const [listed] = (await auth.users.list({ search: 'ada' })).users;
    expect(listed?.attributes.company satisfies string | undefined).toBe('ACME');
  } finally {
    await auth.close();
    await remove();
  }
});
