/** The engine's reply as the reference's JSON (flow-engine.md 4). */
import type { StepReply } from '../engine/exchange.ts';
import { showsPendingUser, type WireChallenge, type WireProblem } from '../protocol/challenge.ts';
import { revealed } from '../protocol/confidential.ts';
import { type Locale, localize, localizeDeep } from '../protocol/localize.ts';
import type { FieldProblems } from '../protocol/text.ts';

/** Where a flow is given up. */
export const cancelPath = '/flows/-/cancel/';
const avatarPath = '/static/avatar.svg';
/** These carry nothing but their own keys. */
const bare: readonly string[] = ['xak-flow-redirect', 'xak-flow-shell', 'ak-stage-flow-error'];

/** @param background of the brand, used where the flow has none */
export function wireChallenge(reply: StepReply, query: string, background: string): WireChallenge {
  const { challenge, flow, locale } = reply;
  const own = localizeDeep(revealed(challenge), locale) as WireChallenge;
  if (bare.includes(challenge.component)) return own;
  return {
    ...withCaptchaUser(withQuery(own, query)),
    flow_info: {
      title: reply.title,
      background: flow === null || flow.background === '' ? background : flow.background,
      cancel_url: cancelPath,
      layout: flow?.layout ?? 'stacked',
    },
    ...(reply.problems === null ? {} : { response_errors: wireProblems(reply.problems, locale) }),
    ...(showsPendingUser(challenge.component)
      ? { pending_user: reply.pendingUser, pending_user_avatar: avatarPath }
      : {}),
  };
}

function wireProblems(problems: FieldProblems, locale: Locale): Record<string, readonly WireProblem[]> {
  return Object.fromEntries(
    Object.entries(problems).map(([field, found]) => [
      field,
      found.map(({ text, code }) => ({ string: localize(text, locale), code })),
    ]),
  );
}

/** The reference sends a challenge of its own for the captcha of the identification page, with nobody in it. */
function withCaptchaUser(challenge: WireChallenge): WireChallenge {
  const { captcha_stage: captcha } = challenge;
  if (captcha === null || typeof captcha !== 'object') return challenge;
  return { ...challenge, captcha_stage: { ...captcha, pending_user: '', pending_user_avatar: avatarPath } };
}

/** ID-10: links to other flows keep the page's query, so `next` and an invitation survive. */
function withQuery(challenge: WireChallenge, query: string): WireChallenge {
  if (query === '') return challenge;
  const links = ['enroll_url', 'recovery_url', 'passwordless_url'].flatMap((name) =>
    typeof challenge[name] === 'string' ? [[name, `${challenge[name]}?${query}`] as const] : [],
  );
  return { ...challenge, ...Object.fromEntries(links) };
}
