/** One step of the schema, forward only. What is released here is never changed again. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  /** Words in braces differ per database; `text` and `bigint` are translated. */
  readonly ddl: string;
  /** Statements for one database alone. */
  readonly postgres?: string;
}

const accounts = `
CREATE TABLE doorward_user (
  id {id}, uuid text NOT NULL, username text NOT NULL, username_key text NOT NULL, name text NOT NULL,
  email text NOT NULL, email_key text, upn_key text, path text NOT NULL, type text NOT NULL, is_active bigint NOT NULL,
  attributes text NOT NULL, date_joined bigint NOT NULL, last_login bigint, password_changed_at bigint,
  last_updated bigint NOT NULL, version bigint NOT NULL, provenance text NOT NULL
) {strict};
CREATE UNIQUE INDEX doorward_user_uuid ON doorward_user (uuid);
CREATE UNIQUE INDEX doorward_user_username_key ON doorward_user (username_key);
CREATE INDEX doorward_user_email_key ON doorward_user (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX doorward_user_upn_key ON doorward_user (upn_key) WHERE upn_key IS NOT NULL;

CREATE TABLE doorward_credential (
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE, kind text NOT NULL, name text NOT NULL,
  secret text NOT NULL, data text NOT NULL, created_at bigint NOT NULL, PRIMARY KEY (user_id, kind, name)
) {keyed};

CREATE TABLE doorward_group (
  pk text NOT NULL PRIMARY KEY, name text NOT NULL, is_superuser bigint NOT NULL,
  parent text REFERENCES doorward_group (pk) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, attributes text NOT NULL
) {strict};
CREATE UNIQUE INDEX doorward_group_name ON doorward_group (name);
CREATE INDEX doorward_group_parent ON doorward_group (parent) WHERE parent IS NOT NULL;

CREATE TABLE doorward_membership (
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE,
  group_pk text NOT NULL REFERENCES doorward_group (pk) ON DELETE CASCADE, PRIMARY KEY (user_id, group_pk)
) {keyed};
CREATE INDEX doorward_membership_group ON doorward_membership (group_pk);

CREATE TABLE doorward_connection (
  source text NOT NULL, identifier text NOT NULL,
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE, created_at bigint NOT NULL,
  PRIMARY KEY (source, identifier)
) {keyed};
CREATE INDEX doorward_connection_user ON doorward_connection (user_id);
`;

const visits = `
CREATE TABLE doorward_session (
  token_hash text NOT NULL PRIMARY KEY, uuid text NOT NULL,
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE,
  impersonator_id bigint REFERENCES doorward_user (id) ON DELETE CASCADE, created_at bigint NOT NULL,
  last_used_at bigint NOT NULL, expires_at bigint NOT NULL, idle_timeout bigint, persistent bigint NOT NULL,
  address text NOT NULL, agent text NOT NULL, auth_method text NOT NULL,
  returns_to text REFERENCES doorward_session (token_hash) ON DELETE CASCADE ON UPDATE CASCADE
) {strict};
CREATE UNIQUE INDEX doorward_session_uuid ON doorward_session (uuid);
CREATE INDEX doorward_session_user ON doorward_session (user_id);
CREATE INDEX doorward_session_impersonator ON doorward_session (impersonator_id) WHERE impersonator_id IS NOT NULL;
CREATE INDEX doorward_session_returns ON doorward_session (returns_to) WHERE returns_to IS NOT NULL;

CREATE TABLE doorward_run (
  id text NOT NULL PRIMARY KEY, session text NOT NULL, origin_session text, flow text NOT NULL, variant text NOT NULL,
  version bigint NOT NULL, user_id bigint, impersonator_id bigint, seq bigint NOT NULL, state text NOT NULL, ended text,
  ended_at bigint, commit_id text NOT NULL, created_at bigint NOT NULL, expires_at bigint NOT NULL
) {strict};
CREATE UNIQUE INDEX doorward_run_open ON doorward_run (session, flow, variant) WHERE ended IS NULL;
CREATE INDEX doorward_run_session ON doorward_run (session);
CREATE INDEX doorward_run_origin ON doorward_run (origin_session) WHERE origin_session IS NOT NULL;

CREATE TABLE doorward_attempt (
  bucket text NOT NULL PRIMARY KEY, window_start bigint NOT NULL, count bigint NOT NULL, expires_at bigint NOT NULL
) {keyed};

CREATE TABLE doorward_token (
  hash text NOT NULL PRIMARY KEY, uuid text NOT NULL, purpose text NOT NULL, flow text,
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE, created_at bigint NOT NULL,
  expires_at bigint NOT NULL, description text NOT NULL
) {strict};
CREATE UNIQUE INDEX doorward_token_uuid ON doorward_token (uuid);
CREATE UNIQUE INDEX doorward_token_link ON doorward_token (user_id, purpose) WHERE flow IS NOT NULL;
CREATE INDEX doorward_token_user ON doorward_token (user_id);

CREATE TABLE doorward_setup (id bigint NOT NULL PRIMARY KEY, secret_hash text NOT NULL, created_at bigint NOT NULL) {strict};
`;

