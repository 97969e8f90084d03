import { captchaScriptOf } from '../pages/captcha.tsx';
import type { Challenge } from '../protocol/challenge.ts';
import { contentSecurityPolicy, type HeaderMap } from './answers.ts';

/** Two providers serve their captcha from more origins than that of the script (by their documentation). */
const moreOrigins: Readonly<Record<string, readonly string[]>> = {
  'https://www.google.com': ['https://www.gstatic.com/recaptcha/'],
  'https://www.recaptcha.net': ['https://www.gstatic.com/recaptcha/'],
  'https://js.hcaptcha.com': ['https://hcaptcha.com', 'https://*.hcaptcha.com'],
};

/** The page of a captcha allows the origin of the configured script; every other page has the strict policy. */
export function captchaPolicy(challenge: Challenge): HeaderMap {
  const script = captchaScriptOf(challenge as { readonly component: string });
  if (script === null) return {};
  const { origin } = new URL(script);
  return { 'content-security-policy': contentSecurityPolicy([origin, ...(moreOrigins[origin] ?? [])]) };
}
