/**
 * The two WebAuthn ceremonies, by the reference's JSON. A challenge is derived from session, place and time, so that a
 * page with a passkey button costs no row; the commit takes each only once.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Authenticator } from '../engine/authenticator.ts';
import type { Effect } from '../engine/effects.ts';
import type { Desk, Response } from '../engine/stage.ts';
import type { User } from '../engine/user.ts';
import { hashToken } from '../kernel/ids.ts';
import { isPlainObject, type Json, type JsonObject, member } from '../kernel/json.ts';
import type { PasskeyOptions } from '../protocol/challenge.ts';

/** A challenge is good for one to two of these. */
const slotMs = 10 * 60_000;
const ceremonyMs = 5 * 60_000;

export type Verification = 'required' | 'preferred' | 'discouraged';
type Ceremony = 'register' | 'use';

/** What a new passkey must be like. */
export interface PasskeyWishes {
  readonly user_verification: Verification;
  readonly resident_key_requirement: 'discouraged' | 'preferred' | 'required';
  readonly authenticator_attachment: 'platform' | 'cross-platform' | null;
  /** Models (AAGUID); none: all. */
  readonly device_type_restrictions: readonly string[];
}

/** What is known of a new passkey once its response was verified. */
export interface NewPasskey {
  readonly credential: string;
  readonly counter: number;
  readonly aaguid: string;
  readonly data: JsonObject;
  readonly used: Effect;
}

/** PublicKeyCredentialCreationOptionsJSON. */
export async function registrationOptions(
  desk: Desk,
  {
    user,
    known,
    wishes,
  }: { readonly user: User; readonly known: readonly Authenticator[]; readonly wishes: PasskeyWishes },
): Promise<PasskeyOptions> {
  const { generateRegistrationOptions } = await import('@simplewebauthn/server');
  const { authenticator_attachment: attachment } = wishes;
  const options = await generateRegistrationOptions({
    ...{
      rpName: desk.tools.brandName,
      rpID: rpId(desk),
      userName: user.username,
      userID: new Uint8Array(handleOf(user)),
    },
    ...{ userDisplayName: user.name === '' ? user.username : user.name, timeout: ceremonyMs },
    challenge: challengeNow(desk, 'register'),
    // Only who restricts models needs to know the model; everybody else is not asked for it.
    attestationType: wishes.device_type_restrictions.length === 0 ? 'none' : 'direct',
    excludeCredentials: descriptors(known),
    authenticatorSelection: {
      ...{ userVerification: wishes.user_verification, residentKey: wishes.resident_key_requirement },
      ...(attachment === null ? {} : { authenticatorAttachment: attachment }),
    },
  });
  return plain(options);
}

/** The passkey in a response, or null: another challenge, origin or site, or nothing that can be read (WA-2). */
export async function verifiedPasskey(
  desk: Desk,
  response: Response,
  { user_verification: verification }: PasskeyWishes,
): Promise<NewPasskey | null> {
  const sent = credentialIn(response, 'response');
  if (sent === null) return null;
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  let challenge = '';
  try {
    const { registrationInfo: info } = await verifyRegistrationResponse({
      response: sent as unknown as RegistrationResponseJSON,
      expectedChallenge: (said) => {
        challenge = said;
        return isOurChallenge(desk, 'register', said);
      },
      ...{ expectedOrigin: desk.visitor.origin, expectedRPID: rpId(desk) },
      requireUserVerification: verification === 'required',
    });
    if (info === undefined) return null;
    const { id, publicKey, counter, transports } = info.credential;
    return {
      ...{ credential: id, counter, aaguid: info.aaguid, used: onlyOnce(desk, challenge) },
      data: {
        ...{ public_key: Buffer.from(publicKey).toString('base64url'), rp_id: rpId(desk), aaguid: info.aaguid },
        ...{ transports: transports ?? [], device_type: info.credentialDeviceType, user_verified: info.userVerified },
      },
    };
  } catch (error) {
    return refused(desk, 'a passkey was not registered', error);
  }
}

/**
 * PublicKeyCredentialRequestOptionsJSON; without authenticators for any passkey that the browser has of this site. The
 * library is not needed for it, and the page of every sign-in may hold it.
 */
export function requestOptions(
  desk: Desk,
  known: readonly Authenticator[],
  verification: Verification,
): PasskeyOptions {
  const challenge = Buffer.from(challengeNow(desk, 'use')).toString('base64url');
  const allowCredentials = descriptors(known).map((one) => ({ ...one, type: 'public-key' }));
  return { challenge, rpId: rpId(desk), timeout: ceremonyMs, allowCredentials, userVerification: verification };
}

/** A passkey that was used, and what the commit must write for it to count. */
export interface UsedPasskey {
  readonly authenticator: Authenticator;
  readonly effects: readonly Effect[];
}

