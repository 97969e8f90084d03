/** Everything that the proof can find, in the order of docs/proof.md. */

export const severities = ['error', 'warning', 'note'] as const;
export type Severity = (typeof severities)[number];

/** `refuse`: an error keeps blueprints from being applied; `warn`: everything is told and nothing refused. */
export const proofModes = ['refuse', 'warn', 'off'] as const;
export type ProofMode = (typeof proofModes)[number];

interface Code {
  readonly severity: Severity;
  /** For lists of rules, such as that of a code scanner. */
  readonly title: string;
}

const table = {
  // Accounts that exist
  sign_in_without_proof: { severity: 'error', title: 'Somebody is signed in without a proof of who they are' },
  password_without_proof: {
    severity: 'error',
    title: "A user's password is set without a proof of who the visitor is",
  },
  write_without_proof: { severity: 'error', title: 'A user is written without a proof of who the visitor is' },
  delete_without_proof: { severity: 'error', title: 'A user is deleted without a proof of who the visitor is' },
  recovery_skips_factor: { severity: 'error', title: 'Recovery signs in without the factor that sign-in asks for' },
  overwrites_signed_in: { severity: 'error', title: 'An enrollment overwrites the account of who is signed in' },
  password_by_session: { severity: 'warning', title: 'A session that was left open is enough to set a new password' },
  delete_by_session: { severity: 'warning', title: 'A session that was left open is enough to delete the account' },
  factor_skippable: { severity: 'note', title: 'A policy decides whether a factor is asked' },
  link_not_used_up: { severity: 'warning', title: 'A one-time secret stays good after it was used' },
  // New accounts
  creates_users: { severity: 'error', title: 'A flow that is no enrollment makes users' },
  active_before_email: { severity: 'warning', title: 'A new user is active before the address is proven' },
  inactive_sign_in: { severity: 'warning', title: 'A new user is inactive and signed in at once, which is refused' },
  sign_in_before_write: { severity: 'error', title: 'Somebody is to be signed in before there is a user' },
  no_username: { severity: 'error', title: 'A user is to be made whose username nobody asked for' },
  // Policies
  fails_open: { severity: 'error', title: 'A policy that cannot run lets everybody through' },
  policy_says_who: { severity: 'warning', title: 'A policy may say who the flow is about' },
  policy_redirects: { severity: 'note', title: 'A policy sends visitors elsewhere' },
  not_installed: { severity: 'error', title: 'A stage or policy of a kind that is not installed' },
  // Answers
  discarded_key: { severity: 'warning', title: 'An answer that the write stage discards' },
  write_refused: { severity: 'error', title: 'Answers that cannot be written together' },
  key_asked_twice: { severity: 'warning', title: 'Two prompts for one key' },
  passwords_must_match: {
    severity: 'warning',
    title: 'Different passwords asked in one form, where they must be equal',
  },
  password_repeat_apart: { severity: 'warning', title: 'A password and its repetition that nobody compares' },
  // Ways
  dead_end: { severity: 'error', title: 'A flow that nobody can finish' },
  empty_flow: { severity: 'warning', title: 'A flow without stages' },
  jump_to_nowhere: { severity: 'error', title: 'A redirect into a flow that does not exist' },
  jump_loop: { severity: 'error', title: 'Flows that lead into each other without asking anything' },
  restart_loop: { severity: 'error', title: 'A flow that begins anew for ever' },
  link_taken: { severity: 'warning', title: 'A link in a message that another stage takes for its own' },
  unmet_need: { severity: 'warning', title: 'A stage without what it needs' },
  may_lack: { severity: 'note', title: 'A stage that lacks what it needs on some path' },
  unreachable_stage: { severity: 'note', title: 'A stage that nobody reaches' },
  unreachable_flow: { severity: 'warning', title: 'A flow that nobody is led into' },
  // What others learn
  reveals_accounts: { severity: 'warning', title: 'A page that tells who has an account' },
  redirect_out: { severity: 'warning', title: 'A redirect to another site' },
  // The proof itself
  unknown_stage: { severity: 'note', title: 'A stage that does not declare what it does' },
  too_many_paths: { severity: 'warning', title: 'A flow with more paths than were walked' },
} as const satisfies Record<string, Code>;

export type FindingCode = keyof typeof table;

export const codes: Readonly<Record<FindingCode, Code>> = table;

/** Whether a text is a code, for what people type. */
export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(table, text);
}
