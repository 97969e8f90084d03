/**
 * The library's door. `createDoorward` gives an identity provider to mount in any Node application; `doorward serve`
 * is nothing but this on a port.
 */

import type { App } from './app/app.ts';
import { type ApprovalRequests, approvalRequests } from './app/approval-requests.ts';
import type { AppliedBlueprints, BlueprintOptions, Blueprints, CheckedBlueprints } from './app/blueprints.ts';
import { createApp } from './app/create.ts';
import type { ExecuteOptions, ExecuteResult } from './app/execute.ts';
import type { FlowVersions } from './app/flow-versions.ts';
import type { Groups } from './app/groups.ts';
import { outsideHooks } from './app/hooks.ts';
import type { Invitations } from './app/invitations.ts';
import type { BlueprintSource, DoorwardOptions } from './app/options.ts';
import { type OutboxDesk, outboxDesk } from './app/outbox.ts';
import type { Tokens } from './app/tokens.ts';
import type { SignedInOf, UserOf, UsersOf } from './app/typed-users.ts';
import type { NewUser } from './app/users.ts';
import type { AttributesOf, TypedFlow } from './blueprints/typed/flow.ts';
import { clientAddress, trustedNetworks } from './http/address.ts';
import { sessionTokenOf } from './http/cookies.ts';
import { createHandler } from './http/handler.ts';
import { newUuid } from './kernel/ids.ts';

export type { ApprovalRequest, ApprovalRequests, ApprovalWordOf } from './app/approval-requests.ts';
export type { AppliedBlueprints, BlueprintOptions, CheckedBlueprints } from './app/blueprints.ts';
export type { ExecuteOptions, ExecuteResult, UserReference } from './app/execute.ts';
export type { DiagramFormat } from './app/flow-diagram.ts';
export type { FlowDifference, FlowVersion, FlowVersions, Rollback } from './app/flow-versions.ts';
export type { Groups, NewGroup } from './app/groups.ts';
export { HookVeto, type VetoPlace } from './app/hooks.ts';
export type {
  Invitation,
  InvitationChanges,
  InvitationList,
  Invitations,
  ListedInvitation,
  MadeInvitation,
  NewInvitation,
} from './app/invitations.ts';
export type {
  BlueprintSource,
  BlueprintsFolder,
  DatabaseOption,
  DoorwardOptions,
  Hasher,
  HookOptions,
  Locate,
  Log,
  PlacesFiles,
  PlacesOption,
  UserWriteHook,
  WebhookOption,
} from './app/options.ts';
export type { OutboxDesk, OutboxEntry } from './app/outbox.ts';
export type { BudgetOptions, RateLimitOptions } from './app/rate-limits.ts';
export type { RetentionOptions } from './app/retention.ts';
export type { ListedToken, Tokens } from './app/tokens.ts';
export type { SignedInOf, UserOf, UsersOf } from './app/typed-users.ts';
export type { Actor, NewUser, UserUpdate } from './app/users.ts';
export {
  authenticatorEmail,
  authenticatorStatic,
  authenticatorTotp,
  authenticatorValidate,
  authenticatorWebauthn,
} from './blueprints/typed/authenticators.ts';
export {
  type Conditions,
  type FlowFunction,
  type FlowRequest,
  inGroup,
  not,
  policy,
} from './blueprints/typed/condition.ts';
export { type Answers, type FieldOptions, field, type TypedField } from './blueprints/typed/field.ts';
export { type AttributesOf, defineFlow, type TypedFlow } from './blueprints/typed/flow.ts';
export type { PlainFacts, StageFacts, StageOptions, TypedStage } from './blueprints/typed/stage.ts';
export {
  approval,
  captcha,
  consent,
  deny,
  dummy,
  email,
  identification,
  initialSetup,
  invitation,
  oneTimeLink,
  type PromptFacts,
  password,
  prompt,
  redirect,
  stage,
  userDelete,
  userLogin,
  userLogout,
  userWrite,
  type WriteFacts,
} from './blueprints/typed/stages.ts';
export type { HookChange, HookParam, HookTransaction, UserWritten } from './engine/hooks.ts';
export { definePolicy, type Policy, type PolicyDesk, type PolicyVerdict } from './engine/policy.ts';
export { type Desk, defineStage, type Outcome, type Stage } from './engine/stage.ts';
export type { StageProof } from './engine/stage-proof.ts';
export type { Group, Session, User } from './engine/user.ts';
export { DoorwardError, type ErrorCode, isDoorwardError } from './kernel/errors.ts';

