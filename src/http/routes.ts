import { account, cancel, defaultFlow, endOtherSessions, endSession, home } from './account-routes.ts';
import { config, currentBrand, deleteSession, me, sessions } from './api-routes.ts';
import { approval, approvalRequest, approvalRequests, approvals, wayBack } from './approval-routes.ts';
import {
  authenticators,
  authenticatorsOfKind,
  configure,
  deleteAuthenticator,
  prove,
  removeAuthenticator,
  renameAuthenticator,
  userSettings,
} from './authenticator-routes.ts';
import { disconnect, userConnection, userConnections } from './connection-routes.ts';
import { userConsent, userConsents, withdrawConsent } from './consent-routes.ts';
import { events } from './event-routes.ts';
import type { Site, Visit } from './exchange.ts';
import { executor, page } from './flow-routes.ts';
import { impersonate, impersonateEnd, stopActing } from './impersonation-routes.ts';
import { diagram, inspector } from './inspector-routes.ts';
import { invitation, invitations } from './invitation-routes.ts';
import { mail, mailbox } from './mail-routes.ts';
import { ownData } from './own-data.ts';

export type RouteHandler = (site: Site, visit: Visit) => Promise<Response>;

/** Every address of flows, accounts and API, on one screen. `handler.ts` adds health, metrics and assets. */
export const routes: readonly (readonly [methods: string, path: string, handler: RouteHandler])[] = [
  ['GET POST', '/api/v3/flows/executor/:slug/', executor],
  ['GET', '/api/v3/flows/inspector/:slug/', inspector],
  ['GET', '/api/v3/flows/instances/:slug/diagram/', diagram],
  ['GET', '/api/v3/root/config/', config],
  ['GET', '/api/v3/core/brands/current/', currentBrand],
  ['GET', '/api/v3/core/users/me/', me],
  ['POST', '/api/v3/core/users/:pk/impersonate/', impersonate],
  ['GET POST', '/api/v3/core/users/impersonate_end/', impersonateEnd],
  ['GET', '/api/v3/core/authenticated_sessions/', sessions],
  ['DELETE', '/api/v3/core/authenticated_sessions/:uuid/', deleteSession],
  ['GET', '/api/v3/core/user_consent/', userConsents],
  ['GET DELETE', '/api/v3/core/user_consent/:pk/', userConsent],
  ['GET', '/api/v3/sources/user_connections/all/', userConnections],
  ['GET DELETE', '/api/v3/sources/user_connections/all/:pk/', userConnection],
  ['GET', '/api/v3/authenticators/all/', authenticators],
  ['GET', '/api/v3/authenticators/:kind/', authenticatorsOfKind],
  ['DELETE', '/api/v3/authenticators/:kind/:uuid/', deleteAuthenticator],
  ['GET', '/api/v3/stages/all/user_settings/', userSettings],
  ['GET', '/api/v3/events/events/', events],
  ['GET', '/api/v3/stages/approval/requests/', approvalRequests],
  ['GET POST', '/api/v3/stages/approval/requests/:pk/', approvalRequest],
  ['GET POST', '/api/v3/stages/invitation/invitations/', invitations],
  ['GET PATCH DELETE', '/api/v3/stages/invitation/invitations/:pk/', invitation],

  ['GET POST', '/if/flow/:slug/', page],
  ['GET', '/if/user/', account],
  ['GET', '/if/user/data.json', ownData],
  ['POST', '/if/user/sessions/:uuid/end', endSession],
  ['POST', '/if/user/sessions/end-others', endOtherSessions],
  ['POST', '/if/user/authenticators/:uuid/remove', removeAuthenticator],
  ['POST', '/if/user/authenticators/:uuid/rename', renameAuthenticator],
  ['POST', '/if/user/consents/:uuid/withdraw', withdrawConsent],
  ['POST', '/if/user/connections/:uuid/disconnect', disconnect],
  ['POST', '/if/user/impersonation/end', stopActing],
  ['GET', '/if/approvals/', approvals],
  ['GET POST', '/if/approvals/:uuid/', approval],
  ['GET POST', '/if/approvals/:uuid/return/', wayBack],
  ['GET', '/if/mail/', mailbox],
  ['GET', '/if/mail/:id/', mail],
  ['GET', '/', home],

  ['GET', '/flows/-/cancel/', cancel],
  ['GET', '/flows/-/configure/:stage/', configure],
  ['GET', '/flows/-/prove/', prove],
  ['GET', '/flows/-/default/authentication/', defaultFlow('authentication')],
  ['GET', '/flows/-/default/invalidation/', defaultFlow('invalidation')],
];
