import type { Definition, DefinitionStore, DefinitionsChange } from '../engine/definition.ts';
import type { Expressions } from '../engine/expressions.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { Reads } from '../engine/ports.ts';
import { type JsonObject, sameJson } from '../kernel/json.ts';
import { carryOut, type Planning } from './carry-out.ts';
import { changesOf, type ObjectChange } from './changes.ts';
import { checkCode } from './code-check.ts';
import { compileFlows, contentOf, unmetNeeds } from './compile.ts';
import { oversizedFiles } from './file-sizes.ts';
import { type BlueprintFile, findFile, folderFile, givenFile, type KnownFile, shippedKnown } from './known-files.ts';
import { makeWay } from './making-way.ts';
import { flowModel, type Installed, modelTable } from './models.ts';
import { type Place, type Warning, wrong } from './place.ts';
import type { ProofMode } from './proof/codes.ts';
import type { Finding } from './proof/finding.ts';
import { shippedFiles } from './shipped-files.ts';
import { refuseUnsupported } from './unsupported.ts';
import { type Identifiers, type Tally, Workspace } from './workspace.ts';

/** How blueprints are applied. */
export interface ApplyOptions {
  /** Variables for `!Context`, over those of the file. */
  readonly context?: JsonObject;
  /** What `!Env` may read; nothing by default. A blueprint from a stranger must not see the server's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder below which `!File` may read; none by default. */
  readonly filesDir?: string;
  /** Leaves out, with a warning each, entries of models that do not exist here, and what cannot do without them. */
  readonly skipUnsupported?: boolean;
  /** Ends the open runs of flows that get a new version, instead of letting them finish on theirs. */
  readonly endRuns?: boolean;
  /** What the proof finds in flows that change: refused, told, or not looked for (the default). */
  readonly proof?: ProofMode;
  /** Codes of findings that are accepted. */
  readonly allow?: readonly string[];
}

export interface BlueprintInput extends Installed, ApplyOptions {
  /** Carried out in this order, as if they were one. */
  readonly files: readonly BlueprintFile[];
  readonly definitions: DefinitionStore;
  /** Groups and users that blueprints refer to. */
  readonly read: Reads;
  /** Hears what the proof finds in what is applied. */
  readonly found?: (findings: readonly Finding[]) => void;
  /** Our own origin: an address on it is no other site. */
  readonly origin?: string;
  /** Looks at the code of policies and prompts that are new or changed. */
  readonly expressions?: Expressions;
  /** Files of the watched folder, which `metaapplyblueprint` entries may name; what becomes of one is recorded. */
  readonly library?: readonly BlueprintFile[];
  /** Milliseconds since the epoch, for those records. */
  readonly now?: number;
  /** Names of shipped files to apply before `files`; what was applied of them is recorded (`shipped.ts`). */
  readonly shipped?: readonly string[];
  /** Changes that no file makes, after the files: flows in code, a version to go back to. */
  readonly also?: (planning: Pick<Planning, 'workspace' | 'models'>) => Promise<void>;
}

/** A flow that gets a new version, or is removed. */
export interface FlowChange {
  readonly slug: string;
  /** null for a new flow. */
  readonly from: number | null;
  /** null for a removed one. */
  readonly to: number | null;
  /** Visitors under way in it. */
  readonly openRuns: number;
}

export interface BlueprintSummary extends Tally {
  /** Flows that get a new version. */
  readonly flows: readonly { readonly slug: string; readonly version: number }[];
}

export interface BlueprintPlan {
  readonly change: DefinitionsChange;
  readonly summary: BlueprintSummary;
  /** What changes, for people. */
  readonly changes: readonly ObjectChange[];
  readonly flowChanges: readonly FlowChange[];
  /** Every flow as it will be, those that stay as they are included; a version of 0 is not yet numbered. */
  readonly compiled: readonly CompiledFlow[];
  /** Where the files declare each object, by pk. */
  readonly places: ReadonlyMap<string, Place>;
  readonly warnings: readonly Warning[];
}

/**
 * Works out what blueprints would change, without changing anything.
 *
 * @throws DoorwardError `blueprint`: `file:line:column: what is wrong and what to do`
 */
export async function planBlueprints(input: BlueprintInput): Promise<BlueprintPlan> {
  const { revision, definitions } = await input.definitions.all();
  const models = modelTable(input);
  const plan = new Plan(input, new Workspace(models, definitions, input.read), models);
  for (const [index, { name }] of shippedFiles.entries())
    if (input.shipped?.includes(name)) await plan.apply(shippedKnown[index] as KnownFile);
  await plan.applyGiven();
  await input.also?.(plan);
  return plan.finish(revision);
}

class Plan implements Planning {
  readonly workspace: Workspace;
  readonly models: Planning['models'];
  readonly context: JsonObject;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly filesDir: string | null;
  readonly skipUnsupported: boolean;
  readonly warnings: Warning[] = [];
  readonly places = new Map<string, Place>();
  readonly #input: BlueprintInput;
  readonly #given: readonly KnownFile[];
  readonly #known: readonly KnownFile[];
  /** Files that are being applied, outermost first, to notice a circle. */
  readonly #under: KnownFile[] = [];
  readonly #applied = new Set<KnownFile>();

  constructor(input: BlueprintInput, workspace: Workspace, models: Planning['models']) {
    this.#input = input;
    this.workspace = workspace;
    this.models = models;
    this.context = input.context ?? {};
    this.env = input.env ?? {};
    this.filesDir = input.filesDir ?? null;
    this.skipUnsupported = input.skipUnsupported === true;
    const { files, library = [] } = input;
    const inFolder = ({ name }: BlueprintFile) => library.some((file) => file.name === name);
    this.#given = files.map((file) => (inFolder(file) ? folderFile(file) : givenFile(file)));
    const others = library.filter(({ name }) => !files.some((file) => file.name === name)).map(folderFile);
    this.#known = [...this.#given, ...others, ...shippedKnown];
  }

