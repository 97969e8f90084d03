import { setTimeout as sleep } from 'node:timers/promises';
import { countOf, crashes, type Drilled, type Place } from './concurrency.ts';
import { signUpAnswers, signUpFlow } from './flows.ts';
import { inspect } from './ledger.ts';
import { DrillVisitor, type Ending, inParallel, newTally } from './visitor.ts';

export interface KillOrder {
  readonly writes: number;
  /** So many sign up at the same time. */
  readonly visitors: number;
  /** A server is killed after so many answers, on average. */
  readonly every: number;
  /** Called now and then with what was done so far. */
  readonly progress?: (writes: number, kills: number, findings: number) => void;
}

/**
 * People sign up without pause while servers are killed at random moments and come back. After each kill the books are
 * looked through; in the end every visitor must have got through, as one user each.
 */
export async function kills(place: Place, order: KillOrder): Promise<Drilled & { readonly kills: number }> {
  const { cluster, database } = place;
  const tally = newTally();
  const findings = new Set<string>();
  const endings: Ending[] = [];
  const acknowledged: string[] = [];
  const before = (await inspect(database, [])).users;
  let [killed, checked, finished] = [0, 0, false];
  const check = async (): Promise<void> => {
    const recent = acknowledged.slice(checked);
    for (const finding of (await inspect(database, recent)).findings) findings.add(`after kill ${killed}: ${finding}`);
    checked += recent.length;
    order.progress?.(acknowledged.length, killed, findings.size);
  };
  const killing = (async () => {
    while (!finished) {
      const next = tally.answers + Math.ceil(Math.random() * 2 * order.every);
      while (tally.answers < next && !finished) await sleep(Math.random() * 8);
      if (finished) return;
      await cluster.kill();
      killed += 1;
      // The books as the crash left them, and as a server opened them; each is sometimes the first to do so.
      if (killed % 2 === 0) await check();
      await cluster.revive();
      await check();
    }
  })();
  const names = Array.from({ length: order.writes }, (_, at) => `survivor-${at}`);
  await inParallel(names, order.visitors, async (name, at) => {
    const visitor = new DrillVisitor(cluster, tally);
    await visitor.open(signUpFlow);
    const ending = await visitor.walk(signUpAnswers(name));
    endings.push(ending);
    if (ending === 'done') acknowledged.push(name);
    else findings.add(`${name} came to ${ending}: ${JSON.stringify(visitor.challenge).slice(0, 300)}`);
    if (ending === 'done' && at % 50 === 0 && (await visitor.whoAmI()) !== name)
      findings.add(`${name} is not signed in`);
  });
  finished = true;
  await killing;
  const books = await inspect(database, acknowledged);
  if (books.users - before !== order.writes)
    findings.add(`${order.writes} visitors made ${books.users - before} users`);
  return {
    ...{ writes: books.users - before, kills: killed, tally, endings: countOf(endings) },
    findings: [...findings, ...books.findings, ...crashes(tally, [429, 503])],
  };
}
