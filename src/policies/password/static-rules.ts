import { type Text, text } from '../../protocol/text.ts';
import type { PasswordPolicyConfig } from './config.ts';

/** What a password lacks, a text for each rule that it does not meet; or the administrator's own words for all. */
export function missingOf(config: PasswordPolicyConfig, password: string): readonly Text[] {
  const characters = [...password.normalize('NFC')];
  const count = (counts: (character: string) => boolean): number => characters.filter(counts).length;
  const rules = [
    ['prompt.min_length', config.length_min, characters.length],
    ['password_policy.uppercase', config.amount_uppercase, count((one) => /\p{Lu}/u.test(one))],
    ['password_policy.lowercase', config.amount_lowercase, count((one) => /\p{Ll}/u.test(one))],
    ['password_policy.digits', config.amount_digits, count((one) => /\p{Nd}/u.test(one))],
    ['password_policy.symbols', config.amount_symbols, count((one) => config.symbol_charset.includes(one))],
  ] as const;
  const missing = rules.flatMap(([key, min, found]) => (found < min ? [text(key, { min })] : []));
  return missing.length > 0 && config.error_message !== '' ? [config.error_message] : missing;
}
