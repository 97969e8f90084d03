import * as z from 'zod';

/** No password is longer, so what asks for more could never be met. */
const longest = 256;
const amount = z.int().min(0).max(longest).default(0);

/** The configuration of the password policy. */
export const passwordPolicyConfig = z.object({
  password_field: z.string().min(1).default('password').describe('Key of the prompt that asks the password.'),
  check_static_rules: z.boolean().default(true).describe('Length and kinds of characters count.'),
  length_min: amount.describe('At least so many characters.'),
  amount_uppercase: amount.describe('At least so many upper-case letters, of any alphabet.'),
  amount_lowercase: amount.describe('At least so many lower-case letters, of any alphabet.'),
  amount_digits: amount.describe('At least so many digits.'),
  amount_symbols: amount.describe('At least so many characters of symbol_charset.'),
  symbol_charset: z.string().default('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ ').describe('What counts as a symbol.'),
  error_message: z.string().default('').describe('Said when these rules are not met; empty: what is missing.'),
  check_have_i_been_pwned: z
    .boolean()
    .default(false)
    .describe('Asks a service whether the password is known to be stolen; five digits of its SHA-1 are sent.'),
  hibp_allowed_count: z.int().min(0).default(0).describe('Passes when it is known to be stolen at most so often.'),
  breach_check_url: z
    .url({ protocol: /^https?$/, error: 'must be an address that begins with https:// or http://' })
    .nullable()
    .default(null)
    .describe("Address of that service; the first five digits are put after it. Empty: the server's."),
  breach_check_failure: z
    .enum(['deny', 'allow'])
    .default('deny')
    .describe('What counts when that service cannot be asked.'),
  check_zxcvbn: z.boolean().default(false).describe('Estimates how hard the password is to guess.'),
  zxcvbn_score_threshold: z
    .int()
    .min(0)
    .max(3, 'must be at most 3: with 4 no password would pass')
    .default(2)
    .describe('Passes with a better score than this, from 0 to 4.'),
});
export type PasswordPolicyConfig = z.infer<typeof passwordPolicyConfig>;