const records = `
CREATE TABLE doorward_event (
  id {serial}, action text NOT NULL, user_id bigint, actor text, behalf_id bigint, on_behalf_of text, context text NOT NULL,
  address text NOT NULL, request_id text NOT NULL, flow text, created_at bigint NOT NULL
) {strict};
CREATE INDEX doorward_event_user ON doorward_event (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX doorward_event_behalf ON doorward_event (behalf_id) WHERE behalf_id IS NOT NULL;

CREATE TABLE doorward_outbox (
  id {serial}, uuid text NOT NULL, kind text NOT NULL, channel text NOT NULL, user_id bigint, payload text,
  created_at bigint NOT NULL, due_at bigint NOT NULL, tries bigint NOT NULL, last_error text, leased_until bigint,
  sent_at bigint, set_aside_at bigint
) {strict};
CREATE INDEX doorward_outbox_due ON doorward_outbox (channel, due_at) WHERE sent_at IS NULL AND set_aside_at IS NULL;
CREATE INDEX doorward_outbox_line ON doorward_outbox (channel, user_id, id)
  WHERE sent_at IS NULL AND set_aside_at IS NULL;
CREATE INDEX doorward_outbox_left ON doorward_outbox (id) WHERE sent_at IS NULL;
CREATE INDEX doorward_outbox_sent ON doorward_outbox (sent_at) WHERE sent_at IS NOT NULL;
`;

const definitions = `
CREATE TABLE doorward_definition (pk text NOT NULL PRIMARY KEY, model text NOT NULL, attrs text NOT NULL) {strict};
CREATE TABLE doorward_flow_version (
  slug text NOT NULL, version bigint NOT NULL, definition text NOT NULL, created_at bigint NOT NULL,
  PRIMARY KEY (slug, version)
) {strict};
CREATE TABLE doorward_flow (slug text NOT NULL PRIMARY KEY, current_version bigint NOT NULL) {strict};
CREATE TABLE doorward_install (key text NOT NULL PRIMARY KEY, value text NOT NULL) {strict};
INSERT INTO doorward_install (key, value) VALUES ('revision', '0');
CREATE TABLE doorward_id_block (name text NOT NULL PRIMARY KEY, next bigint NOT NULL) {strict};
INSERT INTO doorward_id_block (name, next) VALUES ('user', 1);
`;

const pasts = `
CREATE TABLE doorward_password_history (
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE, hash text NOT NULL, set_at bigint NOT NULL,
  PRIMARY KEY (user_id, hash)
) {keyed};
CREATE TABLE doorward_reputation (
  subject text NOT NULL, address text NOT NULL, score bigint NOT NULL, updated_at bigint NOT NULL,
  PRIMARY KEY (subject, address)
) {keyed};
CREATE INDEX doorward_reputation_address ON doorward_reputation (address);
`;

const factors = `
CREATE TABLE doorward_authenticator (
  uuid text NOT NULL PRIMARY KEY, user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE,
  kind text NOT NULL, name text NOT NULL, created_at bigint NOT NULL, last_used_at bigint, credential text, secret text,
  data text NOT NULL, counter bigint NOT NULL
) {strict};
CREATE INDEX doorward_authenticator_user ON doorward_authenticator (user_id);
CREATE UNIQUE INDEX doorward_authenticator_credential ON doorward_authenticator (credential)
  WHERE credential IS NOT NULL;
CREATE TABLE doorward_recovery_code (
  authenticator text NOT NULL REFERENCES doorward_authenticator (uuid) ON DELETE CASCADE, hash text NOT NULL,
  PRIMARY KEY (authenticator, hash)
) {keyed};
ALTER TABLE doorward_session ADD COLUMN factors text NOT NULL DEFAULT '[]';
`;

const keys = `
CREATE TABLE doorward_run_key (
  hash text NOT NULL PRIMARY KEY, code_hash text, purpose text NOT NULL, flow text NOT NULL, version bigint NOT NULL,
  run text NOT NULL REFERENCES doorward_run (id) ON DELETE CASCADE, binding text NOT NULL,
  user_id bigint REFERENCES doorward_user (id) ON DELETE CASCADE, address text NOT NULL, asked text NOT NULL,
  takes_over bigint NOT NULL, expires_at bigint NOT NULL
) {strict};
CREATE INDEX doorward_run_key_run ON doorward_run_key (run);
CREATE INDEX doorward_run_key_user ON doorward_run_key (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX doorward_run_key_expires ON doorward_run_key (expires_at);
`;

