import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { DatabaseOption } from '../../src/app/options.ts';
import { createDoorward } from '../../src/index.ts';
import { Cluster, publicUrl, secretKey } from './cluster.ts';
import { compare, type Equivalence } from './equivalence.ts';

/*
 * Whether the time of an answer tells who has an account. Visitors with a name that is there, one that is deactivated and
 * one that is nobody's take the same steps side by side, in random order, and each step is timed from its first byte to
 * the answer's last. Counters and mail are as in life: each visitor comes from an address of their own, and a mail server
 * takes the messages.
 */

/** One step of one flow, compared. */
export interface Timing extends Equivalence {
  readonly database: 'sqlite' | 'postgres';
  readonly step: string;
  /** What stands behind the name that is compared with nobody's. */
  readonly state: State;
  /** The server leaks on purpose, and that must be found. */
  readonly leak: Leak | null;
}

/** `no_decoy`: for nobody nothing is hashed. `slow_decoy`: that takes one millisecond more. */
export type Leak = 'no_decoy' | 'slow_decoy';

const states = ['absent', 'present', 'inactive'] as const;
type State = (typeof states)[number];

/** Rounds before those that count, at most. */
const mostWarmUp = 50;
/** Of so many rounds one name of each state serves two: none is locked, and no address has had its messages. */
const namesFor = (pairs: number): number => Math.ceil((pairs + mostWarmUp) / 2);

interface Walk {
  readonly flow: string;
  readonly steps: Readonly<Record<string, Step>>;
}

interface Step {
  readonly answer: (name: string) => Readonly<Record<string, string>>;
  /** What is shown then, in whose place nothing else may come: it would be other work. */
  readonly shows: string;
}

const password = 'ak-stage-password';
const email = 'ak-stage-email';

const walks: readonly Walk[] = [
  {
    flow: 'default-authentication-flow',
    steps: {
      'sign-in, name': { answer: (name) => ({ uid_field: name }), shows: password },
      'sign-in, wrong password': { answer: () => ({ password: 'a wrong password' }), shows: password },
    },
  },
  {
    flow: 'default-recovery-flow',
    steps: {
      'recovery, name': { answer: (name) => ({ uid_field: name }), shows: email },
      'recovery, wrong code': { answer: () => ({ code: '000000' }), shows: email },
    },
  },
  {
    flow: 'enrollment-verify-first',
    steps: {
      'sign-up, address': {
        answer: (name) => ({
          ...{ username: 'newcomer', name: 'New', email: `${name}@example.com` },
          ...{ password: 'correct horse battery', password_repeat: 'correct horse battery' },
        }),
        shows: email,
      },
      'sign-up, wrong code': { answer: () => ({ code: '000000' }), shows: email },
    },
  },
];

export interface TimingOrder {
  /** The folder that `scripts/drill.js` bundled to. */
  readonly built: string;
  readonly dialect: 'sqlite' | 'postgres';
  readonly database: DatabaseOption;
  readonly pairs: number;
  readonly leak: Leak | null;
  readonly say: (line: string) => void;
}

/** Every step of every flow, or what the leak is in. */
export async function timings(order: TimingOrder): Promise<readonly Timing[]> {
  const { built, database, dialect, leak } = order;
  const mail = spawn(process.execPath, [join(built, 'mail-sink.js')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ url: smtp }] = (await once(mail, 'message')) as [{ url: string }];
  const text = readFileSync('examples/flows/enrollment-verify-first.yaml', 'utf8');
  const blueprints = [{ name: 'enrollment-verify-first.yaml', text }];
  await seed(database, blueprints, namesFor(order.pairs));
  const cluster = await Cluster.start(built, database, {
    size: 1,
    hashing: true,
    asInLife: { smtp, blueprints, leak },
  });
  try {
    const server = new TimedServer(await cluster.address());
    const found: Timing[] = [];
    for (const walk of leak === null ? walks : walks.slice(0, 1)) {
      order.say(`  ${walk.flow}, ${order.pairs} rounds${leak === null ? '' : `, leaking on purpose: ${leak}`}`);
      for (const [step, times] of await rounds(server, walk, order.pairs))
        for (const state of states.slice(1))
          found.push({ database: dialect, step, state, leak, ...compare(times[state], times.absent) });
    }
    server.close();
    return leak === null ? found : found.filter(({ step, state }) => step.includes('password') && state === 'present');
  } finally {
    await cluster.stop();
    mail.disconnect();
  }
}

