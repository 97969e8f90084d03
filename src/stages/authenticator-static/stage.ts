/**
 * Gives a user recovery codes, each good once. They are shown this one time, sealed in the run until then; what is kept
 * is their hashes. New codes take the place of older ones: who makes new ones no longer trusts the old sheet.
 */
import * as z from 'zod';
import { freshProofMs } from '../../engine/fresh-proof.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import { isPlainObject } from '../../kernel/json.ts';
import { Secret } from '../../kernel/secrets.ts';
import { text } from '../../protocol/text.ts';
import { added, changeEvent, contextAfter, newAuthenticator, whoSetsUp } from '../authenticator-setup.ts';
import { newRecoveryCode } from '../recovery-codes.ts';

const config = z.object({
  configure_flow: z.string().nullable().default(null).describe('Flow in which a user sets them up.'),
  friendly_name: z.string().nullable().default(null).describe('What users read where they choose it.'),
  token_count: z.number().int().min(1).max(50).default(6).describe('How many codes.'),
  token_length: z.number().int().min(8).max(64).default(12).describe('Characters of a code.'),
});
type StaticDesk = Desk<z.infer<typeof config>>;

/** The setup of recovery codes. */
export const authenticatorStatic = defineStage({
  kind: 'authenticator_static',
  model: 'authentik_stages_authenticator_static.authenticatorstaticstage',
  component: 'ak-stage-authenticator-static-form',
  description: 'Gives a user recovery codes to print.',
  config,
  references: { configure_flow: 'flow' },
  needs: [],
  gives: [],
  proof: () => ({ asks: true }),
  enter,
  async answer(desk) {
    const setUp = await whoSetsUp(desk);
    if ('outcome' in setUp && setUp.outcome.kind !== 'finish') return setUp.outcome;
    const kept = keptCodes(desk);
    // The proof was fresh when this was shown; so long it may take.
    if (kept === null || kept.at + freshProofMs <= desk.tools.now()) return enter(desk);
    if ('user' in setUp && setUp.user.id !== kept.user) return enter(desk);
    return keep(desk, kept);
  },
  async refused(_desk, refusal) {
    // Somebody else removed the older codes meanwhile.
    return { kind: 'deny', message: refusal.reason === 'missing' ? text('user_write.conflict') : null };
  },
});

interface KeptCodes {
  readonly user: number;
  readonly codes: readonly string[];
  readonly at: number;
}

async function enter(desk: StaticDesk): Promise<Outcome> {
  const setUp = await whoSetsUp(desk);
  if ('outcome' in setUp) return setUp.outcome;
  const { token_count: count, token_length: length } = desk.config;
  const codes = desk.unattended ? [] : Array.from({ length: count }, () => newRecoveryCode(length));
  const kept: KeptCodes = { user: setUp.user.id, codes, at: desk.tools.now() };
  return {
    kind: 'ask',
    challenge: { component: 'ak-stage-authenticator-static', codes: codes.map((code) => new Secret(code)) },
    ...(desk.unattended ? {} : { memo: new Secret(JSON.stringify(kept)) }),
  };
}

async function keep(desk: StaticDesk, { user: id, codes }: KeptCodes): Promise<Outcome> {
  const { read, tools } = desk;
  const user = await read.user(id);
  if (user === null) return { kind: 'deny', message: null };
  const made = newAuthenticator(desk, user, 'static', text('authenticator.static'));
  const authenticator = { ...made, codes: codes.map((code) => tools.codeHashes(made.uuid, code)[0]) };
  const older = (await read.authenticatorsOf(user.id)).filter(({ kind }) => kind === 'static');
  return {
    kind: 'pass',
    context: contextAfter(desk, authenticator),
    effects: [
      ...older.flatMap((one) => [
        { kind: 'authenticator.remove', uuid: one.uuid, userId: user.id } as const,
        changeEvent(desk, user, 'authenticator_removed', one),
      ]),
      ...added(desk, user, authenticator),
    ],
  };
}

function keptCodes({ memo }: StaticDesk): KeptCodes | null {
  const kept: unknown = memo instanceof Secret ? JSON.parse(memo.reveal()) : null;
  return isPlainObject(kept) ? (kept as unknown as KeptCodes) : null;
}
