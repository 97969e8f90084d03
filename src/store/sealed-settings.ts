/**
 * Secrets among settings (a captcha's private key): the rows of definitions and flow versions hold them sealed, each for
 * its own place. What was kept before they were sealed is read as it is.
 */
import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { isSecretSetting } from '../kernel/secret-names.ts';
import type { Keyring } from '../kernel/secrets.ts';

/** The place of a flow version; a definition's is its pk. */
export function versionPlace(slug: string, version: number): string {
  return `${slug} version ${version}`;
}

/** Settings as they are kept. */
export function settingsText(settings: JsonObject, place: string, keyring: Keyring): string {
  return JSON.stringify(sealed(settings, place, keyring));
}

/** @throws DoorwardError `configuration` when a secret does not open: to go on without it might let anybody pass */
export function settingsFrom(kept: string, place: string, keyring: Keyring): JsonObject {
  const settings = opened(kept, place, keyring);
  if (settings !== null) return settings;
  throw new DoorwardError(
    'configuration',
    `${place} holds a secret that another key sealed: give DOORWARD_SECRET_KEY as new,old and run doorward secrets reseal`,
  );
}

/** The same under the first key, with nothing plain any more; null when a secret does not open. */
export function resealedSettings(kept: string, place: string, keyring: Keyring): string | null {
  let done = true;
  withSecrets(JSON.parse(kept) as JsonObject, (value) => {
    done &&= sealedIn(value)?.startsWith(`${keyring.fingerprint}.`) ?? isNothing(value);
    return value;
  });
  const settings = opened(kept, place, keyring);
  if (settings === null) return null;
  return done ? kept : settingsText(settings, place, keyring);
}

function opened(kept: string, place: string, keyring: Keyring): JsonObject | null {
  let failed = false;
  const settings = withSecrets(JSON.parse(kept) as JsonObject, (value) => {
    const inside = sealedIn(value);
    if (inside === null) return value;
    const plain = keyring.open('definition', inside, place);
    failed ||= plain === null;
    return plain === null ? null : (JSON.parse(plain) as Json);
  });
  return failed ? null : settings;
}

function sealed(settings: JsonObject, place: string, keyring: Keyring): JsonObject {
  return withSecrets(settings, (value) =>
    isNothing(value) ? value : { $sealed: keyring.seal('definition', JSON.stringify(value), place) },
  );
}

function sealedIn(value: Json): string | null {
  return isPlainObject(value) && typeof value.$sealed === 'string' ? value.$sealed : null;
}

function isNothing(value: Json): boolean {
  return value === null || value === '';
}

/** A copy in which each secret is replaced; an object under a secret's name is one secret. */
function withSecrets(settings: JsonObject, replace: (value: Json) => Json): JsonObject {
  const copy = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(copy);
    return isPlainObject(value) ? withSecrets(value as JsonObject, replace) : value;
  };
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      isSecretSetting(settings, name) ? replace(value) : copy(value),
    ]),
  );
}
