import type { CompiledBinding, CompiledFlow } from '../../engine/flow.ts';
import type { Place } from '../place.ts';
import { codes, type FindingCode, type Severity, severities } from './codes.ts';

/** Something that can happen in a flow, and the path on which it does. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Slug. */
  readonly flow: string;
  /** Name of the stage where it happens; null where it is about the whole flow. */
  readonly stage: string | null;
  /** What can happen. */
  readonly message: string;
  /** What to change. */
  readonly change: string;
  /** Of the stage's binding, else of the stage, else of the flow; null where no file of this check declares them. */
  readonly place: Place | null;
  /** Who walks the path; null where the finding needs none. */
  readonly visitor: Walker | null;
  readonly path: readonly PathStep[];
}

export type Walker = 'anonymous' | 'signed_in';

/** What a policy binding says on a path. */
export type PolicyWord = 'pass' | 'fail' | 'error';

/** One binding on a path, or the beginning of a flow. */
export interface PathStep {
  readonly flow: string;
  /** Name of the stage; null for the beginning of a flow. */
  readonly stage: string | null;
  readonly kind: string | null;
  readonly order: number | null;
  readonly what: 'begins' | 'visited' | 'skipped';
  /** In words. */
  readonly why: string;
  readonly place: Place | null;
  /** By pk of the policy binding: what it must say for the path to be taken. */
  readonly policies: Readonly<Record<string, PolicyWord>>;
}

/** A step of a path as it is walked: each knows the one before it. */
export interface WalkedStep {
  readonly flow: CompiledFlow;
  readonly binding: CompiledBinding | null;
  readonly what: PathStep['what'];
  readonly why: string;
  readonly policies: Readonly<Record<string, PolicyWord>>;
  /** It skips a stage that would have asked for a proof. */
  readonly spares: boolean;
  readonly before: WalkedStep | null;
}

/** Where a finding is about: a flow, or a binding of it. */
export interface Spot {
  readonly flow: CompiledFlow;
  readonly binding: CompiledBinding | null;
}

export interface Said {
  readonly message: string;
  readonly change: string;
  /** Tells findings of one code at one place apart: a key, a policy. */
  readonly subject?: string;
  readonly severity?: Severity;
  readonly visitor?: Walker;
  readonly path?: WalkedStep | null;
  /** The path needs a policy that says one thing first and another later. */
  readonly unlikely?: boolean;
}

const changedMind = ' It takes a policy that answers differently when it is asked again on the same way.';

/** Gathers findings: of one code at one place the likeliest and shortest path alone is kept. */
export class Findings {
  readonly #found = new Map<string, { readonly finding: Finding; readonly unlikely: boolean; readonly rank: string }>();
  readonly #places: ReadonlyMap<string, Place>;

  constructor(places: ReadonlyMap<string, Place>) {
    this.#places = places;
  }

  add(code: FindingCode, spot: Spot, said: Said): void {
    const { flow, binding } = spot;
    const key = [code, flow.pk, binding?.pk ?? '', said.subject ?? ''].join('\n');
    const known = this.#found.get(key);
    const unlikely = said.unlikely === true;
    if (known !== undefined && (unlikely || !known.unlikely)) return;
    const declared = said.severity ?? codes[code].severity;
    const finding: Finding = {
      code,
      severity: unlikely && declared === 'error' ? 'warning' : declared,
      ...{ flow: flow.slug, stage: binding?.stage.name ?? null },
      ...{ message: unlikely ? said.message + changedMind : said.message, change: said.change },
      place: this.#placeOf(spot),
      ...{ visitor: said.visitor ?? null, path: this.#path(said.path ?? null) },
    };
    const order = String(binding === null ? 0 : flow.bindings.indexOf(binding) + 1).padStart(4, '0');
    this.#found.set(key, { finding, unlikely, rank: order });
  }

  /** The severest first, then by flow and place in it. */
  all(): readonly Finding[] {
    const rank = ({ finding, rank: order }: { finding: Finding; rank: string }): string =>
      [severities.indexOf(finding.severity), finding.flow, order, finding.code].join('\n');
    return [...this.#found.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(({ finding }) => finding);
  }

  #path(last: WalkedStep | null): readonly PathStep[] {
    const steps: PathStep[] = [];
    for (let step = last; step !== null; step = step.before) {
      const { flow, binding, what, why, policies } = step;
      const stage = binding?.stage;
      steps.unshift({
        ...{ flow: flow.slug, stage: stage?.name ?? null, kind: stage?.kind ?? null, order: binding?.order ?? null },
        ...{ what, why, place: this.#placeOf(step), policies },
      });
    }
    return steps;
  }

  #placeOf({ flow, binding }: Spot): Place | null {
    const pks = binding === null ? [flow.pk] : [binding.pk, binding.stage.pk, flow.pk];
    return pks.map((pk) => this.#places.get(pk)).find((place) => place !== undefined) ?? null;
  }
}
