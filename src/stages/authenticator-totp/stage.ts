/**
 * Sets up an authenticator app: shows a key, and keeps it once a code proves that the app has it. Until then the key
 * lies sealed in the run. It gets the user, and proof of who they are, from session or run.
 */
import * as z from 'zod';
import { withFactor } from '../../engine/factors.ts';
import { freshProofMs } from '../../engine/fresh-proof.ts';
import { type Desk, defineStage, type Outcome, type Response } from '../../engine/stage.ts';
import { isPlainObject, member } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { text } from '../../protocol/text.ts';
import { added, contextAfter, newAuthenticator, whoSetsUp } from '../authenticator-setup.ts';
import { acceptedStep, newTotpSecret, totpAddress, totpCode } from '../totp.ts';

const config = z.object({
  configure_flow: z.string().nullable().default(null).describe('Flow in which a user sets one up.'),
  friendly_name: z.string().nullable().default(null).describe('What users read where they choose it.'),
  digits: z
    .union([z.enum(['6', '8']), z.literal(6), z.literal(8)])
    .transform((digits) => String(digits))
    .default('6')
    .describe('Of a code.'),
});
type TotpDesk = Desk<z.infer<typeof config>>;

/** The setup of an authenticator app (TO-1 to TO-5). */
export const authenticatorTotp = defineStage({
  kind: 'authenticator_totp',
  model: 'authentik_stages_authenticator_totp.authenticatortotpstage',
  component: 'ak-stage-authenticator-totp-form',
  description: 'Sets up an authenticator app, which shows a new code every half a minute.',
  config,
  references: { configure_flow: 'flow' },
  needs: [],
  gives: ['auth_method_args'],
  proof: () => ({ asks: true }),
  secretFields: () => ['code'],
  enter,
  async answer(desk, response) {
    const setUp = await whoSetsUp(desk);
    if ('outcome' in setUp && setUp.outcome.kind !== 'finish') return setUp.outcome;
    const kept = keptKey(desk);
    // The proof was fresh when this was shown; so long it may take.
    if (kept === null || kept.at + freshProofMs <= desk.tools.now()) return enter(desk);
    if ('user' in setUp && setUp.user.id !== kept.user) return enter(desk);
    return judge(desk, response, kept);
  },
  async refused() {
    return { kind: 'deny', message: null };
  },
});

interface KeptKey {
  readonly user: number;
  readonly secret: string;
  readonly at: number;
}

async function enter(desk: TotpDesk): Promise<Outcome> {
  const setUp = await whoSetsUp(desk);
  if ('outcome' in setUp) return setUp.outcome;
  const { user } = setUp;
  const digits = Number(desk.config.digits);
  // Without a visitor nobody could read the key.
  if (desk.unattended)
    return { kind: 'ask', challenge: { component: 'ak-stage-authenticator-totp', config_url: '', digits } };
  const secret = await newTotpSecret();
  const kept: KeptKey = { user: user.id, secret, at: desk.tools.now() };
  const address = await totpAddress({ secret, digits }, { issuer: desk.tools.brandName, user: user.username });
  return {
    kind: 'ask',
    challenge: { component: 'ak-stage-authenticator-totp', config_url: new Secret(address), digits },
    memo: new Secret(JSON.stringify(kept)),
  };
}

async function judge(desk: TotpDesk, response: Response, { user: id, secret }: KeptKey): Promise<Outcome> {
  const user = await desk.read.user(id);
  if (user === null) return { kind: 'deny', message: null };
  const digits = Number(desk.config.digits);
  const code = totpCode(member(response, 'code'), digits);
  const accepted =
    code === null ? null : await acceptedStep({ secret, digits, drift: 0, counter: 0 }, code, desk.tools.now());
  if (accepted === null) {
    const problem = { code: 'invalid', text: text('authenticator_totp.invalid') };
    return { kind: 'retry', problems: { code: [problem] } };
  }
  const authenticator = {
    ...newAuthenticator(desk, user, 'totp', text('authenticator.totp')),
    secret: new Secret(secret),
    data: { digits, drift: accepted.drift },
    // The code that proved it is used up: nobody signs in with it (TO-5).
    counter: accepted.step,
  };
  const used = { ...authenticator, codesLeft: 0 };
  return {
    kind: 'pass',
    context: { ...contextAfter(desk, authenticator), auth_method_args: withFactor(desk.context, used) },
    effects: added(desk, user, authenticator),
  };
}

function keptKey({ memo }: TotpDesk): KeptKey | null {
  const kept: unknown = memo instanceof Secret ? JSON.parse(memo.reveal()) : null;
  return isPlainObject(kept) ? (kept as unknown as KeptKey) : null;
}
