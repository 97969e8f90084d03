/** Texts of captchas. */
export const captcha = {
  'captcha.missing': 'Please pass the check that you are a person first.',
  'captcha.unknown': 'We could not check that you are a person. Please try again in a moment.',
  'captcha.refused': 'The check that you are a person was not passed.',
  'captcha.refused_retry': 'The check that you are a person has expired. Please try once more.',
  'page.captcha_lead': 'One check before it goes on: are you a person?',
  'page.captcha_noscript':
    'This check needs JavaScript, from another provider. Please turn JavaScript on for this page and load it again.',
  'page.captcha_blocked':
    'The check could not be loaded. Please allow its provider in your browser and load the page again.',
} as const;
