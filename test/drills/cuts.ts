import { randomBytes } from 'node:crypto';
import type { WireChallenge } from '../../src/protocol/challenge.ts';
import { createRig, type Rig, type Visitor } from '../../src/testing/rig.ts';
import { openReceiver } from './cluster.ts';
import { CommitCutter, type CutKind } from './commit-cutter.ts';
import { blueprints, shortSignUpFlow, signUpAnswers, signUpFlow } from './flows.ts';
import { inspect } from './ledger.ts';
import { asked, endingOf } from './visitor.ts';

export interface CutOrder {
  /** `statement`: the commit is one statement. `transaction`: an application's hook makes it one of many. */
  readonly commit: 'statement' | 'transaction';
  /** `insert`: the run's first step is its last. `update`: it has a row already. */
  readonly run: 'insert' | 'update';
  readonly kind: CutKind;
  /** Every n-th message has its turn. */
  readonly stride?: number;
}

/** What cutting did. */
export interface Cut {
  readonly writes: number;
  readonly cuts: number;
  /** Messages of one whole commit. */
  readonly messages: number;
  /** Answered as if nothing had been: the server found out by itself. */
  readonly unnoticed: number;
  /** Answered 503, and the same step was sent again. */
  readonly sentAgain: number;
  readonly findings: readonly string[];
}

/** More than there are connections. */
const mostTries = 30;

/** A Doorward in this process whose connections to PostgreSQL can be cut. */
export class CutRig {
  readonly #rigs: Readonly<Record<CutOrder['commit'], Rig>>;
  readonly #database: string;
  readonly #cutter: CommitCutter;
  readonly #stopReceiver: () => Promise<void>;
  #visitors = 0;

  private constructor(
    rigs: Readonly<Record<CutOrder['commit'], Rig>>,
    database: string,
    cutter: CommitCutter,
    stopReceiver: () => Promise<void>,
  ) {
    this.#rigs = rigs;
    this.#database = database;
    this.#cutter = cutter;
    this.#stopReceiver = stopReceiver;
  }

  static async open(database: string): Promise<CutRig> {
    const [{ cutter, url }, receiver] = [await CommitCutter.before(database), await openReceiver()];
    const webhooks = [{ url: receiver.url, secret: `whsec_${randomBytes(32).toString('base64')}` }];
    const options = { database: { postgres: url }, blueprints, webhooks, rateLimits: false };
    const statement = await createRig(options);
    const transaction = await createRig({
      ...options,
      hooks: { userWrite: async ({ tx }) => void (await tx.query('SELECT 1')) },
    });
    return new CutRig({ statement, transaction }, database, cutter, receiver.close);
  }

  async close(): Promise<void> {
    for (const rig of Object.values(this.#rigs)) await rig.close();
    await this.#cutter.close();
    await this.#stopReceiver();
  }

  /** People sign up one after the other, and each one's commit is cut one message later, until there are no more. */
  async sweep({ commit, run, kind, stride = 1 }: CutOrder): Promise<Cut> {
    const findings: string[] = [];
    let [cuts, writes, unnoticed, sentAgain, at] = [0, 0, 0, 0, 0];
    for (let wasCut = true; wasCut; at += stride) {
      this.#visitors += 1;
      const name = `cut-${this.#visitors}`;
      const visitor = this.#rigs[commit].visitor();
      await comeToLastStep(visitor, run, name);
      this.#cutter.arm(at, kind);
      const { step, challenge } = visitor;
      const body = { component: challenge.component, ...asked(challenge, signUpAnswers(name)) };
      const first = await visitor.post(body, step);
      wasCut = this.#cutter.disarm();
      let last = first;
      // Each time may be the one that finds out about another connection that is gone.
      for (let tries = 0; last.status === 503 && tries < mostTries; tries += 1) last = await visitor.post(body, step);
      const ending = last.status === 200 ? endingOf((await last.json()) as WireChallenge) : `status ${last.status}`;
      writes += 1;
      cuts += Number(wasCut);
      if (wasCut && first.status === 200) unnoticed += 1;
      if (first.status === 503) sentAgain += 1;
      const where = `${commit}, ${run}, ${kind} cut at message ${at}`;
      if (ending !== 'done') findings.push(`${where}: ${name} came to ${String(ending)}`);
      else if ((await visitor.whoAmI()) !== name) findings.push(`${where}: ${name} is not signed in`);
      const books = await inspect({ postgres: this.#database }, [name]);
      findings.push(...books.findings.map((finding) => `${where}: ${finding}`));
      if (books.users !== this.#visitors)
        findings.push(`${where}: ${this.#visitors} visitors made ${books.users} users`);
    }
    return { writes, cuts, messages: at - stride, unnoticed, sentAgain, findings };
  }
}

async function comeToLastStep(visitor: Visitor, run: CutOrder['run'], name: string): Promise<void> {
  await visitor.open(run === 'update' ? signUpFlow : shortSignUpFlow);
  if (run === 'update') await visitor.answer(asked(visitor.challenge, signUpAnswers(name)));
}
