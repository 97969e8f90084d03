/** What is kept about a user, for that user: everything but secrets, as one file. */
import { provenanceByField } from '../engine/provenance.ts';
import type { User } from '../engine/user.ts';
import { accountOf, toSignIn } from './account-routes.ts';
import { jsonAnswer } from './answers.ts';
import type { Site, Visit } from './exchange.ts';

/** Events are listed, newest first, up to so many. */
const eventsListed = 10_000;
/** More than anybody has. */
const rowsListed = 10_000;

/** `GET /if/user/data.json` */
export async function ownData(site: Site, visit: Visit): Promise<Response> {
  const found = await accountOf(site, visit);
  if (found === null) return toSignIn(site, '/if/user/');
  const { user, session, impersonator } = found.signedIn;
  const data = await dataOf(site, user, session.tokenHash);
  const disposition = `attachment; filename="doorward-${user.uuid}.json"`;
  const by = impersonator === null ? {} : { downloaded_by: impersonator.username };
  return jsonAnswer({ ...by, ...data }, 200, { 'content-disposition': disposition });
}

async function dataOf({ app }: Site, user: User, sessionHash: string): Promise<object> {
  const { accounts, read } = app.store;
  const [groups, provenance, sessions, authenticators, events, consents, connections] = await Promise.all([
    read.groupsOf(user.id),
    read.provenance(user.id),
    accounts.listSessions(user.id, sessionHash),
    read.authenticatorsOf(user.id),
    accounts.listEvents({ userId: user.id, limit: eventsListed }),
    accounts.listConsents({ userId: user.id, pageSize: rowsListed }),
    accounts.listConnections({ userId: user.id, pageSize: rowsListed }),
  ]);
  return {
    profile: {
      ...{ pk: user.id, uuid: user.uuid, username: user.username, name: user.name, email: user.email },
      email_verified: time(user.emailVerifiedAt),
      ...{ type: user.type, path: user.path, is_active: user.isActive, attributes: user.attributes },
      ...{ date_joined: time(user.dateJoined), last_login: time(user.lastLogin) },
      password_change_date: time(user.passwordChangedAt),
    },
    provenance: Object.fromEntries(
      [...provenanceByField(provenance)].map(([field, known]) => [field, { ...known, at: time(known.at) }]),
    ),
    groups: groups.map(({ name }) => name),
    authenticators: authenticators.map(({ kind, name, createdAt, lastUsedAt }) => ({
      ...{ kind, name, created: time(createdAt), last_used: time(lastUsedAt) },
    })),
    sessions: sessions.map(({ address, agent, createdAt, lastUsedAt, expiresAt, boundTo }) => ({
      ...{ last_ip: address, user_agent: agent, created: time(createdAt), last_used: time(lastUsedAt) },
      ...{ expires: time(expiresAt), bound_to: boundTo },
    })),
    consents: consents.map(({ givenTo, name, wording, permissions, givenAt, expiresAt }) => ({
      ...{ given_to: { ...givenTo, name }, wording, permissions, given: time(givenAt), expires: time(expiresAt) },
    })),
    connections: connections.map(({ source, identifier, createdAt }) => ({
      ...{ source, identifier, created: time(createdAt) },
    })),
    events: events.map(({ action, at, address, flow }) => ({ action, created: time(at), client_ip: address, flow })),
  };
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
