/**
 * Brings in the flows that come with the product, and newer editions of them, without ever undoing what an
 * administrator did. What was applied is recorded as a definition of the model `doorward.shipped`: the file's hash, and
 * a digest of each object as the file left it.
 *
 * - A file that was never applied is applied, unless a flow of its slug exists already.
 * - A newer edition is applied while all its objects are still as the last edition left them.
 * - What an administrator changed or deleted stays as it is, until `reset` names the file.
 */
import type { Definition } from '../engine/definition.ts';
import { isPlainObject, sameJson } from '../kernel/json.ts';
import { applyBlueprints } from './apply.ts';
import { digests } from './digests.ts';
import type { BlueprintInput, BlueprintSummary } from './plan.ts';
import { isPresent, recordOf, type ShippedFile, shippedFiles, shippedHash } from './shipped-files.ts';

export interface ShippedInput extends Omit<BlueprintInput, 'files' | 'shipped' | 'context' | 'env'> {
  /** Names of files to apply whatever an administrator changed; `all` for every one. */
  readonly reset?: readonly string[] | 'all';
}

/**
 * Applies the shipped flows that are missing or outdated. Safe to do at every start, on every node.
 *
 * @returns what it did, or null where nothing was to do
 */
export async function applyShipped(input: ShippedInput): Promise<BlueprintSummary | null> {
  const { reset = [], ...rest } = input;
  const { definitions } = await input.definitions.all();
  const wanted = shippedFiles.filter(
    (file) => reset === 'all' || reset.includes(file.name) || isDue(file, definitions),
  );
  if (wanted.length === 0) return null;
  const { summary } = await applyBlueprints({ ...rest, files: [], shipped: wanted.map(({ name }) => name) });
  return summary;
}

function isDue(file: ShippedFile, definitions: readonly Definition[]): boolean {
  const record = recordOf(file, definitions)?.attrs;
  if (record === undefined) return !isPresent(file, definitions);
  if (record.hash === shippedHash(file) || !isPlainObject(record.objects)) return false;
  const pks = Object.keys(record.objects);
  return sameJson(record.objects, digests(definitions.filter(({ pk }) => pks.includes(pk))));
}
