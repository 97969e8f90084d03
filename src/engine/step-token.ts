import type { Keyring } from '../kernel/secrets.ts';

/** What a form sends back to say which step it answers. */
export interface StepToken {
  readonly run: string;
  readonly seq: number;
  readonly session: string;
  /** Milliseconds since the epoch. */
  readonly mintedAt: number;
}

/** Signs a step token: public, but bound to run, step and session. */
export function mintStepToken(keyring: Keyring, token: StepToken): string {
  return keyring.sign('step', [token.run, token.seq, token.session, token.mintedAt.toString(36)].join('~'));
}

/** The token's content, or null when it is not ours. */
export function readStepToken(keyring: Keyring, signed: string): StepToken | null {
  const [run, seq, session, mintedAt] = keyring.verify('step', signed)?.split('~') ?? [];
  if (run === undefined || seq === undefined || session === undefined || mintedAt === undefined) return null;
  return { run, seq: Number(seq), session, mintedAt: Number.parseInt(mintedAt, 36) };
}
