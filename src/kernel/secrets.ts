import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { DoorwardError } from './errors.ts';
import { randomBits } from './ids.ts';

/** What a key is used for: one HKDF subkey each, so that a value made for one purpose is useless for another. */
export type Purpose =
  | 'session'
  | 'step'
  | 'run-secret'
  | 'answer'
  | 'lookup'
  | 'replay'
  | 'credential'
  | 'outbox'
  | 'remembered'
  | 'definition';

const minimumBytes = 32;

interface Key {
  readonly id: string;
  readonly subkeys: Map<Purpose, Buffer>;
  readonly material: Buffer;
}

/**
 * Seals, signs and digests with keys derived from `DOORWARD_SECRET_KEY` (`new,old` while rotating: the first key
 * writes, all read). Every value names its key.
 *
 * @throws DoorwardError `configuration` when a key is shorter than 32 bytes
 */
export class Keyring {
  readonly #keys: readonly Key[];

  constructor(secretKey: string) {
    this.#keys = secretKey.split(',').map((text) => {
      const material = Buffer.from(text.trim());
      if (material.length < minimumBytes)
        throw new DoorwardError(
          'configuration',
          `the secret key must have at least ${minimumBytes} bytes; make one with: openssl rand -base64 48`,
        );
      const id = createHash('sha256').update('doorward key id').update(material).digest('base64url').slice(0, 6);
      return { id, material, subkeys: new Map() };
    });
  }

  /** Names the writing key without telling anything about it; kept in the database to notice a wrong key. */
  get fingerprint(): string {
    return this.#writer().id;
  }

  /** Fingerprints of all keys, newest first. */
  get fingerprints(): readonly string[] {
    return this.#keys.map((key) => key.id);
  }

  /** Encrypts text for one purpose (AES-256-GCM, random nonce). `context` must be given again to open. */
  seal(purpose: Purpose, plain: string, context = ''): string {
    const key = this.#writer();
    const nonce = randomBits(12);
    const cipher = createCipheriv('aes-256-gcm', subkey(key, purpose), nonce).setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `${key.id}.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`;
  }

  /** The text that was sealed, or null when it was changed, is for another purpose or context, or its key is gone. */
  open(purpose: Purpose, sealed: string, context = ''): string | null {
    const [id, encoded = ''] = sealed.split('.', 2);
    const key = this.#keys.find((candidate) => candidate.id === id);
    const bytes = Buffer.from(encoded, 'base64url');
    if (key === undefined || bytes.length < 28) return null;
    const decipher = createDecipheriv('aes-256-gcm', subkey(key, purpose), bytes.subarray(0, 12))
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-16));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
    } catch {
      return null;
    }
  }

  /** The same under the first key, unchanged where that sealed it; null where it does not open. */
  reseal(purpose: Purpose, sealed: string, context = ''): string | null {
    const plain = this.open(purpose, sealed, context);
    if (plain === null) return null;
    return sealed.startsWith(`${this.fingerprint}.`) ? sealed : this.seal(purpose, plain, context);
  }

  /** `text.signature`, for values that are public but must not be changed. */
  sign(purpose: Purpose, text: string): string {
    const key = this.#writer();
    return `${text}.${key.id}${mac(key, purpose, text)}`;
  }

  /** The text of a signed value, or null when the signature is not ours. */
  verify(purpose: Purpose, signed: string): string | null {
    const at = signed.lastIndexOf('.');
    if (at < 0) return null;
    const text = signed.slice(0, at);
    const key = this.#keys.find((candidate) => candidate.id === signed.slice(at + 1, at + 7));
    if (key === undefined) return null;
    return sameText(signed.slice(at + 7), mac(key, purpose, text)) ? text : null;
  }

  /** A keyed hash, base64url: recognises a value without keeping it. */
  digest(purpose: Purpose, text: string): string {
    return mac(this.#writer(), purpose, text);
  }

  /** The digest by each key, newest first: recognises what an older key digested while keys are rotated. */
  digests(purpose: Purpose, text: string): readonly [string, ...string[]] {
    const [, ...older] = this.#keys;
    return [this.digest(purpose, text), ...older.map((key) => mac(key, purpose, text))];
  }

  #writer(): Key {
    const [first] = this.#keys;
    if (first === undefined) throw new DoorwardError('configuration', 'no secret key');
    return first;
  }
}

/** A fresh secret key for a new installation. */
export function newSecretKey(): string {
  return randomBytes(48).toString('base64url');
}

/** Compares two texts in constant time. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function subkey(key: Key, purpose: Purpose): Buffer {
  let derived = key.subkeys.get(purpose);
  if (derived === undefined) {
    derived = Buffer.from(hkdfSync('sha256', key.material, 'doorward', purpose, 32));
    key.subkeys.set(purpose, derived);
  }
  return derived;
}

function mac(key: Key, purpose: Purpose, text: string): string {
  return createHmac('sha256', subkey(key, purpose)).update(text).digest('base64url');
}

/**
 * A value that a person typed in confidence (a password). It prints and serialises as asterisks, so it cannot slip
 * into a log or an event; a run keeps it sealed.
 */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The text itself. Call it only to hash, seal or compare. */
  reveal(): string {
    return this.#value;
  }
  toJSON(): string {
    return masked;
  }
  toString(): string {
    return masked;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return masked;
  }
}

/** What stands in events and logs in place of a secret. */
export const masked = '********************';
