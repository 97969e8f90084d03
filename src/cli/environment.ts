import { accessSync, chmodSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { DatabaseOption, LogLevel } from '../app/options.ts';
import { retentionOf } from '../app/retention.ts';
import { trustedNetworks } from '../http/address.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import { makeFolder } from '../kernel/folder.ts';
import { newSecretKey } from '../kernel/secrets.ts';

/** The environment, checked. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly publicUrl: string | null;
  readonly secretKey: string;
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel | 'silent';
  readonly database: DatabaseOption;
  /** Path of a JSON file with name, logo, favicon, accent, background and links. */
  readonly brandFile: string | null;
  /** Path of a JSON file with a list of webhooks. */
  readonly webhooksFile: string | null;
  /** Path of a JSON Schema for users' attributes. */
  readonly profileSchemaFile: string | null;
  /** Path of a folder of blueprints to apply and to watch. */
  readonly blueprintsDir: string | null;
  /** Where mail leaves; null: it is kept. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string | null;
  /** Path of a folder of mail templates. */
  readonly mailTemplates: string | null;
  readonly rateLimits: boolean;
  /** Paths of files in MaxMind's format. */
  readonly geoipFile: string | null;
  readonly asnFile: string | null;
  /** Names of the servers that expressions may ask. */
  readonly expressionHosts: readonly string[];
  /** A duration, or `never`. */
  readonly eventRetention: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that Doorward reads, for `doorward serve --help` and the README. */
export const variables: readonly { readonly name: string; readonly fallback: string; readonly meaning: string }[] = [
  { name: 'DOORWARD_HOST', fallback: '127.0.0.1', meaning: 'address to listen on' },
  { name: 'DOORWARD_PORT', fallback: '9000', meaning: 'port to listen on; 0 takes a free one' },
  { name: 'DOORWARD_DATA_DIR', fallback: './data', meaning: 'folder of the SQLite database and the secret key' },
  { name: 'DATABASE_URL', fallback: '', meaning: 'postgres://… moves the data to PostgreSQL' },
  {
    name: 'DOORWARD_PUBLIC_URL',
    fallback: 'http://localhost:<port>',
    meaning: 'origin that people reach the server at',
  },
  {
    name: 'DOORWARD_SECRET_KEY',
    fallback: 'made in the data folder',
    meaning: 'at least 32 bytes; "new,old" to rotate; required with DATABASE_URL',
  },
  {
    name: 'DOORWARD_TRUSTED_PROXIES',
    fallback: '',
    meaning: 'CIDRs whose forwarding headers count, separated by commas',
  },
  { name: 'DOORWARD_LOG_LEVEL', fallback: 'info', meaning: 'debug, info, warn, error or silent' },
  { name: 'DOORWARD_BRAND', fallback: '', meaning: 'JSON file with name, logo, favicon, accent, background, links' },
  {
    name: 'DOORWARD_WEBHOOKS',
    fallback: '',
    meaning: 'JSON file with a list of { url, secret, events }; see docs/hooks-and-webhooks.md',
  },
  {
    name: 'DOORWARD_PROFILE_SCHEMA',
    fallback: '',
    meaning: "JSON Schema for users' attributes; see docs/user-write.md",
  },
  {
    name: 'DOORWARD_EXPRESSION_HOSTS',
    fallback: '',
    meaning: 'names of the servers that expressions may ask, separated by commas; see docs/expressions.md',
  },
  {
    name: 'DOORWARD_EVENT_RETENTION',
    fallback: 'days=365',
    meaning: 'how long the audit record is kept, such as weeks=4 or never',
  },
  {
    name: 'DOORWARD_BLUEPRINTS_DIR',
    fallback: '',
    meaning: 'folder of blueprints, applied at start and when they change; see docs/blueprints.md',
  },
  {
    name: 'DOORWARD_SMTP_URL',
    fallback: 'mail is kept, to be read there',
    meaning: 'smtp://name:password@host:587 or smtps://… sends mail; see docs/mail.md',
  },
  { name: 'DOORWARD_MAIL_FROM', fallback: 'no-reply@<public host>', meaning: 'sender: Name <address>' },
  { name: 'DOORWARD_MAIL_TEMPLATES', fallback: '', meaning: 'folder of mail templates; see docs/mail.md' },
  {
    name: 'DOORWARD_GEOIP_FILE',
    fallback: '',
    meaning: 'City or Country file (.mmdb): shows where an address is; see docs/account-page.md',
  },
  {
    name: 'DOORWARD_ASN_FILE',
    fallback: '',
    meaning: 'ASN or ISP file (.mmdb): binds sessions to a network; see docs/administration.md',
  },
  { name: 'DOORWARD_RATE_LIMITS', fallback: 'on', meaning: 'off switches them off (drills, private networks)' },
];

/**
 * Reads and checks the environment.
 *
 * @throws DoorwardError `configuration`, naming the variable
 */
export function readEnvironment(env: Environment): Settings {
  const value = (name: string): string | null => {
    const text = env[name]?.trim();
    return text === undefined || text === '' ? null : text;
  };
  const dataDir = resolve(value('DOORWARD_DATA_DIR') ?? './data');
  const url = value('DATABASE_URL');
  if (url === null) makeDataFolder(dataDir);
  return {
    host: value('DOORWARD_HOST') ?? '127.0.0.1',
    port: port(value('DOORWARD_PORT') ?? '9000'),
    dataDir,
    publicUrl: publicUrl(value('DOORWARD_PUBLIC_URL')),
    secretKey: secretKey(value('DOORWARD_SECRET_KEY'), dataDir, url !== null),
    trustedProxies: networks(value('DOORWARD_TRUSTED_PROXIES') ?? ''),
    logLevel: oneOf('DOORWARD_LOG_LEVEL', value('DOORWARD_LOG_LEVEL') ?? 'info', [
      'debug',
      'info',
      'warn',
      'error',
      'silent',
    ] as const),
    database: url === null ? { sqlite: join(dataDir, 'doorward.sqlite') } : { postgres: postgresUrl(url) },
    brandFile: value('DOORWARD_BRAND'),
    webhooksFile: value('DOORWARD_WEBHOOKS'),
    profileSchemaFile: value('DOORWARD_PROFILE_SCHEMA'),
    blueprintsDir: folder(value('DOORWARD_BLUEPRINTS_DIR')),
    smtpUrl: value('DOORWARD_SMTP_URL'),
    mailFrom: value('DOORWARD_MAIL_FROM'),
    mailTemplates: value('DOORWARD_MAIL_TEMPLATES'),
    rateLimits: oneOf('DOORWARD_RATE_LIMITS', value('DOORWARD_RATE_LIMITS') ?? 'on', ['on', 'off'] as const) === 'on',
    geoipFile: value('DOORWARD_GEOIP_FILE'),
    asnFile: value('DOORWARD_ASN_FILE'),
    expressionHosts: hosts(value('DOORWARD_EXPRESSION_HOSTS') ?? ''),
    eventRetention: retention(value('DOORWARD_EVENT_RETENTION') ?? 'days=365'),
  };
}

function hosts(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const odd = names.find((name) => /[\s/]/.test(name) || (name.includes(':') && isIP(name) === 0));
  if (odd !== undefined)
    throw wrong('DOORWARD_EXPRESSION_HOSTS', `"${odd}" is not the name of a server; leave out https://, port and path`);
  return names.filter((name) => name !== '');
}

function wrong(name: string, advice: string): DoorwardError {
  return new DoorwardError('configuration', `${name}: ${advice}`);
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535)
    throw wrong('DOORWARD_PORT', `"${text}" is not a port; use a number from 0 to 65535`);
  return number;
}

