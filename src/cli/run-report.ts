import { open } from 'node:fs/promises';
import { DoorwardError } from '../kernel/errors.ts';

/** A file of one JSON line for each record. */
export interface Report {
  add(line: object): Promise<void>;
  close(): Promise<void>;
}

/** Lines wait until so much is together. */
const flushAt = 64 * 1024;

/** @param file null for no report */
export async function openReport(file: string | null, append: boolean): Promise<Report> {
  if (file === null) return { add: async () => {}, close: async () => {} };
  const handle = await open(file, append ? 'a+' : 'w').catch((error: unknown) => {
    throw new DoorwardError('configuration', `--report: cannot write ${file}: ${String(error)}`);
  });
  const { size } = await handle.stat();
  const { buffer } = size === 0 ? { buffer: Buffer.from('\n') } : await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  // A line that a kill cut short stays a line of its own.
  let waiting = buffer[0] === 0x0a ? '' : '\n';
  let writing = Promise.resolve();
  const flush = (): Promise<void> => {
    const text = waiting;
    waiting = '';
    writing = writing.then(() => handle.appendFile(text));
    return writing;
  };
  return {
    async add(line) {
      waiting += `${JSON.stringify(line)}\n`;
      if (waiting.length >= flushAt) await flush();
    },
    async close() {
      await flush();
      await handle.close();
    },
  };
}
