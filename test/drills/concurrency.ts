import type { DatabaseOption } from '../../src/app/options.ts';
import type { Cluster } from './cluster.ts';
import { attributeKey, profileFlow, profileSize, signUpAnswers, signUpFlow } from './flows.ts';
import { ask, inspect } from './ledger.ts';
import { asked, type Door, DrillVisitor, type Ending, endingOf, inParallel, newTally, type Tally } from './visitor.ts';

/** What a drill did and found. */
export interface Drilled {
  /** Users written. */
  readonly writes: number;
  readonly tally: Tally;
  /** How the ways of visitors ended. */
  readonly endings: Readonly<Partial<Record<Ending, number>>>;
  /** What does not hold, in words; empty when all is well. */
  readonly findings: readonly string[];
}

export interface Place {
  readonly cluster: Cluster;
  readonly database: DatabaseOption;
}

const signInFlow = 'default-authentication-flow';

/** Visitors who come to the last step, and then all want the same username at once: one gets it (W32). */
export async function sameName({ cluster, database }: Place, visitors: number): Promise<Drilled> {
  const tally = newTally();
  const before = (await inspect(database, [])).users;
  const crowd = Array.from({ length: visitors }, () => new DrillVisitor(cluster, tally));
  const wanted = 'wanted-by-all';
  const findings: string[] = [];
  await inParallel(crowd, 64, async (visitor) => {
    await visitor.open(signUpFlow);
    await visitor.answer(asked(visitor.challenge, signUpAnswers(wanted)));
  });
  const endings = await Promise.all(crowd.map((visitor, at) => visitor.walk(signUpAnswers(wanted, `contact-${at}`))));
  const counted = countOf(endings);
  if (counted.done !== 1 || counted.taken !== visitors - 1)
    findings.push(`${visitors} visitors wanted one username: ${JSON.stringify(counted)}`);
  // Each of the others chooses another one and comes to the end.
  await inParallel(crowd, 64, async (visitor, at) => {
    if (endings[at] !== 'taken') return;
    const answers = signUpAnswers(`other-${at}`);
    await visitor.answer(asked(visitor.challenge, answers));
    const ending = await visitor.walk(answers);
    if (ending !== 'done') findings.push(`the visitor ${at} chose another username and came to ${ending}`);
  });
  const names = endings.map((ending, at) => (ending === 'done' ? wanted : `other-${at}`));
  const books = await inspect(database, names);
  if (books.users - before !== visitors) findings.push(`${visitors} visitors made ${books.users - before} users`);
  return {
    writes: visitors,
    tally,
    endings: counted,
    findings: [...findings, ...books.findings, ...crashes(tally, [429])],
  };
}

/** Visitors who send each of their steps twice at once, to different servers where there are several (W34). */
export async function doubleSubmits({ cluster, database }: Place, visitors: number): Promise<Drilled> {
  const tally = newTally();
  const before = (await inspect(database, [])).users;
  const findings: string[] = [];
  const endings: Ending[] = [];
  const walkTwice = async (name: string): Promise<void> => {
    const visitor = new DrillVisitor(cluster, tally);
    await visitor.open(signUpFlow);
    for (let steps = 0; endingOf(visitor.challenge) === null && steps < 6; steps += 1) {
      const body = asked(visitor.challenge, signUpAnswers(name));
      const [one, other] = await Promise.all([visitor.send(body), visitor.send(body)]);
      if (one.challenge.component !== other.challenge.component)
        findings.push(`${name}: one answer got ${one.challenge.component}, its twin ${other.challenge.component}`);
      // A browser keeps what came last.
      visitor.take(one);
      visitor.take(other);
    }
    endings.push(endingOf(visitor.challenge) ?? 'nowhere');
    if ((await visitor.whoAmI()) !== name) findings.push(`${name} is not signed in`);
  };
  await Promise.all(Array.from({ length: visitors }, (_, at) => walkTwice(`double-${at}`)));
  const names = Array.from({ length: visitors }, (_, at) => `double-${at}`);
  const books = await inspect(database, names);
  if (books.users - before !== visitors) findings.push(`${visitors} visitors made ${books.users - before} users`);
  return {
    ...{ writes: visitors, tally, endings: countOf(endings) },
    findings: [...findings, ...books.findings, ...crashes(tally, [429])],
  };
}

