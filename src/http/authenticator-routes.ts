/** One's own authenticators: on the account page, and as the reference's API has them (stages.md 6). */
import type { StageSetting } from '../app/stage-settings.ts';
import { type Authenticator, type AuthenticatorKind, isAuthenticatorKind } from '../engine/authenticator.ts';
import type { Effect } from '../engine/effects.ts';
import { namedAuthenticator } from '../engine/factors.ts';
import { notice } from '../engine/mail.ts';
import { safeNext } from '../engine/next.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { type JsonObject, member } from '../kernel/json.ts';
import { codePoints, isStorable } from '../kernel/text.ts';
import { localize } from '../protocol/localize.ts';
import { text } from '../protocol/text.ts';
import { accountOf, type Caller, checkedPost } from './account-routes.ts';
import { jsonAnswer, redirectAnswer } from './answers.ts';
import { callerOf, changingCaller } from './caller.ts';
import { atTheDoor, type Site, type Visit } from './exchange.ts';
import { checkProven, isProven, toProof } from './own-proof.ts';
import { paginated } from './pagination.ts';

const accountPath = '/if/user/';
/** The flow in which who has an authenticator proves it once more. */
const proofFlow = 'default-authenticator-proof';
const longestName = 64;

/** `GET /api/v3/authenticators/all/`: a list without pages, as the reference has it. */
export async function authenticators(site: Site, visit: Visit): Promise<Response> {
  const { user } = await callerOf(site, visit);
  return jsonAnswer((await site.app.store.read.authenticatorsOf(user.id)).map(wire));
}

/** `GET /api/v3/authenticators/<class>/` */
export async function authenticatorsOfKind(site: Site, visit: Visit): Promise<Response> {
  const { user } = await callerOf(site, visit);
  const kind = kindIn(visit);
  const own = (await site.app.store.read.authenticatorsOf(user.id)).filter((one) => one.kind === kind).map(wire);
  return jsonAnswer(paginated(own, own.length, { page: 1, pageSize: Math.max(1, own.length) }));
}

/** `DELETE /api/v3/authenticators/<class>/<pk>/`. A token removes none: it may be what was stolen. */
export async function deleteAuthenticator(site: Site, visit: Visit): Promise<Response> {
  const caller = await changingCaller(site, visit);
  const kind = kindIn(visit);
  await checkProven(site, caller);
  const own = await ownOne(site, caller, visit.params.uuid ?? '');
  if (own.kind !== kind) throw new DoorwardError('not_found', `it is no authenticator of the kind ${kind}`);
  await remove(site, visit, caller, own);
  return new Response(null, { status: 204 });
}

/** `POST /if/user/authenticators/<pk>/remove` */
export async function removeAuthenticator(site: Site, visit: Visit): Promise<Response> {
  const { signedIn } = await checkedPost(site, visit);
  if (!(await isProven(site, signedIn))) return toProof();
  await remove(site, visit, signedIn, await ownOne(site, signedIn, visit.params.uuid ?? ''));
  return redirectAnswer(`${accountPath}?notice=authenticator-removed`);
}

/** `POST /if/user/authenticators/<pk>/rename` */
export async function renameAuthenticator(site: Site, visit: Visit): Promise<Response> {
  const { signedIn, body } = await checkedPost(site, visit);
  if (!(await isProven(site, signedIn))) return toProof();
  const { uuid } = await ownOne(site, signedIn, visit.params.uuid ?? '');
  const typed = member(body, 'name');
  const name = typeof typed === 'string' ? typed.trim() : '';
  if (name === '' || codePoints(name) > longestName || !isStorable(name))
    throw new DoorwardError('invalid_request', `name: 1 to ${longestName} characters`);
  await site.app.change([{ kind: 'authenticator.rename', uuid, userId: signedIn.user.id, name }]);
  return redirectAnswer(`${accountPath}?notice=authenticator-renamed`);
}

