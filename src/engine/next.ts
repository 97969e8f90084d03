/** The two view names of the reference that its links use as `next` (flow-engine.md F-3). */
const viewNames: Readonly<Record<string, string>> = {
  'authentik_core:root-redirect': '/',
  'authentik_core:if-user': '/if/user/',
};

/**
 * Where a visitor may be sent: a path of this server, or null. The address is read as a browser reads it (WHATWG URL:
 * tabs dropped, backslashes turned, schemes recognised) and must come out on our own origin; a bare word is refused,
 * since it means different places on different pages.
 *
 * @example
 * safeNext('/if/user/?tab=1', 'https://id.example') === '/if/user/?tab=1';
 * safeNext('//evil.example', 'https://id.example') === null;
 */
export function safeNext(next: string, origin: string): string | null {
  const named = Object.hasOwn(viewNames, next) ? viewNames[next] : undefined;
  if (named !== undefined) return named;
  const own = new URL(origin).origin;
  if (!next.startsWith('/') && !next.startsWith(`${own}/`)) return null;
  let url: URL;
  try {
    url = new URL(next, own);
  } catch {
    return null;
  }
  if (url.origin !== own || url.username !== '' || url.password !== '') return null;
  const path = `${url.pathname}${url.search}${url.hash}`;
  // A path such as //evil is a host to whoever reads it again without our origin.
  return path.startsWith('//') ? null : path;
}
