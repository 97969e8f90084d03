import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { importFlow, openDoorward } from './in-process.js';
import { secret } from './peers/control.js';
import { cleanEnvironment } from './servers.js';

/**
 * @typedef {object} Unattended records a second of `doorward run`, told by itself: opening the database is not in it
 * @property {number} records
 * @property {number} dryRun
 * @property {number} real
 * @property {number} resumed the same file once more: every record is found to be done
 */

/**
 * @param {{ folder: string, database: string, records: number }} options database: `postgres://…`, else the path of
 *   `doorward.sqlite`
 * @returns {Promise<Unattended>}
 */
export async function unattended({ folder, database, records }) {
  const auth = await openDoorward(database, { blueprints: [importFlow] });
  await auth.close();
  const file = join(folder, 'people.ndjson');
  await writeRecords(file, records);
  const run = (/** @type {string[]} */ ...flags) => perSecond(database, records, ['--records', file, ...flags]);
  return { records, dryRun: await run('--dry-run'), real: await run(), resumed: await run('--resume') };
}

/**
 * @param {string} file
 * @param {number} records
 */
async function writeRecords(file, records) {
  const handle = await open(file, 'w');
  for (let number = 0; number < records; number++) {
    const username = `person${number}`;
    const record = {
      username,
      name: `Person ${number}`,
      email: `${username}@example.com`,
      'attributes.staff.number': number,
    };
    await handle.write(`${JSON.stringify(record)}\n`);
  }
  await handle.close();
}

/**
 * @param {string} database
 * @param {number} records that must all be done
 * @param {string[]} flags
 * @returns {Promise<number>}
 */
async function perSecond(database, records, flags) {
  const cli = join(import.meta.dirname, '..', 'dist', 'cli.js');
  const where = database.startsWith('postgres')
    ? { DATABASE_URL: database }
    : { DOORWARD_DATA_DIR: join(database, '..') };
  const child = spawn(process.execPath, [cli, 'run', importFlow.slug, '--json', ...flags], {
    env: { ...cleanEnvironment(), ...where, DOORWARD_SECRET_KEY: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await child.stdout.setEncoding('utf8').toArray();
  const told = JSON.parse(output.join(''));
  if (told.done + told.already_done !== records) throw new Error(`doorward run: ${JSON.stringify(told)}`);
  return records / told.seconds;
}
