/** What the server answers, by name. */
export const hostFunctions: readonly string[] = [
  ...['ak_user_by', 'ak_is_group_member', 'ak_call_policy', 'ak_create_event', 'ak_user_has_authenticator'],
  ...['ak_create_jwt', 'resolve_dns', 'reverse_dns'],
];

const prefix = '__ask_';

/** The name that the function of that name calls, before it completes what it was given. */
export function asked(name: string): string {
  return `${prefix}${name}`;
}

/** The function of the server that a name asks; undefined for any other name. */
export function askedBy(name: string): string | undefined {
  const found = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return hostFunctions.includes(found) ? found : undefined;
}
