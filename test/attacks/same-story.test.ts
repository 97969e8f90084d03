import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedSite, shapeOf, signIn } from '../support/attacked-site.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { hiddenFields, type WebAnswer, type WebClient } from '../support/web-client.ts';
import { countedHasher, counting, type Work, watchDrivers } from '../support/work.ts';

/*
 * Who has an account is nobody's business (CVE-2023-39522): whatever stands behind an identifier, a stranger gets the same
 * answers byte for byte, by the same steps, and getting them costs the server the same: statements, passwords hashed or
 * compared, messages put into the outbox.
 */

/** What may stand behind an identifier. */
const states = {
  absent: async () => undefined,
  present: async (site, { username, ...who }) => void (await site.user(username, { ...who, ...verified })),
  'not verified': async (site, { username, ...who }) => void (await site.user(username, who)),
  // What strangers guess is this very password: to them it is as wrong as any.
  inactive: async (site, { username, ...who }) =>
    void (await site.user(username, { ...who, ...verified, password: guessed, isActive: false })),
  locked: async (site, who) => {
    await site.user(who.username, verified);
    await guessTooOften(site, who);
  },
  'absent, locked': guessTooOften,
  'inactive, locked': async (site, who) => {
    await site.user(who.username, { ...verified, isActive: false });
    await guessTooOften(site, who);
  },
  'without password': async (site, { username, email }) => void (await site.auth.users.create({ username, email })),
  'without address': async (site, who) => void (await site.user(who.username, { email: '' })),
  'address of two': async (site, who) => {
    await site.user(`${who.username}1`, { email: who.email, ...verified });
    await site.user(`${who.username}2`, { email: who.email });
  },
} satisfies Record<string, (site: AttackedSite, who: Somebody) => Promise<void>>;
type State = keyof typeof states;

interface Somebody {
  readonly username: string;
  readonly email: string;
}

type Fields = Readonly<Record<string, string>>;

/** One thing that can be tried with an identifier. */
interface Attempt {
  readonly flow: string;
  /** How the identifier is given. */
  readonly by: 'username' | 'email';
  /** What is answered, step by step; `own`: a username that is free. */
  readonly answers: (identifier: string, own: string) => readonly Fields[];
  readonly same: readonly State[];
  /** The query of the first page. */
  readonly query?: (site: AttackedSite, identifier: string) => Promise<string>;
  readonly signedIn?: true;
}

const verified = { emailVerified: true };
const guessed = 'a password that is guessed';
const guesses = (uid_field: string, times: number): readonly Fields[] => [
  { uid_field },
  ...Array.from({ length: times }, () => ({ password: guessed })),
];
const mailSteps = [{ code: '000000' }, { resend: '1' }, { code: '000000' }];
const recovering = (identifier: string) => [{ uid_field: identifier }, ...mailSteps];
const newcomer = (own: string, email: string): Fields => ({
  ...{ username: own, name: 'New', email, password: 'correct horse battery', password_repeat: 'correct horse battery' },
});
const anyAccount = ['absent', 'present', 'inactive', 'locked', 'without password'] as const;
const anyAddress = [...anyAccount, 'not verified', 'address of two'] as const;