  async applyGiven(): Promise<void> {
    if (!this.skipUnsupported)
      refuseUnsupported(
        this.#given.map((file) => file.read()),
        this.models,
      );
    for (const file of this.#given) await this.apply(file);
  }

  async applyNamed(wanted: Identifiers, at: Place): Promise<string | null> {
    const file = findFile(this.#known, wanted);
    if (typeof file === 'string') return file;
    if (this.#under.includes(file)) {
      const circle = [...this.#under, file].map(({ path }) => path);
      throw wrong(at, `the blueprints apply each other in a circle: ${circle.join(' → ')}`);
    }
    const standing = this.#applied.has(file) || file.standing(this.workspace.all());
    if (typeof standing === 'string') return standing;
    if (!standing) await this.apply(file);
    return null;
  }

  /** Carries out one file, once. */
  async apply(file: KnownFile): Promise<void> {
    if (this.#applied.has(file)) return;
    const blueprint = file.read();
    if (!this.skipUnsupported) refuseUnsupported([blueprint], this.models);
    this.#under.push(file);
    const pks = await carryOut(this, blueprint);
    if (!shippedKnown.includes(file)) this.warnings.push(...makeWay(blueprint, pks, this));
    this.#under.pop();
    this.#applied.add(file);
    file.note(this.workspace, { pks, warnings: this.warnings, at: this.#input.now ?? 0 });
  }

  async finish(revision: number): Promise<BlueprintPlan> {
    await this.workspace.loadReferencedGroups();
    const { definitions, endRuns, expressions } = this.#input;
    const compiled = compileFlows(this.workspace.all(), this.#input);
    for (const flow of compiled) this.#warnOf(flow);
    const { put, remove, effects, tally } = this.workspace.difference();
    if (expressions !== undefined) await checkCode(put, { ...this.#input, expressions, places: this.places });
    const current = await definitions.currentVersions();
    const flows = await newVersions(definitions, compiled, { current, revision });
    const removedFlows = missingFlows(this.workspace.before(), compiled);
    const flowChanges = await flowChangesOf(definitions, { flows, removedFlows, current });
    return {
      change: {
        ...{ revision, put, remove, flows, removedFlows, effects },
        endRuns: endRuns === true ? flowChanges.flatMap(({ slug, from, to }) => (from && to ? [slug] : [])) : [],
      },
      summary: { ...tally, flows: flows.map(({ slug, version }) => ({ slug, version })) },
      changes: changesOf(byPk(this.workspace.before()), byPk(this.workspace.all()), this.models),
      ...{ flowChanges, compiled, places: this.places, warnings: this.warnings },
    };
  }

  /** Only where this plan's files say something about it. */
  #warnOf(flow: CompiledFlow): void {
    const needs = unmetNeeds(flow, this.#input.stages).map(({ binding, key }) => ({
      binding,
      message: `the stage "${binding.stage.name}" needs ${key}, which no stage before it in the flow ${flow.slug} gives`,
    }));
    for (const { binding, message } of [...needs, ...oversizedFiles(flow)]) {
      const at = [binding.pk, binding.stage.pk, flow.pk]
        .map((pk) => this.places.get(pk))
        .find((place) => place !== undefined);
      if (at !== undefined) this.warnings.push({ ...at, message });
    }
  }
}

function byPk(definitions: readonly Definition[]): ReadonlyMap<string, Definition> {
  return new Map(definitions.map((definition) => [definition.pk, definition]));
}

/** Slugs of flows that were there, and are not any more. */
function missingFlows(before: readonly Definition[], compiled: readonly CompiledFlow[]): readonly string[] {
  const slugs = new Set(compiled.map(({ slug }) => slug));
  return before.flatMap(({ model, attrs }) =>
    model === flowModel && !slugs.has(String(attrs.slug)) ? [String(attrs.slug)] : [],
  );
}

type Versions = Readonly<Record<string, number>>;

/**
 * The flows that differ from their current version, numbered. A new flow begins at the revision, which is above every
 * version of a deleted one of the same name: a number never means two things, so nodes may keep versions in memory.
 */
async function newVersions(
  store: DefinitionStore,
  compiled: readonly CompiledFlow[],
  { current: versions, revision }: { readonly current: Versions; readonly revision: number },
): Promise<readonly CompiledFlow[]> {
  const changed: CompiledFlow[] = [];
  for (const flow of compiled) {
    const version = Object.hasOwn(versions, flow.slug) ? versions[flow.slug] : undefined;
    const current = version === undefined ? null : await store.flow(flow.slug, version);
    if (current === null || !sameJson(contentOf(current), contentOf(flow)))
      changed.push({ ...flow, version: (version ?? revision) + 1 });
  }
  return changed;
}

async function flowChangesOf(
  store: DefinitionStore,
  change: {
    readonly flows: readonly CompiledFlow[];
    readonly removedFlows: readonly string[];
    readonly current: Versions;
  },
): Promise<readonly FlowChange[]> {
  const { flows, removedFlows, current } = change;
  const from = (slug: string) => (Object.hasOwn(current, slug) ? (current[slug] ?? null) : null);
  const changed = [
    ...flows.map(({ slug, version }) => ({ slug, from: from(slug), to: version })),
    ...removedFlows.map((slug) => ({ slug, from: from(slug), to: null })),
  ];
  if (changed.length === 0) return [];
  const open = await store.openRuns(changed.map(({ slug }) => slug));
  return changed.map((one) => ({ ...one, openRuns: open[one.slug] ?? 0 }));
}