function folder(path: string | null): string | null {
  if (path === null) return null;
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw wrong('DOORWARD_BLUEPRINTS_DIR', `${path} is no folder; make it, or name another`);
  return resolve(path);
}

function publicUrl(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  )
    throw wrong(
      'DOORWARD_PUBLIC_URL',
      `"${text}" is not an origin; write for example https://id.example.com, without a path`,
    );
  return url.origin;
}

function postgresUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw wrong('DATABASE_URL', 'must start with postgres:// (leave it empty for SQLite in DOORWARD_DATA_DIR)');
  return text;
}

function retention(text: string): string {
  try {
    retentionOf({ events: text });
    return text;
  } catch (error) {
    throw isDoorwardError(error)
      ? wrong('DOORWARD_EVENT_RETENTION', error.detail.replace('retention.events: ', ''))
      : error;
  }
}

function networks(text: string): readonly string[] {
  const cidrs = text
    .split(',')
    .map((cidr) => cidr.trim())
    .filter((cidr) => cidr !== '');
  trustedNetworks(cidrs);
  return cidrs;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === text);
  if (found === undefined) throw wrong(name, `"${text}" is not known; use ${allowed.join(', ')}`);
  return found;
}

/** The key from the environment, or the one kept in the data folder, made there at the first start. */
function secretKey(given: string | null, dataDir: string, required: boolean): string {
  if (given !== null) {
    if (given.split(',').some((key) => Buffer.byteLength(key.trim()) < 32))
      throw wrong(
        'DOORWARD_SECRET_KEY',
        'every key must have at least 32 bytes; make one with: openssl rand -base64 48',
      );
    return given;
  }
  if (required)
    throw wrong(
      'DOORWARD_SECRET_KEY',
      'is required with DATABASE_URL, since all nodes must share it; make one with: openssl rand -base64 48',
    );
  const file = join(dataDir, 'secret.key');
  const kept = readIfThere(file);
  if (kept !== null) {
    if (Buffer.byteLength(kept) < 32)
      throw wrong('DOORWARD_SECRET_KEY', `${file} holds no key of at least 32 bytes; restore it from a backup`);
    return kept;
  }
  try {
    // 'wx': of two first starts at once, one makes the key and the other reads it.
    writeFileSync(file, `${newSecretKey()}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(file, 0o600);
  } catch (error) {
    if (readIfThere(file) === null) throw wrong('DOORWARD_DATA_DIR', `cannot write to ${dataDir}: ${String(error)}`);
  }
  return readIfThere(file) ?? '';
}

function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir, 0o700);
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw wrong('DOORWARD_DATA_DIR', `cannot write to ${dataDir}: ${String(error)}`);
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
