import type { CaptchaChallenge, CaptchaWidget } from '../protocol/challenge.ts';
import { captchaScriptPath } from './assets.ts';
import { FlowForm, PendingUser } from './flow-form.tsx';
import { formView } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { isWebAddress } from './web-address.ts';
import type { Words } from './words.ts';

/** Asks whether the visitor is a person. The answer is sent as soon as the provider gives it. */
export function Captcha({ data, challenge }: ChallengeProps<CaptchaChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.captcha_lead')}</p>
      <FlowForm view={view} submit={words.of('page.continue')}>
        <CaptchaField words={words} widget={challenge} name="token" sends />
      </FlowForm>
    </>
  );
}

interface CaptchaFieldProps {
  readonly words: Words;
  readonly widget: CaptchaWidget;
  /** Of the answer in the form. */
  readonly name: 'token' | 'captcha_token';
  /** The form has nothing else in it, so the answer is sent by itself. */
  readonly sends?: boolean;
}

/** The place of a provider's captcha in a form. `captcha.client.js` fills it once the provider's script is there. */
export function CaptchaField({ words, widget, name, sends = false }: CaptchaFieldProps) {
  const { site_key, js_url, interactive } = widget;
  if (!isWebAddress(js_url)) return null;
  return (
    <>
      <div
        class="captcha"
        data-captcha={site_key}
        data-interactive={String(interactive)}
        data-sends={String(sends)}
        data-language={words.locale}
      />
      <input type="hidden" name={name} data-captcha-answer />
      <p class="hint" role="status" data-captcha-blocked hidden>
        {words.of('page.captcha_blocked')}
      </p>
      <noscript>
        <p class="hint">{words.of('page.captcha_noscript')}</p>
      </noscript>
      <script src={captchaScriptPath} defer />
      <script src={js_url} defer data-captcha-script />
    </>
  );
}

/** The script of another provider that a page with this challenge loads, or null. */
export function captchaScriptOf(challenge: { readonly component: string; readonly [key: string]: unknown }) {
  const widget: unknown = challenge.component === 'ak-stage-captcha' ? challenge : challenge.captcha_stage;
  const url: unknown = typeof widget === 'object' && widget !== null && 'js_url' in widget ? widget.js_url : null;
  return typeof url === 'string' && URL.canParse(url) && isWebAddress(url) ? url : null;
}
