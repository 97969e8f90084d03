import type Database from 'libsql';
import type { HookTransaction } from '../engine/hooks.ts';

/** The application's own statements on the writing connection, inside the transaction that is open there. */
export function hookTransactionOn(database: Database.Database): HookTransaction {
  return {
    dialect: 'sqlite',
    async query(text, params = []) {
      const prepared = database.prepare<unknown[]>(text);
      // libsql ends the whole process when it is handed a boolean.
      const values = params.map((param) => (typeof param === 'boolean' ? Number(param) : param));
      if (prepared.reader) return prepared.all(values) as Record<string, unknown>[];
      prepared.run(values);
      return [];
    },
  };
}
