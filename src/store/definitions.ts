import type { Definition, DefinitionStore, DefinitionsChange } from '../engine/definition.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { EndedRun } from '../engine/run.ts';
import { emptyState } from '../engine/run-writes.ts';
import type { Clock } from '../kernel/clock.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Keyring } from '../kernel/secrets.ts';
import { text as message } from '../protocol/text.ts';
import { wouldLeaveNobody } from './administrators.ts';
import { accountStatements, carryOut } from './commit.ts';
import type { Driver, Log, Statement } from './driver.ts';
import { int, stateSchema, text } from './rows.ts';
import { settingsFrom, settingsText, versionPlace } from './sealed-settings.ts';
import { list, type Row, type Sql, sql } from './sql.ts';

interface Setting {
  readonly driver: Driver;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is defined, and the versions of flows that runs go by. */
export function definitionsOn({ driver, keyring, clock, log }: Setting): DefinitionStore {
  return {
    async all() {
      const rows = await driver.read(sql`
        SELECT install.value, d.pk, d.model, d.attrs
        FROM doorward_install install LEFT JOIN doorward_definition d ON 1 = 1
        WHERE install.key = 'revision' ORDER BY d.model, d.pk`);
      const defined = rows.filter((row) => row[1] !== null);
      return {
        revision: int(rows[0] ?? [], 0),
        definitions: defined.map((row) => definitionFrom(row, keyring)),
      };
    },
    async apply(change) {
      const now = clock.now();
      const statements = [
        ...changeStatements(change, now, keyring),
        ...accountStatements(change.effects, { keyring, now, ownRuns: [] }),
      ];
      const answer = await carryOut(driver, log, { statements, proof: null });
      if (answer.status !== 'refused') return answer.status;
      const { effect, reason, field } = answer.refusal;
      if (reason === 'last_administrator') throw wouldLeaveNobody();
      throw new DoorwardError('refused', `${effect}: ${reason}${field === undefined ? '' : ` (${field})`}`);
    },
    async flow(slug, version) {
      const [row] = await driver.read(
        sql`SELECT definition FROM doorward_flow_version WHERE slug = ${slug} AND version = ${version}`,
      );
      if (row === undefined) return null;
      return settingsFrom(text(row, 0), versionPlace(slug, version), keyring) as unknown as CompiledFlow;
    },
    async currentVersions() {
      const rows = await driver.read(sql`SELECT slug, current_version FROM doorward_flow`);
      return Object.fromEntries(rows.map((row) => [text(row, 0), int(row, 1)]));
    },
    async openRuns(slugs) {
      const rows = await driver.read(sql`
        SELECT flow, count(*) FROM doorward_run
        WHERE ended IS NULL AND expires_at > ${clock.now()} AND flow IN (${list(slugs)}) GROUP BY flow`);
      const counted = new Map(rows.map((row) => [text(row, 0), int(row, 1)]));
      return Object.fromEntries(slugs.map((slug) => [slug, counted.get(slug) ?? 0]));
    },
    async keptVersions(slug) {
      const rows = await driver.read(sql`
        SELECT v.version, v.created_at, (SELECT count(*) FROM doorward_run r
          WHERE r.flow = v.slug AND r.version = v.version AND r.ended IS NULL AND r.expires_at > ${clock.now()})
        FROM doorward_flow_version v WHERE v.slug = ${slug} ORDER BY v.version DESC`);
      return rows.map((row) => ({ version: int(row, 0), createdAt: int(row, 1), openRuns: int(row, 2) }));
    },
  };
}

function definitionFrom(row: Row, keyring: Keyring): Definition {
  const pk = text(row, 1);
  return { pk, model: text(row, 2), attrs: settingsFrom(text(row, 3), pk, keyring) };
}

function changeStatements(change: DefinitionsChange, now: number, keyring: Keyring): Statement[] {
  const revision: Statement = {
    effect: 'definition',
    touches: [],
    expect: 1,
    otherwise: 'lost',
    sql: sql`UPDATE doorward_install SET value = ${String(change.revision + 1)} WHERE key = 'revision' AND value = ${String(change.revision)}`,
  };
  return [
    revision,
    ...[...change.removedFlows, ...(change.endRuns ?? [])].map((slug) =>
      plain(
        `runs:${slug}`,
        sql`UPDATE doorward_run SET state = ${emptied}, ended = ${goneText(now)}, ended_at = ${now}
          WHERE flow = ${slug} AND ended IS NULL`,
      ),
    ),
    ...change.removedFlows.flatMap((slug) => [
      plain(`flow:${slug}`, sql`DELETE FROM doorward_flow_version WHERE slug = ${slug}`),
      plain(`flow:${slug}`, sql`DELETE FROM doorward_flow WHERE slug = ${slug}`),
    ]),
    ...change.remove.map((pk) => plain(`definition:${pk}`, sql`DELETE FROM doorward_definition WHERE pk = ${pk}`)),
    ...change.put.map(({ pk, model, attrs }) =>
      plain(
        `definition:${pk}`,
        sql`INSERT INTO doorward_definition (pk, model, attrs) VALUES (${pk}, ${model}, ${settingsText(attrs, pk, keyring)})
          ON CONFLICT (pk) DO UPDATE SET model = excluded.model, attrs = excluded.attrs`,
      ),
    ),
    ...change.flows.flatMap(({ slug, version, ...content }) => [
      plain(
        `flow:${slug}`,
        sql`INSERT INTO doorward_flow_version (slug, version, definition, created_at)
          VALUES (${slug}, ${version}, ${flowText({ slug, version, ...content }, keyring)}, ${now})`,
      ),
      plain(
        `flow:${slug}`,
        sql`INSERT INTO doorward_flow (slug, current_version) VALUES (${slug}, ${version})
          ON CONFLICT (slug) DO UPDATE SET current_version = excluded.current_version`,
      ),
    ]),
  ];
}

function flowText(flow: CompiledFlow, keyring: Keyring): string {
  return settingsText(flow as unknown as JsonObject, versionPlace(flow.slug, flow.version), keyring);
}

/** Runs of a deleted flow, or of one that must not be finished any more, end: whoever was in it is told to start again. */
function goneText(at: number): string {
  const ended: EndedRun = {
    ...{ at, outcome: { kind: 'denied', message: message('flow.gone') }, answer: '', secretAnswer: false },
    ...{ sessionToken: null, persistent: false, sessionExpiresAt: 0 },
  };
  return JSON.stringify(ended);
}

const emptied = JSON.stringify({ schema: stateSchema, ...emptyState });

function plain(touched: string, statement: Sql): Statement {
  return { effect: 'definition', touches: [touched], sql: statement };
}
