/** What is told of a write: the report for whoever ran the flow, and the event for the audit (W35, W37). */
import { eventActor } from '../../engine/acting.ts';
import type { NewEvent } from '../../engine/effects.ts';
import type { PromptData } from '../../engine/plan-context.ts';
import type { Desk } from '../../engine/stage.ts';
import type { User } from '../../engine/user.ts';
import { isPlainObject, type Json, type JsonObject } from '../../kernel/json.ts';
import { isSecretName } from '../../kernel/secret-names.ts';
import { masked, Secret } from '../../kernel/secrets.ts';
import { sanitise } from './attributes.ts';
import type { Changes } from './dispatch.ts';
import { valueAt } from './meanwhile.ts';

/** A write as it was decided. */
export interface Write {
  /** The user as the write leaves it; null when there was nobody to write (W8). */
  readonly user: User | null;
  readonly created: boolean;
  readonly changes: Pick<Changes, 'written' | 'discarded'>;
  readonly groupsAdded: readonly string[];
  readonly sessionRenewed: boolean;
  readonly sessionsEnded: number;
}

/** The write report. */
export function writeReport(write: Write): JsonObject {
  return {
    user: write.user === null ? null : identityOf(write.user),
    created: write.created,
    written: write.changes.written,
    discarded: write.changes.discarded,
    groups_added: write.groupsAdded,
    session_renewed: write.sessionRenewed,
    sessions_ended: write.sessionsEnded,
  };
}

/** Hooks belong to the commit, so a dry run has none. */
export const dryRunMark = { dry_run: true, hooks_called: false } as const;

/** The report of a write that is not carried out: each written field before and after, and no pk for who is not made. */
export function dryRunReport(write: Write & { readonly user: User }, before: User): JsonObject {
  const shown = (user: User, field: string): Json =>
    maskValue(field, field === 'password' ? null : valueAt(user, field));
  const written = write.changes.written.map(({ key, field }) => ({
    ...{ key, field },
    ...{ before: write.created ? null : shown(before, field), after: shown(write.user, field) },
  }));
  const user = { ...identityOf(write.user), ...(write.created ? { pk: null } : {}) };
  return { ...writeReport(write), user, written, ...dryRunMark };
}

/** The event `user_write`. Only values that were written are told, secrets masked. */
export function writeEvent(desk: Desk, write: Write & { readonly user: User }, pairs: PromptData): NewEvent {
  const { visitor, stage, context } = desk;
  const keys = new Set(write.changes.written.map(({ key }) => key));
  const byOther = visitor.user !== null && visitor.user.id !== write.user.id;
  return {
    action: 'user_write',
    ...eventActor(visitor, write.user),
    context: {
      ...writeReport(write),
      stage: { pk: stage.pk, name: stage.name },
      source: context['goauthentik.io/sources/connection']?.source ?? null,
      ...(byOther ? { authenticated_as: identityOf(visitor.user) } : {}),
      data: Object.fromEntries(
        pairs.filter(([key]) => keys.has(key)).map(([key, value]) => [key, maskValue(key, value)]),
      ),
    },
    address: visitor.address,
    requestId: visitor.requestId,
    flow: desk.flow.slug,
    at: desk.tools.now(),
  };
}

/** A value for the event: masked where its name, or the name of a member inside it, tells of a secret (W35). */
export function maskValue(name: string, value: unknown): Json {
  if (value instanceof Secret || isSecretName(name)) return masked;
  if (Array.isArray(value)) return value.map((item) => maskValue('', item));
  if (!isPlainObject(value)) return sanitise(value) ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskValue(key, item)]));
}

function identityOf(user: User): { readonly pk: number; readonly username: string } {
  return { pk: user.id, username: user.username };
}
