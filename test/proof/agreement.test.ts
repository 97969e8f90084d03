import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planBlueprints } from '../../src/blueprints/plan.ts';
import type { FindingCode } from '../../src/blueprints/proof/codes.ts';
import type { Finding, PolicyWord, Walker } from '../../src/blueprints/proof/finding.ts';
import { proveFlows } from '../../src/blueprints/proof/prove.ts';
import type { CompiledFlow } from '../../src/engine/flow.ts';
import { policies } from '../../src/policies/index.ts';
import { stages } from '../../src/stages/index.ts';
import { Attack, groupName, type Harm, hasLink, type Plan, planOf } from '../support/attacker.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { Dice, type RandomCase, RandomFlows, sharedBlueprint } from '../support/random-flows.ts';

const seed = 20_240_901;
const cases = 200;
const attacksOnEach = 10;

const harmOf: Readonly<Partial<Record<FindingCode, keyof Harm>>> = {
  sign_in_without_proof: 'signedIn',
  write_without_proof: 'written',
  password_without_proof: 'password',
};

describe('the proof agrees with the engine about flows that chance made', () => {
  const attack = new Attack();
  const memory = '/dev/shm';
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'doorward-proof-'));
  const generator = new RandomFlows(seed);
  const given = Array.from({ length: cases }, (_, index) => generator.case(index));
  let compiled: readonly CompiledFlow[] = [];
  let findings: readonly Finding[] = [];

  beforeAll(async () => {
    await attack.open(join(folder, 'test.sqlite'));
    await attack.rig.auth.groups.create({ name: groupName });
    const names = given.flatMap((one) => one.policies);
    const files = given.flatMap(({ flows }) => flows.map(flowYaml));
    await attack.rig.auth.flows.apply([{ name: 'shared.yaml', text: sharedBlueprint(names) }, ...files]);
    const installed = { stages, policies: [...policies, attack.sayings.policy] };
    const { definitions, read } = attack.store;
    ({ compiled } = await planBlueprints({ ...installed, files: [], definitions, read }));
    findings = proveFlows({ flows: compiled, installed });
  });
  afterAll(async () => {
    await attack.close();
    rmSync(folder, { recursive: true });
  });

  /** What the proof says can happen to who never did anything in the flows of a case. */
  function verdictOf({ flows }: RandomCase): ReadonlyMap<keyof Harm, Finding> {
    const slugs = flows.map(({ slug }) => slug);
    const about = findings.filter(({ flow, code }) => slugs.includes(flow) && harmOf[code] !== undefined);
    return new Map(about.map((finding) => [harmOf[finding.code] as keyof Harm, finding]));
  }

  it('what it says can happen does happen, on the very path that it shows', { timeout: 300_000 }, async () => {
    let shown = 0;
    let twofold = 0;
    const refuted: object[] = [];
    for (const one of given)
      for (const [harm, finding] of verdictOf(one)) {
        const plan = planOf(finding, compiled);
        if (plan === null) {
          twofold += 1;
          continue;
        }
        shown += 1;
        const happened = await attack.carryOut(plan);
        if (!happened[harm]) refuted.push({ harm, plan, path: wordsOf(finding) });
      }
    expect(refuted).toEqual([]);
    expect(shown).toBeGreaterThan(50);
    expect(twofold).toBeLessThan(shown / 10);
  });

  it('what it does not say cannot be brought about', { timeout: 300_000 }, async () => {
    const dice = new Dice(seed);
    let safe = 0;
    for (const one of given) {
      const verdict = verdictOf(one);
      if (verdict.size === 0) safe += 1;
      for (const plan of attacks(one, compiled, dice)) {
        const harm = await attack.carryOut(plan);
        for (const kind of ['signedIn', 'written', 'password'] as const)
          if (!verdict.has(kind) && !(kind === 'written' && verdict.has('password')))
            expect([plan, kind, harm[kind]]).toEqual([plan, kind, false]);
      }
    }
    expect(safe).toBeGreaterThan(50);
  });
});

function wordsOf({ path }: Finding): readonly string[] {
  return path.map(({ flow, stage, kind, what, why }) => `${stage ?? flow} (${kind}) ${what}: ${why}`);
}

/** Ways to attack: what policies say (all of it where they are few), whom to name, what to answer wrong. */
function attacks(
  { flows, policies: names }: RandomCase,
  compiled: readonly CompiledFlow[],
  dice: Dice,
): readonly Plan[] {
  const words: readonly PolicyWord[] = ['pass', 'fail', 'error'];
  const every = 3 ** names.length;
  return Array.from({ length: attacksOnEach }, (_, index): Plan => {
    const number = every <= attacksOnEach / 2 ? index % every : dice.below(every);
    const said = names.map((name, place) => [name, words[Math.floor(number / 3 ** place) % 3] ?? 'pass'] as const);
    const visitor: Walker = index < attacksOnEach / 2 ? 'anonymous' : 'signed_in';
    const own = dice.below(3);
    const flow = dice.pick(flows).slug;
    return {
      ...{ flow, visitor, words: new Map(said), hasLink: hasLink(flow, compiled) },
      names: [...Array.from({ length: own }, () => 'own' as const), 'victim'],
      members: (['victim', 'own'] as const).filter(() => dice.chance(0.5)),
      wrong: new Set(dice.chance(0.3) ? [dice.below(4)] : []),
    };
  });
}
