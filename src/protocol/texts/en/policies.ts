/** Texts of the policies. */
export const policies = {
  'password_policy.missing': 'A password is required.',
  'password_policy.uppercase': 'Upper-case letters: use at least {min}.',
  'password_policy.lowercase': 'Lower-case letters: use at least {min}.',
  'password_policy.digits': 'Digits: use at least {min}.',
  'password_policy.symbols': 'Symbols: use at least {min}.',
  'password_policy.stolen': 'Password exists on {count} online lists. Please use another one.',
  'password_policy.stolen_unknown':
    'It could not be checked whether this password is known to be stolen. Please try again in a moment.',
  'password_policy.weak': 'Password is too weak. Use more words, and none that others could guess.',
  'password_expiry.expired': 'Password has expired.',
  'password_expiry.change_it': 'Password expired {days} days ago. Please update your password.',
  'unique_password.used_before': 'This password has been used previously. Please choose a different one.',
} as const;
