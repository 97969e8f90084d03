import { extname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { App } from '../../app/app.ts';
import type { Executed, ExecuteResult } from '../../app/execute.ts';
import { DoorwardError, isDoorwardError } from '../../kernel/errors.ts';
import type { Call, Command } from '../command.ts';
import { exitCodes, UsageError } from '../command.ts';
import { withApp } from '../open.ts';
import { Progress } from '../progress.ts';
import { openRecords, type RecordFormat, type RecordSource, type SourceRecord } from '../records.ts';
import { openReport, type Report } from '../run-report.ts';

/** A server that is away or busy is asked again so often, a little later each time. */
const triesPerRecord = 6;
/** So many refused records are told on the terminal; all are in the report. */
const mostTold = 100;

export const runFlow: Command = {
  name: 'run',
  summary: 'run a flow once for each record of a file, without a browser',
  usage:
    'FLOW --records FILE [--dry-run] [--concurrency N] [--resume] [--report FILE] [--trusted-hashes] [--trusted-addresses]',
  options: {
    records: { type: 'string', value: 'FILE', description: 'NDJSON or CSV; - reads standard input' },
    format: { type: 'string', value: 'FORMAT', description: 'ndjson or csv; by default the file says it by its name' },
    'dry-run': { type: 'boolean', description: 'write nothing; the report shows before and after' },
    concurrency: { type: 'string', value: 'N', description: 'records at a time, 8 by default' },
    resume: { type: 'boolean', description: 'go on after an interruption: adds to the report' },
    report: { type: 'string', value: 'FILE', description: 'NDJSON, one line for each record' },
    'key-field': { type: 'string', value: 'NAME', description: 'the field that tells records apart' },
    'trusted-hashes': { type: 'boolean', description: 'take password_hash as the password' },
    'trusted-addresses': { type: 'boolean', description: 'take email_verified as what is known of the address' },
  },
  operands: { min: 1, max: 1 },
  notes: [
    'A record is the prompt_data of one run: a JSON object, or a CSV row under names of keys. In CSV a cell with nothing',
    'in it is no answer, and "" is the empty text. A key per record is kept for 30 days together with what the run did,',
    'so running the same file again (after a kill, or with refused records put right in place) doubles nothing. The key',
    'is made of the flow, the line and the record, or is the value of --key-field. Exit code 1: a record was refused.',
  ].join('\n'),
  async run(call) {
    const settings = settingsOf(call);
    const source = openRecords(settings.records, settings.format);
    return withApp(call.terminal.env, async (app) => {
      const report = await openReport(settings.report, settings.resume);
      try {
        return await runAll(app, call, settings, source, report);
      } finally {
        await report.close();
      }
    });
  },
};

interface Settings {
  readonly flow: string;
  readonly records: string;
  readonly format: RecordFormat;
  readonly dryRun: boolean;
  readonly concurrency: number;
  readonly resume: boolean;
  readonly report: string | null;
  readonly keyField: string | null;
  readonly trustedHashes: boolean;
  readonly trustedAddresses: boolean;
}

function settingsOf({ operands: [flow = ''], options }: Call): Settings {
  const text = (name: string): string | null => (typeof options[name] === 'string' ? options[name] : null);
  const records = text('records');
  if (records === null) throw new UsageError('--records is missing');
  const format = text('format') ?? (extname(records).toLowerCase() === '.csv' ? 'csv' : 'ndjson');
  if (format !== 'csv' && format !== 'ndjson') throw new UsageError('--format takes ndjson or csv');
  const concurrency = Number(text('concurrency') ?? '8');
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256)
    throw new UsageError('--concurrency takes a whole number from 1 to 256');
  return {
    ...{ flow, records, format, concurrency, report: text('report'), keyField: text('key-field') },
    ...{ dryRun: options['dry-run'] === true, resume: options.resume === true },
    trustedHashes: options['trusted-hashes'] === true,
    trustedAddresses: options['trusted-addresses'] === true,
  };
}

/** One record's outcome as the report has it. */
export interface RecordOutcome {
  readonly line: number;
  readonly key: string | null;
  readonly status: ExecuteResult['status'] | 'unreadable';
  /** An earlier run had done it. */
  readonly repeated: boolean;
  readonly user: unknown;
  readonly message: string | null;
  readonly problems: ExecuteResult['problems'];
  /** With `--dry-run`: what would be written. */
  readonly report?: ExecuteResult['report'];
}

