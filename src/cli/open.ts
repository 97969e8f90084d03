import { readFileSync } from 'node:fs';
import type { App } from '../app/app.ts';
import { createApp } from '../app/create.ts';
import type { DoorwardOptions, Log } from '../app/options.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { type Environment, readEnvironment, type Settings } from './environment.ts';

/** The environment as the library's options. */
export function optionsOf(settings: Settings, log: Log): DoorwardOptions {
  const local = `http://localhost:${settings.port}`;
  return {
    database: settings.database,
    secretKey: settings.secretKey,
    publicUrl: settings.publicUrl ?? local,
    alsoOrigins:
      settings.publicUrl === null ? [`http://127.0.0.1:${settings.port}`, `http://[::1]:${settings.port}`] : [],
    trustedProxies: settings.trustedProxies,
    rateLimits: settings.rateLimits,
    log,
    ...(settings.brandFile === null ? {} : { brand: readBrand(settings.brandFile) }),
  };
}

/** Opens the app for a command that is not a server, and closes it whatever happens. */
export async function withApp<T>(env: Environment, work: (app: App) => Promise<T>): Promise<T> {
  const app = await createApp(optionsOf(readEnvironment(env), () => {}));
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

function readBrand(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new DoorwardError('configuration', `DOORWARD_BRAND: cannot read ${file}: ${String(error)}`);
  }
}
