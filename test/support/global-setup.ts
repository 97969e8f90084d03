import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The PostgreSQL server of this run; a test file takes its own database of it with `freshDatabase`. */
    postgresUrl: string;
  }
}

/** Starts one PostgreSQL for the whole run; test files read its URL with `inject('postgresUrl')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // What the tests kill are servers, never the database: it need not wait for the disk.
  const server = await startPostgres({ fsync: false });
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