async function runAll(
  app: App,
  { terminal, options }: Call,
  settings: Settings,
  source: RecordSource,
  report: Report,
): Promise<number> {
  const progress = new Progress(terminal);
  const counts = { records: 0, done: 0, already_done: 0, refused: 0 };
  await inParallel(source.records, settings.concurrency, terminal.stopped, async (record) => {
    const outcome = await runRecord(app, settings, record);
    counts.records += 1;
    if (outcome.status !== 'done') counts.refused += 1;
    else if (outcome.repeated) counts.already_done += 1;
    else counts.done += 1;
    if (outcome.status !== 'done' && counts.refused <= mostTold) progress.note(whyRefused(outcome));
    await report.add(outcome);
    progress.update({ ...counts, bytes: source.bytesRead(), size: source.size });
  }).finally(() => progress.clear());
  const seconds = Math.round(progress.seconds * 1000) / 1000;
  const perSecond = Math.round(counts.records / Math.max(seconds, 0.001));
  const { records, done, already_done: already, refused } = counts;
  const summary = `${records} records: ${done} ${settings.dryRun ? 'would be done' : 'done'}, ${already} already done, ${refused} refused (${seconds} s, ${perSecond}/s)`;
  if (refused > mostTold)
    progress.note(`… and ${refused - mostTold} more refused records; --report FILE tells them all`);
  if (options.json === true)
    terminal.print(JSON.stringify({ ...counts, seconds, per_second: perSecond, dry_run: settings.dryRun }));
  else progress.note(summary);
  if (!terminal.stopped.aborted) return refused > 0 ? exitCodes.refused : exitCodes.done;
  progress.note('Stopped before the end; run it again with --resume.');
  return exitCodes.refused;
}

async function runRecord(app: App, settings: Settings, record: SourceRecord): Promise<RecordOutcome> {
  const { line } = record;
  const refused = { line, key: null, repeated: false, user: null, message: null } as const;
  const unreadable = (code: string, field: string | null, detail: string): RecordOutcome => ({
    ...{ ...refused, status: 'unreadable', problems: [{ code, field, detail }] },
  });
  if ('unreadable' in record) return unreadable('invalid', null, record.unreadable);
  const key = keyOf(app, settings, line, record.data);
  if (key === null) return unreadable('required', settings.keyField, 'the key must be a text or a number');
  const { flow, dryRun, trustedHashes, trustedAddresses } = settings;
  try {
    const given = { context: { prompt_data: record.data }, key, dryRun, trustedHashes, trustedAddresses };
    const { result, repeated } = await patiently(() => app.execute(flow, given));
    const { status, message, problems, report } = result;
    const outcome = { line, key, status, repeated, user: report?.user ?? null, message, problems };
    return dryRun ? { ...outcome, report } : outcome;
  } catch (error) {
    if (!isDoorwardError(error) || error.code !== 'invalid_request') throw error;
    return { ...unreadable(error.code, null, error.detail), key };
  }
}

/**
 * The value of the key field, or what the line and the record make; null where the record lacks the field. The digest
 * is keyed: it is kept and reported, and a plain one would let a password in the record be guessed fast.
 */
function keyOf(
  { keyring }: App,
  { keyField }: Settings,
  line: number,
  data: Extract<SourceRecord, { data: unknown }>['data'],
): string | null {
  if (keyField === null) return keyring.digest('lookup', JSON.stringify([line, data]));
  const value = data.find(([name]) => name === keyField)?.[1];
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null;
}

/** With a key a record can be sent again, whatever became of the first try. */
async function patiently(run: () => Promise<Executed>): Promise<Executed> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run();
    } catch (error) {
      const passes = isDoorwardError(error) && (error.code === 'store_unavailable' || error.code === 'too_busy');
      if (!passes || tried === triesPerRecord) throw error;
      await pause(250 * 2 ** tried);
    }
  }
}

function whyRefused({ line, status, message, problems }: RecordOutcome): string {
  const reasons = problems.map(({ field, detail }) => (field === null ? detail : `${field}: ${detail}`));
  const said = reasons.length > 0 ? reasons.join('; ') : (message ?? 'only a person can answer what the flow asks');
  return `line ${line}: ${status === 'challenge' && reasons.length === 0 ? 'not finished: ' : ''}${said}`;
}

/** Works on so many items at a time, reading no further than that. The first failure stops all, and is thrown. */
async function inParallel<Item>(
  items: AsyncIterable<Item>,
  concurrency: number,
  stopped: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (!stopped.aborted && failures.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  const catching = () => worker().catch((error: unknown) => void failures.push(error));
  await Promise.all(Array.from({ length: concurrency }, catching));
  const [failure] = failures;
  if (failure !== undefined) throw failure instanceof Error ? failure : new DoorwardError('internal', String(failure));
}