/** `/flows/-/prove/`: to where the visitor proves who they are, and back. */
export async function prove(site: Site, visit: Visit): Promise<Response> {
  const { app } = site;
  const next = safeNext(visit.url.searchParams.get('next') ?? accountPath, app.origin) ?? accountPath;
  const found = await accountOf(site, visit);
  const known = found === null ? [] : await app.store.read.authenticatorsOf(found.signedIn.user.id);
  const hasFlow = known.length > 0 && (await app.currentFlow(proofFlow)) !== null;
  const to = hasFlow ? `/if/flow/${proofFlow}/` : '/flows/-/default/authentication/';
  return redirectAnswer(`${to}?next=${encodeURIComponent(next)}`, 302);
}

/** `/flows/-/configure/<stage>/`: to the flow in which a user sets a stage up. */
export async function configure(site: Site, visit: Visit): Promise<Response> {
  const { pathname, search, searchParams } = visit.url;
  if ((await accountOf(site, visit)) === null)
    return redirectAnswer(`/flows/-/default/authentication/?next=${encodeURIComponent(`${pathname}${search}`)}`, 302);
  const setting = (await site.app.stageSettings()).find(({ stage }) => stage === visit.params.stage);
  if (setting === undefined) throw new DoorwardError('not_found', 'the stage has no flow to set it up in');
  const next = safeNext(searchParams.get('next') ?? accountPath, site.app.origin) ?? accountPath;
  return redirectAnswer(`/if/flow/${encodeURIComponent(setting.flow)}/?next=${encodeURIComponent(next)}`, 302);
}

/** `GET /api/v3/stages/all/user_settings/` */
export async function userSettings(site: Site, visit: Visit): Promise<Response> {
  await callerOf(site, visit);
  return jsonAnswer(
    (await site.app.stageSettings()).map((setting) => ({
      object_uid: setting.stage,
      component: `ak-user-settings-${setting.kind.replaceAll('_', '-')}`,
      title: setting.title ?? setting.name,
      configure_url: configurePath(setting),
    })),
  );
}

export function configurePath({ stage }: StageSetting): string {
  return `/flows/-/configure/${encodeURIComponent(stage)}/`;
}

async function ownOne({ app }: Site, { user }: Caller, uuid: string): Promise<Authenticator> {
  const own = (await app.store.read.authenticatorsOf(user.id)).find((one) => one.uuid === uuid);
  if (own === undefined) throw new DoorwardError('not_found', 'no such authenticator of this user');
  return own;
}

async function remove({ app }: Site, visit: Visit, { user }: Caller, own: Authenticator): Promise<void> {
  const { uuid } = own;
  const event: Effect = {
    kind: 'event',
    event: {
      ...{ action: 'authenticator_removed', user: { pk: user.id, username: user.username }, flow: null, at: app.now() },
      context: { authenticator: namedAuthenticator(own) },
      ...{ address: visit.address, requestId: visit.requestId },
    },
  };
  const told = notice('authenticator_removed', { user, visitor: atTheDoor(visit), at: app.now() });
  const answer = await app.change([{ kind: 'authenticator.remove', uuid, userId: user.id }, event, ...told]);
  if (answer.status !== 'done') throw new DoorwardError('not_found', 'it was removed a moment ago');
}

function kindIn({ params }: Visit): AuthenticatorKind {
  const { kind } = params;
  if (!isAuthenticatorKind(kind)) throw new DoorwardError('not_found', `no class of authenticators is called ${kind}`);
  return kind;
}

/** Never a secret, a key or a code (the reference shows the codes that are left). */
function wire({ uuid, kind, name, createdAt, lastUsedAt, data }: Authenticator): JsonObject {
  const time = (at: number): string => new Date(at).toISOString();
  const verbose = localize(text(`authenticator.${kind}`), 'en');
  return {
    ...{ pk: uuid, name, type: `authentik_stages_authenticator_${kind}.${kind}device`, confirmed: true },
    ...{ created: time(createdAt), last_updated: time(lastUsedAt ?? createdAt) },
    ...{ last_used: lastUsedAt === null ? null : time(lastUsedAt), extra_description: '', verbose_name: verbose },
    external_id: typeof data.aaguid === 'string' ? data.aaguid : null,
    ...{ verbose_name_plural: verbose, meta_model_name: `authentik_stages_authenticator_${kind}.${kind}device` },
  };
}
