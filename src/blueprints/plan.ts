import type { DefinitionStore, DefinitionsChange } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { Reads } from '../engine/ports.ts';
import { type JsonObject, sameJson } from '../kernel/json.ts';
import { carryOut, type Planning } from './carry-out.ts';
import { compileFlows, contentOf, unmetNeeds } from './compile.ts';
import { digests } from './digests.ts';
import { flowModel, groupModel, type Installed, modelTable, shippedModel } from './models.ts';
import { parseBlueprint } from './parse.ts';
import { type Place, type Warning, wrong } from './place.ts';
import { isPresent, type ShippedFile, shippedFiles, shippedHash } from './shipped-files.ts';
import { type Identifiers, type Tally, Workspace } from './workspace.ts';

/** A blueprint to apply. */
export interface BlueprintFile {
  /** For error messages. */
  readonly name: string;
  /** YAML. */
  readonly text: string;
}

export interface BlueprintInput extends Installed {
  /** Carried out in this order, as if they were one. */
  readonly files: readonly BlueprintFile[];
  readonly definitions: DefinitionStore;
  /** Groups and users that blueprints refer to. */
  readonly read: Reads;
  /** Variables for `!Context`, over those of the file. */
  readonly context?: JsonObject;
  /** What `!Env` may read; nothing by default. A blueprint from a stranger must not see the server's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Names of shipped files to apply before `files`; what was applied of them is recorded (`shipped.ts`). */
  readonly shipped?: readonly string[];
}

export interface BlueprintSummary extends Tally {
  /** Flows that get a new version. */
  readonly flows: readonly { readonly slug: string; readonly version: number }[];
}

export interface BlueprintPlan {
  readonly change: DefinitionsChange;
  readonly summary: BlueprintSummary;
  /** Every flow as it will be, those that stay as they are included; a version of 0 is not yet numbered. */
  readonly compiled: readonly CompiledFlow[];
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
  for (const file of shippedFiles) if (input.shipped?.includes(file.name)) await plan.applyShippedFile(file);
  for (const file of input.files) await carryOut(plan, parseBlueprint(file.name, file.text));
  return plan.finish(revision);
}

class Plan implements Planning {
  readonly workspace: Workspace;
  readonly models: Planning['models'];
  readonly context: JsonObject;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warnings: Warning[] = [];
  readonly places = new Map<string, Place>();
  readonly #input: BlueprintInput;
  /** Shipped files that are being applied, outermost first, to notice a circle. */
  readonly #under: string[] = [];
  readonly #applied = new Set<string>();

  constructor(input: BlueprintInput, workspace: Workspace, models: Planning['models']) {
    this.#input = input;
    this.workspace = workspace;
    this.models = models;
    this.context = input.context ?? {};
    this.env = input.env ?? {};
  }

  async applyShipped(wanted: Identifiers, at: Place): Promise<string | null> {
    const file = shippedFiles.find(({ title, path }) => wanted.name === title || wanted.path === path);
    if (file === undefined)
      return `the blueprint ${JSON.stringify(wanted.name ?? wanted.path ?? '')} is not one of those that are shipped; apply it yourself if it is needed`;
    if (this.#under.includes(file.name))
      throw wrong(at, `the blueprints apply each other in a circle: ${[...this.#under, file.name].join(' → ')}`);
    // What was applied once, or stands there already, is the administrator's; it is not touched from here.
    if (!isPresent(file, this.workspace.all())) await this.applyShippedFile(file);
    return null;
  }

  async applyShippedFile(file: ShippedFile): Promise<void> {
    if (this.#applied.has(file.name)) return;
    this.#under.push(file.name);
    const pks = await carryOut(this, parseBlueprint(`${file.name}.yaml`, file.text));
    this.#under.pop();
    this.#applied.add(file.name);
    const objects = this.workspace.all().filter(({ pk, model }) => pks.has(pk) && model !== groupModel);
    this.workspace.record(shippedModel, { name: file.name }, { hash: shippedHash(file), objects: digests(objects) });
  }

  async finish(revision: number): Promise<BlueprintPlan> {
    await this.workspace.loadReferencedGroups();
    const compiled = compileFlows(this.workspace.all(), this.#input);
    for (const flow of compiled) this.#warnOfNeeds(flow);
    const { put, remove, effects, tally } = this.workspace.difference();
    const flows = await newVersions(this.#input.definitions, compiled, revision);
    const slugs = new Set(compiled.map(({ slug }) => slug));
    const removedFlows = this.workspace
      .before()
      .flatMap(({ model, attrs }) =>
        model === flowModel && !slugs.has(String(attrs.slug)) ? [String(attrs.slug)] : [],
      );
    return {
      change: { revision, put, remove, flows, removedFlows, effects },
      summary: { ...tally, flows: flows.map(({ slug, version }) => ({ slug, version })) },
      compiled,
      warnings: this.warnings,
    };
  }

  /** Only where this plan's files say something about it. */
  #warnOfNeeds(flow: CompiledFlow): void {
    for (const { binding, key } of unmetNeeds(flow, this.#input.stages)) {
      const at = [binding.pk, binding.stage.pk, flow.pk]
        .map((pk) => this.places.get(pk))
        .find((place) => place !== undefined);
      if (at === undefined) continue;
      const message = `the stage "${binding.stage.name}" needs ${key}, which no stage before it in the flow ${flow.slug} gives`;
      this.warnings.push({ ...at, message });
    }
  }
}

/**
 * The flows that differ from their current version, numbered. A new flow begins at the revision, which is above every
 * version of a deleted one of the same name: a number never means two things, so nodes may keep versions in memory.
 */
async function newVersions(
  store: DefinitionStore,
  compiled: readonly CompiledFlow[],
  revision: number,
): Promise<readonly CompiledFlow[]> {
  const versions = await store.currentVersions();
  const changed: CompiledFlow[] = [];
  for (const flow of compiled) {
    const version = Object.hasOwn(versions, flow.slug) ? versions[flow.slug] : undefined;
    const current = version === undefined ? null : await store.flow(flow.slug, version);
    if (current === null || !sameJson(contentOf(current), contentOf(flow)))
      changed.push({ ...flow, version: (version ?? revision) + 1 });
  }
  return changed;
}
