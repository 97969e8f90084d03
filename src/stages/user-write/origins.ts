/** Where each key of prompt_data comes from, and what is kept of it with the user. */
import type { PromptData } from '../../engine/plan-context.ts';
import { type ProfileWriter, reservedPrefix, writerOf } from '../../engine/profile.ts';
import {
  attributeField,
  noProvenance,
  type Origin,
  type Provenance,
  type WrittenBy,
  withProvenance,
} from '../../engine/provenance.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, readPath, sameJson } from '../../kernel/json.ts';
import { attributePath } from '../own-field.ts';
import type { Changes } from './dispatch.ts';
import { valueAt } from './meanwhile.ts';
import type { UserTarget } from './target.ts';

export type OriginOf = (key: string) => Origin;

/** A key that no form asked for comes from the source that brought the visitor, else from the flow itself. */
export function originsOf({ context, flow, unattended }: Desk): OriginOf {
  const source = context['goauthentik.io/sources/connection']?.source;
  const other: Origin =
    source === undefined ? { kind: unattended ? 'unattended' : 'flow', flow: flow.slug } : { kind: 'source', source };
  // The stage that guards the initial setup is under way.
  const ofSetup = context['doorward/setup'] !== undefined;
  const known = new Map<string, Origin>();
  for (const { origin, keys } of context['doorward/origins'] ?? []) {
    const shown: Origin = ofSetup && origin.kind === 'prompt' ? { ...origin, kind: 'setup' } : origin;
    for (const key of keys) known.set(key, shown);
  }
  return (key) => known.get(key) ?? other;
}

/** As whom the keys of an origin are written, for the profile schema. */
export async function writersOf({ visitor, read }: Desk): Promise<(origin: Origin) => ProfileWriter> {
  const administrator =
    visitor.impersonator !== null ||
    (visitor.user !== null && (await read.groupsOf(visitor.user.id)).some(({ isSuperuser }) => isSuperuser));
  return (origin) => writerOf(origin, administrator);
}

/** What is known of the user's fields after this write; undefined when it changes none. */
export async function provenanceAfter(
  desk: Desk,
  { user: before, created }: UserTarget,
  after: User,
  { changes, pairs }: { readonly changes: Changes; readonly pairs: PromptData },
): Promise<Provenance | undefined> {
  const originOf = originsOf(desk);
  const values = new Map(pairs);
  const written = new Map<string, Origin>();
  const noteAttribute = (path: readonly string[], origin: Origin): void => {
    const now = readPath(after.attributes, path);
    if (now !== undefined && (created || !sameJson(readPath(before.attributes, path), now)))
      written.set(attributeField(path), origin);
  };
  for (const { key, field } of changes.written) {
    const path = attributePath(key);
    const value = key === 'attributes' ? values.get(key) : undefined;
    if (path !== null) noteAttribute(path, originOf(key));
    else if (isPlainObject(value)) for (const name of Object.keys(value)) noteAttribute([name], originOf(key));
    else if (field === 'email_verified') continue;
    else if (field === 'password' || created || !sameJson(valueAt(before, field), valueAt(after, field)))
      written.set(field, originOf(key));
  }
  const source = desk.context['goauthentik.io/sources/connection']?.source;
  if (source !== undefined) noteAttribute([`${reservedPrefix}user/sources`], { kind: 'source', source });
  if (written.size === 0) return undefined;
  const known = created ? noProvenance : await desk.read.provenance(before.id);
  return withProvenance(known, written, after.attributes, { at: desk.tools.now(), by: writtenBy(desk, after) });
}

function writtenBy({ visitor, unattended }: Desk, user: User): WrittenBy {
  if (visitor.impersonator !== null) return visitor.impersonator.id;
  if (visitor.user === null) return unattended ? null : 'self';
  return visitor.user.id === user.id ? 'self' : visitor.user.id;
}
