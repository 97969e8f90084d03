/** The language of a page outside of a flow: the same choice as in one. */
import { languageSetting } from '../engine/scene.ts';
import type { User } from '../engine/user.ts';
import { chooseLocale, type Locale } from '../protocol/localize.ts';

/** `?locale=` first, then what the user set, then what the browser prefers. */
export function languageOf(asked: { readonly url: URL; readonly request: Request }, user: User | null = null): Locale {
  const chosen = asked.url.searchParams.get('locale') || languageSetting(user);
  return chooseLocale(chosen, asked.request.headers.get('accept-language'));
}