const attempts: Readonly<Record<string, Attempt>> = {
  'sign-in by username, to the limit': {
    ...{ flow: signIn, by: 'username', answers: (identifier) => guesses(identifier, 7) },
    same: ['absent', 'present', 'inactive', 'without password', 'without address'],
  },
  'sign-in by address, to the limit': {
    ...{ flow: signIn, by: 'email', answers: (identifier) => guesses(identifier, 7) },
    same: ['absent', 'present', 'not verified', 'inactive', 'without password', 'address of two'],
  },
  'sign-in by a name that is locked': {
    ...{ flow: signIn, by: 'username', answers: (identifier) => guesses(identifier, 2) },
    same: ['absent, locked', 'locked', 'inactive, locked'],
  },
  'sign-in by the address of an account whose name is locked': {
    ...{ flow: signIn, by: 'email', answers: (identifier) => guesses(identifier, 2) },
    same: ['absent', 'present', 'locked', 'inactive, locked'],
  },
  'sign-in with name and password on one page': {
    ...{ flow: 'one-page', by: 'username', same: anyAccount.filter((state) => state !== 'locked') },
    answers: (uid_field) => Array.from({ length: 7 }, () => ({ uid_field, password: guessed })),
  },
  'sign-in by a link': {
    ...{ flow: 'sign-in-link', by: 'email', answers: recovering, same: anyAddress },
  },
  'recovery by username': {
    ...{ flow: 'default-recovery-flow', by: 'username', answers: recovering },
    same: [...anyAccount, 'without address'],
  },
  'recovery by address': { flow: 'default-recovery-flow', by: 'email', answers: recovering, same: anyAddress },
  'sign-up that proves the address first': {
    ...{ flow: 'enrollment-verify-first', by: 'email', same: anyAddress },
    answers: (email, own) => [newcomer(own, email), ...mailSteps],
  },
  'sign-up that activates by the proof': {
    ...{ flow: 'enrollment-email-verification', by: 'email', same: anyAddress },
    answers: (email, own) => [newcomer(own, email), ...mailSteps],
  },
  'sign-up that proves nothing': {
    ...{ flow: 'default-enrollment-flow', by: 'email', same: anyAddress },
    answers: (email, own) => [newcomer(own, email)],
  },
  'invitation in which the visitor says the address': {
    ...{ flow: 'join', by: 'email', same: anyAddress, query: (site) => invitation(site, {}) },
    answers: (email, own) => [newcomer(own, email), ...mailSteps],
  },
  'invitation that fixes the address': {
    ...{ flow: 'join', by: 'email', same: anyAddress, query: (site, email) => invitation(site, { email }) },
    answers: (email, own) => [newcomer(own, email), ...mailSteps],
  },
  'a new address in one’s settings': {
    ...{ flow: 'default-user-settings-flow', by: 'email', same: anyAddress, signedIn: true },
    answers: (email, own) => [{ username: own, name: '', email, 'attributes.settings.locale': '' }, ...mailSteps],
  },
};