/**
 * One user in many browsers, each of which changes another part of the profile at once, and two of them the same part:
 * every change stays but the one that lost, and who lost is told (W31).
 */
export async function edits({ cluster, database }: Place, editors: number): Promise<Drilled> {
  if (editors >= profileSize) throw new Error(`the profile has ${profileSize} parts`);
  const tally = newTally();
  const name = 'edited-by-all';
  const findings: string[] = [];
  await signedUp(cluster, tally, name);
  // The last two want the same part.
  const crowd = await Promise.all(Array.from({ length: editors + 1 }, () => signedIn(cluster, tally, name)));
  const wishes = crowd.map((_, at) => ({ [attributeKey(Math.min(at, editors - 1))]: `by ${at}` }));
  await Promise.all(crowd.map((editor) => editor.open(profileFlow)));
  const endings = await Promise.all(crowd.map((editor, at) => editor.walk(wishes[at] ?? {})));
  const [row] = await ask(database, 'SELECT attributes FROM doorward_user WHERE username = $1', [name]);
  const attributes = JSON.parse(String(row?.attributes)) as Record<string, unknown>;
  const contested = endings.slice(-2);
  if (contested.toSorted().join() !== 'conflict,done')
    findings.push(`two changed the same field at once, and came to ${contested.join(' and ')}`);
  for (const [at, ending] of endings.entries()) {
    const stored = attributes[attributeKey(Math.min(at, editors - 1)).slice('attributes.'.length)];
    if (ending === 'done' && stored !== `by ${at}`) findings.push(`the change by ${at} is lost: ${String(stored)}`);
    if (ending !== 'done' && at < editors - 1) findings.push(`the change by ${at} conflicted with none: ${ending}`);
  }
  const [events] = await ask(
    database,
    `SELECT count(*) AS n FROM doorward_event e JOIN doorward_user u ON u.id = e.user_id
     WHERE u.username = $1 AND e.action = 'user_write'`,
    [name],
  );
  // The sign-up, and each change that was made.
  if (Number(events?.n) !== editors + 1) findings.push(`${editors} changes left ${Number(events?.n) - 1} events`);
  return { writes: editors + 1, tally, endings: countOf(endings), findings: [...findings, ...crashes(tally, [429])] };
}

async function signedUp(door: Door, tally: Tally, name: string): Promise<void> {
  const visitor = new DrillVisitor(door, tally);
  await visitor.open(signUpFlow);
  const ending = await visitor.walk(signUpAnswers(name));
  if (ending !== 'done') throw new Error(`${name} signed up and came to ${ending}`);
}

async function signedIn(door: Door, tally: Tally, name: string): Promise<DrillVisitor> {
  const visitor = new DrillVisitor(door, tally);
  await visitor.open(signInFlow);
  await visitor.answer({ uid_field: name });
  if (visitor.challenge.component === 'ak-stage-password') await visitor.answer({ password: `password of ${name}` });
  if (endingOf(visitor.challenge) !== 'done') throw new Error(`${name} cannot sign in`);
  return visitor;
}

/** Any answer but 200 and what is `allowed` is a finding: 429 under load, 503 where servers or databases go away. */
export function crashes({ refused }: Tally, allowed: readonly number[]): readonly string[] {
  return Object.entries(refused)
    .filter(([status]) => !allowed.includes(Number(status)))
    .map(([status, count]) => `status ${status}: ${count} times`);
}

export function countOf(endings: readonly Ending[]): Partial<Record<Ending, number>> {
  const counted: Partial<Record<Ending, number>> = {};
  for (const ending of endings) counted[ending] = (counted[ending] ?? 0) + 1;
  return counted;
}