/**
 * Judges an assertion (AV-6).
 *
 * @param owner whose it must be; null where the passkey says who it is
 * @returns null for another challenge, origin, site or owner, a bad signature, a counter that went back
 */
export async function usedPasskey(
  desk: Desk,
  sent: JsonObject,
  { owner, verification }: { readonly owner: number | null; readonly verification: Verification },
): Promise<UsedPasskey | null> {
  const id = member(sent, 'id');
  const known = typeof id === 'string' && id.length <= 2_000 ? await desk.read.authenticatorByCredential(id) : null;
  if (known === null || (owner !== null && known.userId !== owner)) return null;
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  let challenge = '';
  try {
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: sent as unknown as AuthenticationResponseJSON,
      expectedChallenge: (said) => {
        challenge = said;
        return isOurChallenge(desk, 'use', said);
      },
      ...{ expectedOrigin: desk.visitor.origin, expectedRPID: rpId(desk) },
      credential: {
        ...{ id: known.credential ?? '', counter: known.counter },
        publicKey: new Uint8Array(Buffer.from(String(known.data.public_key), 'base64url')),
      },
      requireUserVerification: verification === 'required',
    });
    if (!verified) return null;
    const use: Effect = {
      ...{ kind: 'authenticator.use', uuid: known.uuid, userId: known.userId, at: desk.tools.now() },
      use: { signatures: info.newCounter },
    };
    return { authenticator: known, effects: [use, onlyOnce(desk, challenge)] };
  } catch (error) {
    return refused(desk, 'a passkey was not accepted', error);
  }
}

/**
 * A credential in an answer: an object from programs, a text from a form. The reference's client pads what is inside,
 * and calls the extensions by names of its own.
 */
export function credentialIn(response: Response, field: string): JsonObject | null {
  const sent = jsonObject(member(response, field));
  const inner = sent === null ? null : jsonObject(member(sent, 'response'));
  if (sent === null || inner === null) return null;
  const unpadded = Object.entries(inner).flatMap(([name, value]): [string, Json][] => {
    if (value === null) return [];
    return [[name, typeof value === 'string' ? value.replace(/=+$/, '') : value]];
  });
  const { id = '', rawId = id, type = '' } = sent;
  return { id, rawId, type, clientExtensionResults: {}, response: Object.fromEntries(unpadded) };
}

/** How a passkey names its user: the reference's user id, 64 letters. Nobody learns more by it than that it is the same. */
function handleOf({ uuid }: User): Buffer {
  return Buffer.from(Buffer.from(hashToken(uuid), 'base64url').toString('hex'));
}

function rpId({ visitor }: Desk): string {
  return new URL(visitor.origin).hostname;
}

function challengeNow(desk: Desk, ceremony: Ceremony): string {
  return challengeAt(desk, ceremony, Math.floor(desk.tools.now() / slotMs));
}

function challengeAt({ flow, binding, sessionHash, tools }: Desk, ceremony: Ceremony, slot: number): string {
  return tools.hashToken(['webauthn', ceremony, flow.slug, binding, sessionHash, String(slot)].join('\n'));
}

function isOurChallenge(desk: Desk, ceremony: Ceremony, said: string): boolean {
  const slot = Math.floor(desk.tools.now() / slotMs);
  const ours = [slot, slot - 1].map((one) => challengeAt(desk, ceremony, one));
  return ours.some((challenge) => Buffer.from(challenge).toString('base64url') === said);
}

function onlyOnce({ tools }: Desk, challenge: string): Effect {
  return { kind: 'once', name: `webauthn:${hashToken(challenge)}`, windowMs: 2 * slotMs, at: tools.now() };
}

function descriptors(known: readonly Authenticator[]): { id: string; transports: string[] }[] {
  return known.flatMap(({ credential, data }) => {
    const transports = Array.isArray(data.transports) ? data.transports.map(String) : [];
    return credential === null ? [] : [{ id: credential, transports }];
  });
}

/** What the library says is for the log: it may quote what was sent, but holds nothing secret. */
function refused({ tools, flow }: Desk, message: string, error: unknown): null {
  tools.log('info', message, { flow: flow.slug, error: error instanceof Error ? error.message : String(error) });
  return null;
}

function plain(options: object): PasskeyOptions {
  return JSON.parse(JSON.stringify(options)) as PasskeyOptions;
}

/** JSON from a program, or as a text from a form; null for anything else. */
export function jsonObject(value: Json | undefined): JsonObject | null {
  if (typeof value !== 'string') return isPlainObject(value) ? (value as JsonObject) : null;
  try {
    const parsed: unknown = JSON.parse(value);
    return isPlainObject(parsed) ? (parsed as JsonObject) : null;
  } catch {
    return null;
  }
}
