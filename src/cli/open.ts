import { readFileSync } from 'node:fs';
import type { App } from '../app/app.ts';
import { createApp } from '../app/create.ts';
import type { DoorwardOptions, Log, MailOptions, PlacesOption } from '../app/options.ts';
import { type Webhook, webhooksOf } from '../app/webhooks.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import { isPlainObject } from '../kernel/json.ts';
import { parseBrand } from '../pages/brand.ts';
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
    expressionHosts: settings.expressionHosts,
    retention: { events: settings.eventRetention },
    log,
    mail: mailOf(settings),
    places: placesOf(settings),
    ...(settings.brandFile === null ? {} : { brand: readBrand(settings.brandFile) }),
    ...(settings.profileSchemaFile === null ? {} : { profileSchema: readProfileSchema(settings.profileSchemaFile) }),
    ...(settings.webhooksFile === null ? {} : { webhooks: readWebhooks(settings.webhooksFile) }),
  };
}

function placesOf({ geoipFile, asnFile }: Settings): PlacesOption {
  return { ...(geoipFile === null ? {} : { file: geoipFile }), ...(asnFile === null ? {} : { asnFile }) };
}

/** A server that others reach, and that does not know its address, would send links that lead nowhere, or elsewhere. */
function mailOf({ smtpUrl, mailFrom, mailTemplates, host, publicUrl }: Settings): MailOptions {
  return {
    ...(smtpUrl === null ? {} : { smtp: smtpUrl }),
    ...(mailFrom === null ? {} : { from: mailFrom }),
    ...(mailTemplates === null ? {} : { templates: mailTemplates }),
    ...(publicUrl === null && !isLoopbackHost(host)
      ? { refused: 'the server listens beyond this machine: set DOORWARD_PUBLIC_URL, so that links in mail lead here' }
      : {}),
  };
}

/** Whether only this machine reaches an address to listen on. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
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
    return parseBrand(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const detail = isDoorwardError(error) ? error.detail : String(error);
    throw new DoorwardError('configuration', `DOORWARD_BRAND: ${file} cannot be used: ${detail}`);
  }
}

function readProfileSchema(file: string): object {
  try {
    const schema: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isPlainObject(schema)) return schema;
  } catch (error) {
    throw new DoorwardError('configuration', `DOORWARD_PROFILE_SCHEMA: ${file} cannot be used: ${String(error)}`);
  }
  throw new DoorwardError('configuration', `DOORWARD_PROFILE_SCHEMA: ${file} must hold a JSON object`);
}

function readWebhooks(file: string): readonly Webhook[] {
  try {
    return webhooksOf(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const detail = isDoorwardError(error) ? error.detail : unreadable(error);
    throw new DoorwardError('configuration', `DOORWARD_WEBHOOKS: ${file} cannot be used: ${detail}`);
  }
}

/** JSON.parse quotes what it read, and this file holds secrets. */
function unreadable(error: unknown): string {
  return error instanceof SyntaxError ? 'it is not valid JSON' : String(error);
}
