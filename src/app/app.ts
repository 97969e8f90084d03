import type { Effect } from '../engine/effects.ts';
import type { StepInput, StepReply } from '../engine/exchange.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import type { CommitAnswer, Loaded } from '../engine/ports.ts';
import type { Keyring } from '../kernel/secrets.ts';
import type { OpenStore } from '../store/open.ts';
import type { Approvals } from './approvals.ts';
import type { Blueprints } from './blueprints.ts';
import type { Connections } from './connections.ts';
import type { Executed, ExecuteOptions } from './execute.ts';
import type { DiagramFormat } from './flow-diagram.ts';
import type { FlowVersions } from './flow-versions.ts';
import type { Groups } from './groups.ts';
import type { Inspected } from './inspection.ts';
import type { Invitations } from './invitations.ts';
import type { Mailbox } from './mailbox.ts';
import type { MailboxKey } from './mailbox-key.ts';
import type { Log } from './options.ts';
import type { Places } from './places.ts';
import type { StageSetting } from './stage-settings.ts';
import type { Tokens } from './tokens.ts';
import type { Users } from './users.ts';

/** Who is signed in, by their browser's token. */
export type SignedIn = NonNullable<Loaded['signedIn']>;

/** The engine wired to a store: everything that HTTP, the command line and an embedding application work with. */
export interface App {
  /** Origin for links and cookies. */
  readonly origin: string;
  /** Path below which Doorward is mounted; '' for none. */
  readonly basePath: string;
  /** All origins whose requests are ours. */
  readonly origins: readonly string[];
  readonly trustedProxies: readonly string[];
  /** As given in the options; the pages parse it. */
  readonly brand: unknown;
  readonly brandName: string;
  readonly keyring: Keyring;
  readonly log: Log;
  readonly store: OpenStore;
  readonly users: Users;
  readonly groups: Groups;
  readonly tokens: Tokens;
  readonly invitations: Invitations;
  readonly approvals: Approvals;
  readonly connections: Connections;
  readonly places: Places;
  /** Whether an administrator may act as another one. */
  readonly mayActAsAdministrators: boolean;
  /** One step of a flow for one visitor. */
  step(input: StepInput): Promise<StepReply>;
  /** Where a browser's run stands, for administrators; null where it has none. @throws DoorwardError `flow_not_found` */
  inspect(input: StepInput): Promise<Inspected | null>;
  /** A flow without a browser. @throws DoorwardError as `execute` of the library */
  execute(slug: string, options: ExecuteOptions): Promise<Executed>;
  /** The current version of a flow. */
  currentFlow(slug: string): Promise<CompiledFlow | null>;
  /** Slug of the flow that a designation stands for by default, or null. */
  flowFor(designation: CompiledFlow['designation']): Promise<string | null>;
  /** Stages that users set up for themselves. */
  stageSettings(): Promise<readonly StageSetting[]>;
  /** The session behind a token: unexpired, its user active, not bound elsewhere (it ends then); null otherwise. */
  session(token: string, from: { readonly address: string; readonly requestId: string }): Promise<SignedIn | null>;
  isAdministrator(userId: number): Promise<boolean>;
  /** Changes accounts outside of a flow, in one transaction. */
  change(effects: readonly Effect[]): Promise<CommitAnswer>;
  readonly blueprints: Blueprints;
  readonly versions: FlowVersions;
  /** The current version of a flow as a picture. @throws DoorwardError `flow_not_found` */
  diagram(slug: string, format: DiagramFormat): Promise<string>;
  /** Makes a new one-time address for the first administrator, or null when there is one already. */
  setupAddress(): Promise<string | null>;
  /** Mail that was not delivered yet. */
  readonly mailbox: Mailbox;
  /** Opens the page of the mailbox; null where mail leaves, or where others reach this server. */
  readonly mailboxKey: MailboxKey | null;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Jobs in and waiting for the hash pool; null with a hasher of one's own. */
  hashLoad(): { readonly running: number; readonly waiting: number } | null;
  close(): Promise<void>;
}
