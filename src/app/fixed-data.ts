import { DoorwardError } from '../kernel/errors.ts';
import { isPlainObject, isUnsafeName, type Json, type JsonObject } from '../kernel/json.ts';
import { isStorable } from '../kernel/text.ts';

const most = { bytes: 64 * 1024, depth: 16 } as const;

/**
 * Refuses what an invitation cannot hold: no password, since it is stored as it is and shown to policies; and inside
 * `attributes` no names that a path cannot say.
 *
 * @throws DoorwardError `invalid_request`
 */
export function checkFixedData(data: JsonObject): void {
  if (!isPlainObject(data)) throw wrong('must be an object');
  if (Buffer.byteLength(JSON.stringify(data)) > most.bytes) throw wrong('at most 64 KiB as JSON');
  if (!isPlainObject(data.attributes ?? {})) throw wrong('attributes must be an object');
  for (const [key, value] of Object.entries(data)) {
    if (/^(?:password|token)(?:_|$)/.test(key)) throw wrong(`"${key}" is a secret, and invitations hold none`);
    if (key === '' || !isStorable(key) || key.split('.').some(isUnsafeName)) throw wrong(`"${key}" is no key`);
    checkValue(key, value, 1);
  }
}

function checkValue(path: string, value: Json, depth: number): void {
  if (depth > most.depth) throw wrong(`${path} is nested too deeply`);
  if (typeof value === 'string' && !isStorable(value)) throw wrong(`${path} holds NUL or a broken character`);
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) checkValue(path, item, depth + 1);
    return;
  }
  for (const [name, item] of Object.entries(value as JsonObject)) {
    if (name === '' || /[.$]/.test(name) || !isStorable(name) || isUnsafeName(name))
      throw wrong(`"${name}" in ${path}: a name is not empty and has neither a dot nor a dollar sign`);
    checkValue(`${path}.${name}`, item, depth + 1);
  }
}

function wrong(what: string): DoorwardError {
  return new DoorwardError('invalid_request', `fixed_data: ${what}`);
}
