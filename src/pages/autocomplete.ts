/** What browsers may fill in, by the last part of a field's key (WCAG 1.3.5). */
const purposes: Readonly<Record<string, string>> = {
  name: 'name',
  full_name: 'name',
  first_name: 'given-name',
  given_name: 'given-name',
  last_name: 'family-name',
  family_name: 'family-name',
  surname: 'family-name',
  nickname: 'nickname',
  username: 'username',
  email: 'email',
  phone: 'tel',
  phone_number: 'tel',
  mobile: 'tel',
  organization: 'organization',
  organisation: 'organization',
  company: 'organization',
  title: 'organization-title',
  job_title: 'organization-title',
  street: 'street-address',
  address: 'street-address',
  postal_code: 'postal-code',
  zip: 'postal-code',
  city: 'address-level2',
  country: 'country-name',
  birthday: 'bday',
  birthdate: 'bday',
  date_of_birth: 'bday',
  website: 'url',
};

/** The attributes `autocomplete` and `inputmode` of a text field, as far as its key tells. */
export function autocompleteOf(key: string): { readonly autocomplete?: string; readonly inputmode?: string } {
  const last = key.slice(key.lastIndexOf('.') + 1).toLowerCase();
  const purpose = Object.hasOwn(purposes, last) ? purposes[last] : undefined;
  if (purpose === undefined) return {};
  return purpose === 'tel' ? { autocomplete: purpose, inputmode: 'tel' } : { autocomplete: purpose };
}

/** Typed letter by letter: no capital at the start, no red line below. (`spellcheck` is an enumerated attribute.) */
export const verbatim: Readonly<Record<string, string>> = { autocapitalize: 'none', spellcheck: 'false' };