const invitations = `
CREATE TABLE doorward_invitation (
  uuid text NOT NULL PRIMARY KEY, hash text NOT NULL, name text NOT NULL, flow text, fixed_data text NOT NULL,
  single_use bigint NOT NULL, created_by bigint REFERENCES doorward_user (id) ON DELETE SET NULL,
  created_at bigint NOT NULL, expires_at bigint NOT NULL, uses bigint NOT NULL
) {strict};
CREATE UNIQUE INDEX doorward_invitation_hash ON doorward_invitation (hash);
CREATE INDEX doorward_invitation_expires ON doorward_invitation (expires_at);
CREATE INDEX doorward_invitation_creator ON doorward_invitation (created_by) WHERE created_by IS NOT NULL;
`;

const approvals = `
CREATE TABLE doorward_approval (
  uuid text NOT NULL PRIMARY KEY, run text NOT NULL REFERENCES doorward_run (id) ON DELETE CASCADE, flow text NOT NULL,
  binding text NOT NULL, group_pk text NOT NULL, required bigint NOT NULL, asked text NOT NULL, created_at bigint NOT NULL,
  deadline_at bigint NOT NULL, remind_at bigint, status text NOT NULL
) {strict};
CREATE INDEX doorward_approval_run ON doorward_approval (run);
CREATE INDEX doorward_approval_due ON doorward_approval (deadline_at) WHERE status = 'waiting';
CREATE INDEX doorward_approval_remind ON doorward_approval (remind_at) WHERE status = 'waiting' AND remind_at IS NOT NULL;
CREATE TABLE doorward_approval_word (
  approval text NOT NULL REFERENCES doorward_approval (uuid) ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE, verdict text NOT NULL, reason text NOT NULL,
  said_at bigint NOT NULL, PRIMARY KEY (approval, user_id)
) {keyed};
CREATE INDEX doorward_approval_word_user ON doorward_approval_word (user_id);
`;

const verified = `
ALTER TABLE doorward_user ADD COLUMN email_verified_at bigint;
CREATE INDEX doorward_user_verified_email ON doorward_user (email_key) WHERE email_verified_at IS NOT NULL;
`;

const agreements = `
CREATE TABLE doorward_consent (
  uuid text NOT NULL PRIMARY KEY, user_id bigint NOT NULL REFERENCES doorward_user (id) ON DELETE CASCADE,
  given_to text NOT NULL, name text NOT NULL, wording text NOT NULL, permissions text NOT NULL, given_at bigint NOT NULL,
  expires_at bigint
) {strict};
CREATE UNIQUE INDEX doorward_consent_receiver ON doorward_consent (user_id, given_to);
CREATE INDEX doorward_consent_expires ON doorward_consent (expires_at) WHERE expires_at IS NOT NULL;
ALTER TABLE doorward_connection ADD COLUMN uuid text NOT NULL DEFAULT '';
UPDATE doorward_connection SET uuid = {random};
CREATE UNIQUE INDEX doorward_connection_uuid ON doorward_connection (uuid);
`;

const places = 'ALTER TABLE doorward_session ADD COLUMN bound_to text;';

/** Raises with a private SQLSTATE and the number of the statement whose guard failed: aborts a folded commit. */
const refuse = `
CREATE FUNCTION doorward_refuse(statement text) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = 'DW001', MESSAGE = statement; END $$;
`;

export const migrations: readonly Migration[] = [
  { id: 1, name: 'first schema', ddl: `${accounts}${visits}${records}${definitions}`, postgres: refuse },
  { id: 2, name: 'password history and reputation', ddl: pasts },
  { id: 3, name: 'authenticators', ddl: factors },
  { id: 4, name: 'keys to waiting runs', ddl: keys },
  { id: 5, name: 'invitations', ddl: invitations },
  { id: 6, name: 'approvals', ddl: approvals },
  { id: 7, name: 'verified addresses', ddl: verified },
  { id: 8, name: 'consents, and names of connections', ddl: agreements },
  { id: 9, name: 'where sessions hold', ddl: places },
];

const words = {
  sqlite: {
    '{id}': 'integer PRIMARY KEY',
    '{serial}': 'integer PRIMARY KEY AUTOINCREMENT',
    '{random}': 'lower(hex(randomblob(16)))',
    '{strict}': 'STRICT',
    '{keyed}': 'STRICT, WITHOUT ROWID',
  },
  postgres: {
    '{id}': 'bigint PRIMARY KEY',
    '{serial}': 'bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY',
    '{random}': 'gen_random_uuid()',
    '{strict}': '',
    '{keyed}': '',
  },
} as const;

/** The statements of a migration as one database reads them. Texts sort by code point on both. */
export function ddlFor(dialect: 'sqlite' | 'postgres', migration: Migration): string {
  let ddl = migration.ddl;
  for (const [word, meaning] of Object.entries(words[dialect])) ddl = ddl.replaceAll(word, meaning);
  if (dialect === 'sqlite') return ddl.replace(/\bbigint\b/g, 'integer');
  return `${ddl.replace(/\btext\b/g, 'text COLLATE "C"')}${migration.postgres ?? ''}`;
}
