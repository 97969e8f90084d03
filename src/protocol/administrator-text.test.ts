import { describe, expect, it } from 'vitest';
import { localize, localizeDeep } from './localize.ts';

describe("an administrator's text in several languages", () => {
  it('is given in the reader’s language, else in English, else in what there is', () => {
    expect(localize({ $lang: { en: 'Name', de: 'Ihr Name' } }, 'de')).toBe('Ihr Name');
    expect(localize({ $lang: { fr: 'Nom', en: 'Name' } }, 'de')).toBe('Name');
    expect(localize({ $lang: { fr: 'Nom' } }, 'de')).toBe('Nom');
    expect(localize({ $lang: {} }, 'en')).toBe('');
  });

  it('is found wherever it stands in a challenge', () => {
    const challenge = { fields: [{ label: { $lang: { en: 'Name', de: 'Ihr Name' } }, order: 1 }] };
    expect(localizeDeep(challenge, 'de')).toEqual({ fields: [{ label: 'Ihr Name', order: 1 }] });
  });
});
