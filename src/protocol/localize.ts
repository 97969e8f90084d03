import { isConfidential } from './confidential.ts';
import type { Text } from './text.ts';
import { de } from './texts/de.ts';
import { en, type MessageKey } from './texts/en.ts';

/** The languages that the product speaks; the first is the fallback. Each names itself. */
export const locales = { en: 'English', de: 'Deutsch' } as const;
export type Locale = keyof typeof locales;

const catalogues: Readonly<Record<Locale, Readonly<Record<MessageKey, string>>>> = { en, de };

/** Whether the product has a catalogue for this language. */
export function isLocale(value: string): value is Locale {
  return Object.hasOwn(locales, value);
}

/**
 * The best catalogue for a visitor: what they chose first, then the browser's Accept-Language in its order of
 * quality, then English (RFC 9110 section 12.5.4; region is ignored).
 */
export function chooseLocale(setting: unknown, acceptLanguage: string | null): Locale {
  const wished = typeof setting === 'string' && setting !== '' ? [setting] : [];
  const accepted = (acceptLanguage ?? '')
    .slice(0, 1_000)
    .split(',')
    .map((part) => {
      const [tag = '', quality = 'q=1'] = part.trim().split(';');
      const q = Number(quality.trim().replace(/^q=/, ''));
      return { tag, q: Number.isFinite(q) ? q : 0 };
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
    .map(({ tag }) => tag);
  for (const tag of [...wished, ...accepted]) {
    const language = tag.toLowerCase().split(/[-_]/)[0] ?? '';
    if (isLocale(language)) return language;
  }
  return 'en';
}

/**
 * A text in one language, parameters filled in. An administrator's text that lacks the language is given in English,
 * else in the first language that it has.
 */
export function localize(text: Text, locale: Locale): string {
  if (typeof text === 'string') return text;
  if ('$lang' in text) return text.$lang[locale] ?? text.$lang.en ?? Object.values(text.$lang)[0] ?? '';
  const template: string = catalogues[locale][text.$text] ?? en[text.$text];
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = text.params?.[name];
    return value === undefined ? whole : String(value);
  });
}

/** A copy of a value in which every translatable `Text` is translated; all else stays as it is. */
export function localizeDeep(value: unknown, locale: Locale): unknown {
  if (Array.isArray(value)) return value.map((item) => localizeDeep(item, locale));
  if (value === null || typeof value !== 'object') return value;
  if (isConfidential(value)) return value;
  if ('$text' in value || '$lang' in value) return localize(value as Text, locale);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, localizeDeep(item, locale)]));
}
