/**
 * What a captcha is, for the stage of its own and for the identification page: its settings, what the browser needs to
 * show it, and the question to its provider whether an answer is good. reCAPTCHA, hCaptcha and Turnstile ask and answer
 * alike. Whatever goes wrong there, the answer is not taken (CA-1).
 */
import * as z from 'zod';
import type { Desk } from '../engine/stage.ts';
import { isPlainObject, type Json, type JsonObject, member } from '../kernel/json.ts';
import type { CaptchaWidget } from '../protocol/challenge.ts';
import { type FieldProblem, text } from '../protocol/text.ts';

/** For all of the provider's answer. */
const timeoutMs = 5_000;
/** Longer than any provider's token or answer. */
const longestToken = 8_192;
const longestReply = 16_384;
/** A threshold of this or less is none (CA-2). */
const unbounded = -1;

const address = z.string().refine(isWebAddress, 'is not an http or https address');

export const captchaConfig = z.object({
  public_key: z.string().min(1).max(1_000).describe('The site key: what the browser shows the captcha with.'),
  private_key: z.string().min(1).max(1_000).describe('The secret that the provider is asked with; nobody is shown it.'),
  js_url: address
    .default('https://www.recaptcha.net/recaptcha/api.js')
    .describe("The provider's script. Its origin is allowed on this page alone."),
  api_url: address
    .default('https://www.recaptcha.net/recaptcha/api/siteverify')
    .describe('Where this server asks whether an answer is good.'),
  interactive: z.boolean().default(false).describe('The visitor has something to do, such as a box to tick.'),
  score_min_threshold: z.number().default(0.5).describe('The least score, where the provider gives one; -1: any.'),
  score_max_threshold: z.number().default(1).describe('The greatest score; -1: any.'),
  error_on_invalid_score: z
    .boolean()
    .default(true)
    .describe('Turned off, an answer that the provider refuses passes as well, and policies decide by `captcha`.'),
});
export type CaptchaConfig = z.infer<typeof captchaConfig>;

/** What the browser is told. */
export function captchaWidget({ public_key, js_url, interactive }: CaptchaConfig): CaptchaWidget {
  return { site_key: public_key, js_url, interactive };
}

/** `captcha` of the plan context (CA-4). */
interface CaptchaPassed {
  readonly ok: true;
  readonly captcha: { readonly response: JsonObject; readonly stage: JsonObject };
}

/** A provider's word for that the visitor may simply try once more (CA-2). */
const mayTryAgain: readonly unknown[] = [
  ...['missing-input-response', 'invalid-input-response', 'timeout-or-duplicate'],
  ...['expired-input-response', 'already-seen-response'],
];

/** Asks the provider. @param stage the captcha stage, for policies and for the log */
export async function checkCaptcha(
  desk: Desk,
  config: CaptchaConfig,
  stage: { readonly pk: string; readonly name: string },
  token: Json | undefined,
): Promise<CaptchaPassed | { readonly ok: false; readonly problem: FieldProblem }> {
  const failed = (key: 'captcha.missing' | 'captcha.unknown' | 'captcha.refused' | 'captcha.refused_retry') =>
    ({ ok: false, problem: { code: 'invalid', text: text(key) } }) as const;
  if (typeof token !== 'string' || token === '' || token.length > longestToken) return failed('captcha.missing');
  desk.tools.limits.spend('codes', desk.visitor);
  const response = await answerOf(desk, config, stage.name, token);
  if (response === null) return failed('captcha.unknown');
  const passed = { ok: true, captcha: { response, stage: { pk: stage.pk, name: stage.name } } } as const;
  if (!config.error_on_invalid_score) return passed;
  if (response.success === true) return isWithin(config, response.score) ? passed : failed('captcha.refused');
  const codes = Array.isArray(response['error-codes']) ? response['error-codes'] : [];
  const again = codes.length > 0 && codes.every((code) => mayTryAgain.includes(code));
  if (!again) tell(desk, stage.name, `the provider says ${JSON.stringify(codes).slice(0, 200)}`);
  return failed(again ? 'captcha.refused_retry' : 'captcha.refused');
}

async function answerOf(desk: Desk, config: CaptchaConfig, name: string, token: string): Promise<JsonObject | null> {
  const { address: remoteip } = desk.visitor;
  const asked = { secret: config.private_key, response: token, ...(remoteip === '' ? {} : { remoteip }) };
  try {
    const reply = await desk.tools.outbound.send(config.api_url, {
      ...{ method: 'POST', body: new URLSearchParams(asked).toString(), timeoutMs },
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    });
    const parsed: unknown = reply.status === 200 && reply.text.length <= longestReply ? JSON.parse(reply.text) : null;
    if (isPlainObject(parsed) && typeof parsed.success === 'boolean') return parsed as JsonObject;
    tell(desk, name, `the provider's answer of status ${reply.status} is not one of a captcha's`);
  } catch (error) {
    // What is no JSON may hold anything: its text is not told.
    tell(desk, name, error instanceof SyntaxError ? "the provider's answer is no JSON" : String(error));
  }
  return null;
}

/** Providers without scores tell success alone. */
function isWithin({ score_min_threshold: min, score_max_threshold: max }: CaptchaConfig, score?: Json): boolean {
  if (score === undefined) return true;
  if (typeof score !== 'number') return false;
  return (min <= unbounded || score >= min) && (max <= unbounded || score <= max);
}

function tell({ tools }: Desk, stage: string, why: string): void {
  tools.log('warn', 'a captcha was not passed', { stage, why });
}

/** The token of an answer: by the reference's name, else by the names that the providers' own scripts give it. */
export function captchaToken(response: JsonObject, name: 'token' | 'captcha_token'): Json | undefined {
  const names = [name, 'cf-turnstile-response', 'h-captcha-response', 'g-recaptcha-response'];
  const given = names.map((one) => member(response, one));
  return given.find((value) => typeof value === 'string' && value !== '');
}

/** http or https, with a host that means the same in a Content-Security-Policy. */
function isWebAddress(written: string): boolean {
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written)) return false;
  return /^[\w.:[\]-]+$/.test(new URL(written).host);
}
