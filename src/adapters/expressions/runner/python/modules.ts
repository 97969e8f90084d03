import type { Json, JsonObject } from '../../../../kernel/json.ts';

/** Modules that Monty has itself. */
export const ownModules: readonly string[] = ['datetime', 'json', 'math', 're', 'typing'];

/** What an import brings: a value, or the name of a function of ours. */
export type Imported = { readonly value: Json } | { readonly helper: string };

const attribute = (name: string) => ({ value: `goauthentik.io/user/${name}` });

const choices = (type: string, ...names: string[]): Imported => ({
  value: { $object: type, ...Object.fromEntries(names.map((name) => [name.toUpperCase(), name])) },
});

const modules: Readonly<Record<string, Readonly<Record<string, Imported>>>> = {
  'authentik.core.models': {
    USER_ATTRIBUTE_DEBUG: attribute('debug'),
    USER_ATTRIBUTE_GENERATED: attribute('generated'),
    USER_ATTRIBUTE_EXPIRES: attribute('expires'),
    USER_ATTRIBUTE_DELETE_ON_LOGOUT: attribute('delete-on-logout'),
    USER_ATTRIBUTE_SOURCES: attribute('sources'),
    USER_ATTRIBUTE_TOKEN_EXPIRING: attribute('token-expires'),
    USER_ATTRIBUTE_TOKEN_MAXIMUM_LIFETIME: attribute('token-maximum-lifetime'),
    USER_ATTRIBUTE_CHANGE_USERNAME: attribute('can-change-username'),
    USER_ATTRIBUTE_CHANGE_NAME: attribute('can-change-name'),
    USER_ATTRIBUTE_CHANGE_EMAIL: attribute('can-change-email'),
    USER_PATH_SYSTEM_PREFIX: { value: 'goauthentik.io' },
    USER_PATH_SERVICE_ACCOUNT: { value: 'goauthentik.io/service-accounts' },
    UserTypes: choices('UserTypes', 'internal', 'external', 'service_account', 'internal_service_account'),
  },
  'authentik.flows.models': {
    FlowAuthenticationRequirement: choices(
      'FlowAuthenticationRequirement',
      ...['none', 'require_authenticated', 'require_unauthenticated', 'require_superuser', 'require_redirect'],
      'require_outpost',
    ),
    FlowDesignation: choices(
      'FlowDesignation',
      ...['authentication', 'authorization', 'invalidation', 'enrollment', 'unenrollment', 'recovery'],
      'stage_configuration',
    ),
  },
  'authentik.policies.models': { PolicyEngineMode: choices('PolicyEngineMode', 'all', 'any') },
  'authentik.core.expression.exceptions': { SkipObject: { helper: 'SkipObject' } },
  'django.utils.translation': {
    gettext: { helper: '__same_text__' },
    gettext_lazy: { helper: '__same_text__' },
  },
  'django.utils.timezone': { now: { helper: '__now_utc__' } },
  'django.utils.text': { slugify: { helper: 'slugify' } },
  ipaddress: { ip_address: { helper: 'ip_address' }, ip_network: { helper: 'ip_network' } },
  'msgraph.generated.models.password_profile': { PasswordProfile: { helper: '__record__' } },
};

/** `Flow.objects.filter(…)`: what may be asked of a model, the server says. */
function modelOf(name: string): JsonObject {
  return { $object: name, objects: { $object: `${name}.objects` } };
}

const ofModels = /^authentik\.[a-z_0-9]+(?:\.[a-z_0-9]+)?\.models$/;

/**
 * What a name of a module is; null when the module has no such name, undefined when there is no such module.
 *
 * @example
 * importedFrom('authentik.flows.models', 'Flow') // a model
 */
export function importedFrom(module: string, name: string): Imported | null | undefined {
  const names = Object.hasOwn(modules, module) ? modules[module] : undefined;
  if (names !== undefined && Object.hasOwn(names, name)) return names[name] ?? null;
  if (ofModels.test(module)) return /^[A-Z][A-Za-z0-9]*[a-z]/.test(name) ? { value: modelOf(name) } : null;
  return names === undefined ? undefined : null;
}

/** The modules that there are, for a message. */
export const moduleNames: readonly string[] = [
  ...ownModules,
  ...Object.keys(modules),
  'authentik.stages.authenticator_….models',
];
