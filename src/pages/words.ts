import { type Locale, localize } from '../protocol/localize.ts';
import { type Text, text } from '../protocol/text.ts';
import type { MessageKey } from '../protocol/texts/en.ts';

/** The visitor's language, as the pages use it. */
export interface Words {
  readonly locale: Locale;
  /** An entry of the catalogues. */
  of(key: MessageKey, params?: Record<string, string | number>): string;
  /** A text that came with the reply. */
  say(given: Text): string;
}

export function wordsIn(locale: Locale): Words {
  return {
    locale,
    of: (key, params) => localize(text(key, params), locale),
    say: (given) => localize(given, locale),
  };
}
