import { URI } from 'otpauth';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { WireChallenge } from '../../src/protocol/challenge.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import type { EngineRig } from './engine-rig.ts';
import { login } from './engine-rig.ts';
import type { StagePart } from './flow-yaml.ts';
import { SoftPasskey } from './soft-passkey.ts';

const setup = { designation: 'stage_configuration', authentication: 'require_authenticated' };

export function validate(attrs: StagePart['attrs'] = {}): StagePart {
  return { kind: 'authenticator_validate', attrs };
}

export const identify: StagePart = { kind: 'identification', attrs: { user_fields: ['username'] } };
export const password: StagePart = { kind: 'password', attrs: { backends: ['authentik.core.auth.InbuiltBackend'] } };

/** The flows of these tests: three setups, a sign-in that asks for a factor, and one by passkey alone. */
export async function makeFlows(rig: EngineRig): Promise<void> {
  await rig.flow('app-setup', [{ kind: 'authenticator_totp' }], { attrs: setup });
  await rig.flow('codes-setup', [{ kind: 'authenticator_static', attrs: { token_count: 3 } }], { attrs: setup });
  await rig.flow('passkey-setup', [{ kind: 'authenticator_webauthn' }], { attrs: setup });
  const authentication = { attrs: { designation: 'authentication' } };
  await rig.flow('two-steps', [identify, password, validate(), login], authentication);
  await rig.flow('passkey-alone', [validate({ device_classes: ['webauthn'] }), login], authentication);
}

/** A code of an app as it shows it at that moment. */
export function codeAt(address: string, at: number): string {
  return URI.parse(address).generate({ timestamp: at } as never);
}

/** Sets an app up; its address, and the moment is gone by when its code can be used. */
export async function addApp(rig: EngineRig, visitor: Visitor, flow = 'app-setup'): Promise<string> {
  const { config_url: address } = await visitor.open(flow);
  await visitor.answer({ code: codeAt(String(address), rig.clock.now()) });
  visitor.expectEnd();
  rig.clock.advance(30_000);
  return String(address);
}

/** Recovery codes of the visitor. */
export async function addCodes(visitor: Visitor): Promise<readonly string[]> {
  const { codes } = await visitor.open('codes-setup');
  await visitor.answer();
  visitor.expectEnd();
  return codes as readonly string[];
}

export async function addPasskey(visitor: Visitor, counts = true): Promise<SoftPasskey> {
  const { registration } = await visitor.open('passkey-setup');
  const passkey = new SoftPasskey('http://localhost:9000', counts);
  await visitor.answer({ response: passkey.register(registration as JsonObject) });
  visitor.expectEnd();
  return passkey;
}

/** Up to the second step of the sign-in. */
export async function atSecondStep(rig: EngineRig, username: string, address?: string): Promise<Visitor> {
  const visitor = rig.visitor(address === undefined ? {} : { address });
  await visitor.open('two-steps');
  await visitor.answer({ uid_field: username });
  await visitor.answer({ password: `${username} password` });
  return visitor;
}

/** What is offered, by class. */
export function offered({ device_challenges: challenges }: WireChallenge): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries((challenges as readonly JsonObject[]).map((one) => [String(one.device_class), one]));
}

/** The options of a passkey's use. */
export function passkeyOptions(challenge: WireChallenge): JsonObject {
  return offered(challenge).webauthn?.challenge as JsonObject;
}
