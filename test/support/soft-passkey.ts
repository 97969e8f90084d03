import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { JsonObject } from '../../src/kernel/json.ts';

/** What a passkey can be told to do wrong. */
export interface Mischief {
  /** Origin that the browser was at. */
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly counter?: number;
  readonly userVerified?: boolean;
}

/** A passkey in software: it answers the server's options as a browser with an authenticator does (WebAuthn level 2). */
export class SoftPasskey {
  readonly id = randomBytes(16).toString('base64url');
  readonly #origin: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  /** Of signatures so far; 0 for good where it does not count. */
  counter = 0;
  readonly counts: boolean;

  constructor(origin: string, counts = true) {
    this.#origin = origin;
    this.counts = counts;
    ({ privateKey: this.#privateKey, publicKey: this.#publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  }

  /** RegistrationResponseJSON for PublicKeyCredentialCreationOptionsJSON. */
  register(options: JsonObject, mischief: Mischief = {}): JsonObject {
    const { x = '', y = '' } = this.#publicKey.export({ format: 'jwk' });
    const key = map([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]);
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    const attested = Buffer.concat([Buffer.alloc(16), length, id, key]);
    const rpId = String((options.rp as JsonObject).id);
    const authData = Buffer.concat([this.#authData({ rpId, ...mischief }, true), attested]);
    const attestationObject = map([
      ['fmt', 'none'],
      ['attStmt', map([])],
      ['authData', authData],
    ]);
    const clientDataJSON = this.#clientData('webauthn.create', options, mischief);
    return this.#credential({ clientDataJSON, attestationObject: attestationObject.toString('base64url') });
  }

  /** AuthenticationResponseJSON for PublicKeyCredentialRequestOptionsJSON. */
  use(options: JsonObject, mischief: Mischief = {}): JsonObject {
    if (this.counts) this.counter += 1;
    const authData = this.#authData({ rpId: String(options.rpId), ...mischief }, false);
    const clientDataJSON = this.#clientData('webauthn.get', options, mischief);
    const hash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest();
    const signature = sign('sha256', Buffer.concat([authData, hash]), this.#privateKey).toString('base64url');
    return this.#credential({ clientDataJSON, authenticatorData: authData.toString('base64url'), signature });
  }

  #credential(response: JsonObject): JsonObject {
    return { id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {}, response };
  }

  #clientData(type: string, options: JsonObject, { challenge, origin }: Mischief): string {
    const data = {
      type,
      challenge: challenge ?? options.challenge,
      origin: origin ?? this.#origin,
      crossOrigin: false,
    };
    return Buffer.from(JSON.stringify(data)).toString('base64url');
  }

  #authData({ rpId = '', counter = this.counter, userVerified = true }: Mischief, attested: boolean): Buffer {
    const flags = 1 | (userVerified ? 4 : 0) | (attested ? 64 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), count]);
  }
}

type Cbor = number | string | Buffer;

/** Buffers that are maps, and not byte strings. */
const maps = new WeakSet<Buffer>();

function map(entries: readonly (readonly [number | string, Cbor])[]): Buffer {
  const parts = entries.flatMap(([key, value]) => [cbor(key), cbor(value)]);
  const bytes = Buffer.concat([head(5, entries.length), ...parts]);
  maps.add(bytes);
  return bytes;
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  return maps.has(value) ? value : Buffer.concat([head(2, value.length), value]);
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument]);
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 255]);
}
