/** The few resources of the reference's API that its clients ask while a flow runs (stages.md 8). */
import { createHash } from 'node:crypto';
import type { SignedIn } from '../app/app.ts';
import { languageSetting } from '../engine/scene.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { type Account, accountOf } from './account-routes.ts';
import { jsonAnswer } from './answers.ts';
import type { Site, Visit } from './exchange.ts';
import { checkOrigin } from './guards.ts';

/** `GET /api/v3/root/config/` */
export async function config(): Promise<Response> {
  return jsonAnswer({
    error_reporting: { enabled: false, sentry_dsn: '', environment: '', send_pii: false, traces_sample_rate: 0 },
    capabilities: [],
    ...{ cache_timeout: 0, cache_timeout_flows: 0, cache_timeout_policies: 0, cache_timeout_reputation: 0 },
  });
}

/** `GET /api/v3/core/brands/current/` */
export async function currentBrand({ app, brand }: Site): Promise<Response> {
  const [authentication, invalidation, settings] = await Promise.all([
    app.flowFor('authentication'),
    app.flowFor('invalidation'),
    app.currentFlow('default-user-settings-flow'),
  ]);
  return jsonAnswer({
    ...{ matched_domain: new URL(app.origin).hostname, branding_title: brand.name, branding_logo: brand.logo },
    ...{
      branding_favicon: brand.favicon,
      branding_custom_css: '',
      ui_footer_links: brand.links,
      ui_theme: 'automatic',
    },
    ...(authentication === null ? {} : { flow_authentication: authentication }),
    ...(invalidation === null ? {} : { flow_invalidation: invalidation }),
    ...(settings === null ? {} : { flow_user_settings: settings.slug }),
    ...{ default_locale: '', flags: {} },
  });
}

/** `GET /api/v3/core/users/me/` */
export async function me(site: Site, visit: Visit): Promise<Response> {
  const { signedIn } = await required(site, visit);
  const original = signedIn.impersonator;
  return jsonAnswer({
    user: await selfOf(site, signedIn.user),
    ...(original === null ? {} : { original: await selfOf(site, original) }),
  });
}

/** `GET /api/v3/core/authenticated_sessions/` */
export async function sessions(site: Site, visit: Visit): Promise<Response> {
  const { signedIn } = await required(site, visit);
  const listed = await site.app.store.accounts.listSessions(signedIn.user.id, signedIn.session.tokenHash);
  const results = listed.map((session) => ({
    ...{ uuid: session.uuid, current: session.current, user: session.userId, geo_ip: null, asn: null },
    user_agent: { string: session.agent },
    ...{ last_ip: session.address, last_user_agent: session.agent },
    last_used: new Date(session.lastUsedAt).toISOString(),
    expires: new Date(session.expiresAt).toISOString(),
  }));
  const page = { next: 0, previous: 0, count: results.length, current: 1, total_pages: 1 };
  return jsonAnswer({
    pagination: { ...page, start_index: results.length === 0 ? 0 : 1, end_index: results.length },
    results,
  });
}

/** `DELETE /api/v3/core/authenticated_sessions/<uuid>/` */
export async function deleteSession(site: Site, visit: Visit): Promise<Response> {
  checkOrigin(site.app, visit.request, { body: {}, stepToken: null, kind: 'json' }, visit.browser?.token ?? null);
  const { signedIn } = await required(site, visit);
  const found = await site.app.store.accounts.findSession(visit.params.uuid ?? '');
  if (found === null || found.userId !== signedIn.user.id)
    throw new DoorwardError('not_found', 'no such session of this user');
  await site.app.change([{ kind: 'session.end', tokenHash: found.tokenHash }]);
  return new Response(null, { status: 204 });
}

/** The reference answers 403, not 401, to anonymous clients. */
async function required(site: Site, visit: Visit): Promise<Account> {
  const account = await accountOf(site, visit);
  if (account === null) throw new DoorwardError('forbidden', 'this resource needs a session');
  return account;
}

async function selfOf({ app }: Site, user: SignedIn['user']): Promise<object> {
  const groups = await app.store.read.groupsOf(user.id);
  const locale = languageSetting(user);
  return {
    ...{ pk: user.id, username: user.username, name: user.name, email: user.email, is_active: user.isActive },
    is_superuser: groups.some((group) => group.isSuperuser),
    groups: groups.map(({ pk, name }) => ({ pk, name })),
    ...{ avatar: '/static/avatar.svg', uid: createHash('sha256').update(user.uuid).digest('hex') },
    ...{ settings: typeof locale === 'string' ? { locale } : {}, type: user.type, system_permissions: [] },
  };
}