const blueprints = [
  ...['sign-in-link', 'enrollment-verify-first', 'enrollment-email-verification'].map((name) => ({
    name,
    text: readFileSync(new URL(`../../examples/flows/${name}.yaml`, import.meta.url), 'utf8'),
  })),
  flowYaml({
    slug: 'join',
    stages: [
      { kind: 'authentik_stages_invitation.invitationstage' },
      {
        kind: 'prompt',
        fields: [
          { field_key: 'username', type: 'username' },
          { field_key: 'email', type: 'email', order: 2 },
        ],
      },
      { kind: 'email' },
      { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
      { kind: 'user_login' },
    ],
  }),
  {
    name: 'password on the page of the name',
    text: JSON.stringify({
      version: 1,
      entries: [
        { model: 'authentik_stages_password.passwordstage', identifiers: { name: 'with the name' }, attrs: {} },
      ],
    }),
  },
  flowYaml({
    slug: 'one-page',
    attrs: { designation: 'authentication' },
    stages: [
      {
        kind: 'identification',
        attrs: {
          user_fields: ['username', 'email'],
          password_stage: '!Find [authentik_stages_password.passwordstage, [name, with the name]]',
        },
      },
      { kind: 'user_login' },
    ],
  }),
];

describe.each(['sqlite', 'postgres'] as const)('the same story for everyone (CVE-2023-39522) on %s', (dialect) => {
  const site = new AttackedSite(dialect);
  let unwatch = (): void => undefined;
  let work: Work = { statements: [], hashes: 0 };
  beforeAll(async () => {
    unwatch = watchDrivers();
    await site.open({ blueprints, hasher: countedHasher }, (answer) => {
      // No two runs begin at the same time.
      site.clock.advance(1);
      return counting(work, answer);
    });
  });
  afterAll(async () => {
    unwatch();
    await site.close();
  });

  /** All that a stranger sees of an attempt, and all that it costs the server. */
  async function story(attempt: Attempt, state: State, as: 'program' | 'person') {
    const who = somebody();
    const own = somebody().username;
    // What others were counted for is over; the lock of a state that has one is not.
    site.clock.advance(600_000);
    await states[state](site, who);
    if (attempt.signedIn) await site.user(own);
    const browser = attempt.signedIn ? await site.signedIn(own) : site.browser();
    const identifier = who[attempt.by];
    const query = (await attempt.query?.(site, identifier)) ?? '';
    // Versions of flows are known from memory for a second.
    site.clock.advance(2_000);
    work = { statements: [], hashes: 0 };
    const answers = attempt.answers(identifier, own);
    const said = await (as === 'program' ? byProgram : byPerson)(browser, attempt.flow, query, answers);
    const { statements, hashes } = work;
    work = { statements: [], hashes: 0 };
    return {
      ...{ shown: said.map((answer) => shownIn(answer, [identifier, query, own])), bytes: said.map(bytesOf) },
      ...{ statements, hashes, messages: statements.join().split('doorward_outbox').length - 1 },
    };
  }

  it.each(Object.entries(attempts))('%s', async (_, attempt) => {
    for (const as of ['program', 'person'] as const) {
      // What is read once and kept in memory is there.
      await story(attempt, 'absent', as);
      // The page shows what the program is told, so a few of the states are enough for it.
      const [first = 'absent', ...others] = as === 'program' ? attempt.same : attempt.same.slice(0, 3);
      const expected = await story(attempt, first, as);
      expect(expected.statements.length).toBeGreaterThan(0);
      for (const state of others)
        expect({ state, as, ...(await story(attempt, state, as)) }).toEqual({ state, as, ...expected });
    }
  });
});

let made = 0;

/** Names and addresses that are all equally long. */
function somebody(): Somebody {
  made += 1;
  const username = `somebody-${String(made).padStart(4, '0')}`;
  return { username, email: `${username}@example.com` };
}

async function guessTooOften(site: AttackedSite, { username }: Somebody): Promise<void> {
  const browser = site.browser();
  await browser.open(signIn);
  await browser.answer({ uid_field: username });
  for (let guess = 0; guess < 5; guess += 1) await browser.answer({ password: 'wrong wrong' });
  expect(browser.challenge.component).toBe('ak-stage-access-denied');
}

async function invitation(site: AttackedSite, fixedData: Fields): Promise<string> {
  const { secret } = await site.auth.invitations.create({ name: 'story', flow: 'join', fixedData });
  return `itoken=${secret}`;
}

async function byProgram(browser: WebClient, flow: string, query: string, answers: readonly Fields[]) {
  const path = `/api/v3/flows/executor/${flow}/?query=${encodeURIComponent(query)}`;
  const told: WebAnswer[] = [];
  await browser.open(flow, query);
  for (const answer of answers) {
    told.push(await browser.post({ component: undefined, ...answer }));
    // The step that it shows is the one that the next answer is for.
    await browser.open(flow, query);
  }
  return [...told, await browser.request(path)];
}

async function byPerson(browser: WebClient, flow: string, query: string, answers: readonly Fields[]) {
  const path = `/if/flow/${flow}/${query === '' ? '' : `?${query}`}`;
  const told: WebAnswer[] = [];
  for (const answer of answers) {
    const page = await browser.request(path);
    told.push(page, await browser.submit(path, { ...hiddenFields(page.text), ...answer }));
  }
  return [...told, await browser.request(path)];
}

/** Without what the visitor has typed, and what is drawn anew each time. */
function shownIn(answer: WebAnswer, [identifier, ...others]: readonly [string, ...string[]]): string {
  const known = others.filter((part) => part !== '');
  const shape = known.reduce((left, part) => left.replaceAll(part, '…'), shapeOf(answer, identifier));
  return shape.replace(/challenge\\*(?:"|&quot;):\\*(?:"|&quot;)[\w-]{20,}/g, 'challenge');
}

/** Of the status, the headers and the body. */
function bytesOf({ status, headers, text }: WebAnswer): number {
  return Buffer.byteLength(`${status}${JSON.stringify(headers)}${text}`);
}
