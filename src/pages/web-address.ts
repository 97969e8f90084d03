/** Whether an address may stand in `href` or `src`: http(s), or a path of this site. Never `javascript:` or `//host`. */
export function isWebAddress(address: string): boolean {
  if (/[\s\\]|\p{Cc}/u.test(address)) return false;
  return /^https?:\/\/[^/]/i.test(address) || /^\/(?!\/)/.test(address);
}

/**
 * The path of another flow with this page's query, so that `next` and `itoken` survive (ID-10).
 *
 * @param query with or without the question mark
 */
export function withQuery(path: string, query: string): string {
  const bare = query.replace(/^\?/, '');
  return bare === '' || path.includes('?') ? path : `${path}?${bare}`;
}

/** The same page in another language: the choice stays in its query, and goes along to other flows. */
export function inLanguage(action: string, locale: string): string {
  const [path = '', ...query] = action.split('?');
  const params = new URLSearchParams(query.join('?'));
  params.set('locale', locale);
  return `${path}?${params}`;
}
