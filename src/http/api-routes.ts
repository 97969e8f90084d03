/** The few resources of the reference's API that its clients ask while a flow runs (stages.md 8). */
import { createHash } from 'node:crypto';
import type { SignedIn } from '../app/app.ts';
import { provenanceByField } from '../engine/provenance.ts';
import { languageSetting } from '../engine/scene.ts';
import { endOwn } from './account-routes.ts';
import { jsonAnswer } from './answers.ts';
import { callerOf, changingCaller } from './caller.ts';
import type { Site, Visit } from './exchange.ts';
import { paginated } from './pagination.ts';

/** `GET /api/v3/root/config/` */
export async function config(): Promise<Response> {
  return jsonAnswer({
    error_reporting: { enabled: false, sentry_dsn: '', environment: '', send_pii: false, traces_sample_rate: 0 },
    capabilities: ['can_impersonate'],
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
  const { user, impersonator: original } = await callerOf(site, visit);
  return jsonAnswer({
    user: { ...(await selfOf(site, user)), provenance: await provenanceOf(site, user.id) },
    ...(original === null ? {} : { original: await selfOf(site, original) }),
  });
}

/** `GET /api/v3/core/authenticated_sessions/` */
export async function sessions(site: Site, visit: Visit): Promise<Response> {
  const { user, session: own } = await callerOf(site, visit);
  const listed = await site.app.store.accounts.listSessions(user.id, own?.tokenHash ?? null);
  const results = listed.map((session) => ({
    ...{ uuid: session.uuid, current: session.current, user: session.userId, geo_ip: null, asn: null },
    user_agent: { string: session.agent },
    ...{ last_ip: session.address, last_user_agent: session.agent },
    last_used: new Date(session.lastUsedAt).toISOString(),
    expires: new Date(session.expiresAt).toISOString(),
  }));
  return jsonAnswer(paginated(results, results.length, { page: 1, pageSize: Math.max(1, results.length) }));
}

/** `DELETE /api/v3/core/authenticated_sessions/<uuid>/` */
export async function deleteSession(site: Site, visit: Visit): Promise<Response> {
  await endOwn(site, visit, await changingCaller(site, visit));
  return new Response(null, { status: 204 });
}

/** Where the values came from, by field; never the values. */
async function provenanceOf({ app }: Site, userId: number): Promise<object> {
  const fields = provenanceByField(await app.store.read.provenance(userId));
  const entries = [...fields].map(([field, known]) => [field, { ...known, at: new Date(known.at).toISOString() }]);
  return Object.fromEntries(entries);
}

async function selfOf({ app }: Site, user: SignedIn['user']): Promise<object> {
  const groups = await app.store.read.groupsOf(user.id);
  const locale = languageSetting(user);
  return {
    ...{ pk: user.id, username: user.username, name: user.name, email: user.email, is_active: user.isActive },
    email_verified: user.emailVerifiedAt !== null,
    is_superuser: groups.some((group) => group.isSuperuser),
    groups: groups.map(({ pk, name }) => ({ pk, name })),
    ...{ avatar: '/static/avatar.svg', uid: createHash('sha256').update(user.uuid).digest('hex') },
    ...{ settings: typeof locale === 'string' ? { locale } : {}, type: user.type, system_permissions: [] },
  };
}