/** What does not hold, in words. */
export function timingFindings(all: readonly Timing[]): readonly string[] {
  const undecided = all.filter(({ verdict }) => verdict === 'undecided');
  const wrong = all.filter(({ leak, verdict }) => verdict === (leak === null ? 'differs' : 'same'));
  return [
    ...wrong.map(({ step, database, state, leak }) => {
      const what = `${step} on ${database}, ${state} against absent`;
      return leak === null ? `${what}: the time tells them apart` : `${what}: the leak ${leak} was not found`;
    }),
    ...(undecided.length === 0
      ? []
      : [`${undecided.length} undecided: more rounds (--pairs), or a quieter machine, would tell`]),
  ];
}

async function seed(
  database: DatabaseOption,
  blueprints: readonly { name: string; text: string }[],
  names: number,
): Promise<void> {
  const auth = await createDoorward({ database, secretKey, publicUrl, blueprints });
  for (let index = 0; index < names; index += 1)
    for (const state of ['present', 'inactive'] as const) {
      const username = nameOf(state, index);
      const about = { email: `${username}@example.com`, emailVerified: true, password: `password of ${username}` };
      await auth.users.create({ username, ...about, isActive: state === 'present' });
    }
  await auth.close();
}

/** All equally long. */
function nameOf(state: State, index: number): string {
  return `${state.padEnd(8, '-')}-${String(index).padStart(6, '0')}`;
}

/** The times of each step, by state; those with the same index were taken back to back. */
async function rounds(
  server: TimedServer,
  { flow, steps }: Walk,
  pairs: number,
): Promise<ReadonlyMap<string, Readonly<Record<State, number[]>>>> {
  const times = new Map(
    Object.keys(steps).map((step) => [
      step,
      { absent: [] as number[], present: [] as number[], inactive: [] as number[] },
    ]),
  );
  const warmUp = Math.min(mostWarmUp, pairs);
  for (let round = -warmUp; round < pairs; round += 1) {
    const index = (round + warmUp) % namesFor(pairs);
    const visitors = states.map((state) => ({ state, name: nameOf(state, index), at: server.visitor(flow) }));
    for (const { at } of visitors) await at.open();
    for (const [step, { answer, shows }] of Object.entries(steps))
      for (const { state, name, at } of shuffled(visitors)) {
        const ms = await at.answer(answer(name), shows);
        if (round >= 0) times.get(step)?.[state].push(ms);
      }
  }
  return times;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item);
}

/** One connection; nobody waits behind somebody else. */
class TimedServer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #address: string;
  #visitors = 0;

  constructor(address: string) {
    this.#address = address;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A new browser at an address of its own. */
  visitor(flow: string): { open(): Promise<number>; answer(body: object, shows: string): Promise<number> } {
    this.#visitors += 1;
    const n = this.#visitors;
    const client = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
    const path = `/api/v3/flows/executor/${flow}/?query=`;
    let cookie = '';
    const send = async (method: 'GET' | 'POST', body: string, shows = ''): Promise<number> => {
      const headers = {
        ...{ origin: publicUrl, 'x-forwarded-for': client, cookie, 'content-type': 'application/json' },
        'content-length': String(Buffer.byteLength(body)),
      };
      const { ms, cookies, text } = await this.#send(path, { method, headers }, body);
      if (!text.includes(`"component":"${shows}`)) throw new Error(`${flow} shows no ${shows}: ${text}`);
      if (cookies.length > 0) cookie = cookies.map((set) => set.split(';')[0]).join('; ');
      return ms;
    };
    return { open: () => send('GET', ''), answer: (body, shows) => send('POST', JSON.stringify(body), shows) };
  }

  #send(path: string, options: object, body: string): Promise<{ ms: number; text: string; cookies: string[] }> {
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const sending = request(new URL(path, this.#address), { ...options, agent: this.#agent }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (part: string) => {
          text += part;
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            ...{ ms: performance.now() - began, text },
            cookies: incoming.headers['set-cookie'] ?? [],
          }),
        );
      });
      sending.on('error', reject);
      sending.end(body);
    });
  }
}