/** An identity provider, ready to answer. `Attributes`: what the flows in code ask users for. */
export interface Doorward<Attributes = unknown> {
  /**
   * Answers one request: pages, API, assets. `address` is the socket's peer address; forwarding headers count only from
   * `trustedProxies`.
   *
   * @example
   * app.all('/*', (c) => auth.fetch(c.req.raw));
   */
  fetch(request: Request, info?: { readonly address?: string }): Promise<Response>;
  /**
   * Who is signed in, by the request's cookie; null for nobody. `address` as for `fetch`: without it, a session that is
   * bound to a network or a place is nobody's.
   */
  session(request: Request, info?: { readonly address?: string }): Promise<SignedInOf<Attributes> | null>;
  readonly users: UsersOf<Attributes> & {
    list(filter?: {
      search?: string;
      isActive?: boolean;
      page?: number;
      pageSize?: number;
    }): Promise<{ users: readonly UserOf<Attributes>[]; total: number }>;
  };
  readonly groups: Groups;
  /** One-time links, and access to the REST API for programs. */
  readonly tokens: Omit<Tokens, 'userOf'>;
  /** Who may come into a flow, with what they cannot change. */
  readonly invitations: Invitations;
  /** Who waits to be approved, and the word of those who may decide. */
  readonly approvals: ApprovalRequests;
  readonly flows: {
    /** Applies blueprints (YAML), all or nothing. @throws DoorwardError `blueprint` with file, line and column */
    apply(yaml: string | readonly BlueprintSource[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
    /** Tells what an apply would change, and changes nothing. @throws DoorwardError as `apply` */
    plan(yaml: string | readonly BlueprintSource[], options?: BlueprintOptions): Promise<AppliedBlueprints>;
    /**
     * Walks every way through every flow, as they would be with these blueprints, and tells what can happen that must
     * not, with the path that shows it (docs/proof.md). Changes nothing. @throws DoorwardError as `apply`
     */
    check(yaml?: string | readonly BlueprintSource[], options?: BlueprintOptions): Promise<CheckedBlueprints>;
    /** A flow as a blueprint (YAML) for another installation; secrets are left out. @throws DoorwardError `flow_not_found` */
    export(slug: string): Promise<string>;
    /** The versions of a flow that are kept, the newest first. @throws DoorwardError `flow_not_found` */
    versions: FlowVersions['versions'];
    /** What changed between two versions; by default from the one before to the current one. */
    diff: FlowVersions['diff'];
    /**
     * Makes an earlier version (by default the one before) the current one again, as a new version; visitors under way
     * finish on theirs. @throws DoorwardError `flow_not_found`, `not_found`, `refused`, `blueprint`
     */
    rollback: FlowVersions['rollback'];
    /** A picture of a flow: text for Mermaid, or an SVG. @throws DoorwardError `flow_not_found` */
    diagram: App['diagram'];
    /** What became of each file of `blueprintsDir`. */
    files: Blueprints['files'];
    /**
     * Runs a flow without a browser, up to its end or the first challenge that only a person can answer; what was
     * decided up to there is committed in one transaction. Prompts take their fields from `prompt_data` and check them
     * as always; user_login passes without a session.
     *
     * @example
     * const { status, report } = await auth.flows.execute('profile', {
     *   visitor: { username: 'ada' },
     *   context: { prompt_data: { name: 'Ada Lovelace', 'attributes.team': 'engines' } },
     *   dryRun: true,
     * });
     * @throws DoorwardError `flow_not_found`, `not_found` for an unknown user, `invalid_request`, `store_unavailable`,
     * `too_busy`
     */
    execute(slug: string, options?: ExecuteOptions): Promise<ExecuteResult>;
  };
  /** Webhooks and mail that were not delivered yet. */
  readonly outbox: OutboxDesk;
  /** A new one-time address to make the first administrator, or null when there is one. */
  setupAddress(): Promise<string | null>;
  /** Waits for running jobs and closes the database. */
  close(): Promise<void>;
}

export type { NewUser as UserInput };

/**
 * Opens the database (migrating it), applies the shipped flows and the given blueprints, and returns the provider.
 * It reads no environment.
 *
 * @example
 * const auth = await createDoorward({
 *   database: { sqlite: './data/doorward.sqlite' },
 *   secretKey: process.env.DOORWARD_SECRET_KEY ?? '',
 *   publicUrl: 'http://localhost:3000',
 * });
 * @throws DoorwardError `configuration`, `blueprint`, `store_unavailable`
 */
export async function createDoorward<const Flows extends readonly TypedFlow[] = readonly []>(
  options: DoorwardOptions & { readonly flows?: Flows },
): Promise<Doorward<AttributesOf<Flows>>> {
  const app = await createApp(options);
  const handler = createHandler(app);
  const trusted = trustedNetworks(app.trustedProxies);
  const auth = outsideHooks<Doorward>({
    fetch: handler,
    async session(request, info) {
      const token = sessionTokenOf(app, request);
      const address = clientAddress(trusted, info?.address, request.headers.get('x-forwarded-for'));
      return token === null ? null : app.session(token, { address, requestId: newUuid() });
    },
    users: { ...app.users, list: (filter = {}) => app.store.accounts.listUsers(filter) },
    groups: app.groups,
    tokens: app.tokens,
    invitations: app.invitations,
    approvals: approvalRequests(app),
    flows: {
      check: (yaml = [], how = {}) => app.blueprints.check(filesOf(yaml), how),
      apply: (yaml, how) => app.blueprints.apply(filesOf(yaml), how),
      plan: (yaml, how) => app.blueprints.plan(filesOf(yaml), how),
      export: (slug) => app.blueprints.export(slug),
      files: () => app.blueprints.files(),
      versions: (slug) => app.versions.versions(slug),
      diff: (slug, from, to) => app.versions.diff(slug, from, to),
      rollback: (slug, to) => app.versions.rollback(slug, to),
      diagram: (slug, format) => app.diagram(slug, format),
      execute: async (slug, options = {}) => (await app.execute(slug, options)).result,
    },
    outbox: outboxDesk(app.store.outbox),
    setupAddress: () => app.setupAddress(),
    close: () => app.close(),
  });
  // What the attributes of stored users hold is the flows' word, which the compiler alone knows.
  return auth as Doorward<AttributesOf<Flows>>;
}

function filesOf(yaml: string | readonly BlueprintSource[]): readonly BlueprintSource[] {
  return typeof yaml === 'string' ? [{ name: 'inline', text: yaml }] : yaml;
}
