import authenticatorScript from './assets/authenticators.client.js';
import avatarSvg from './assets/avatar.svg';
import captchaScript from './assets/captcha.client.js';
import script from './assets/doorward.client.js';
import css from './assets/doorward.css';
import faviconSvg from './assets/favicon.svg';
import logoSvg from './assets/logo.svg';
import { contentHash } from './content-hash.ts';

export { logoSvg };

export const stylesheetPath = `/static/doorward-${contentHash(css)}.css`;
export const scriptPath = `/static/doorward-${contentHash(script)}.js`;
export const authenticatorScriptPath = `/static/authenticators-${contentHash(authenticatorScript)}.js`;
export const captchaScriptPath = `/static/captcha-${contentHash(captchaScript)}.js`;

/** A file that the pages load. */
export interface Asset {
  readonly body: string;
  /** Content type. */
  readonly type: string;
  /** Its path names its content, so it may be kept for ever. */
  readonly immutable: boolean;
}

const svg = (body: string): Asset => ({ body, type: 'image/svg+xml', immutable: false });

/** Everything under `/static/` by path, but for the brand's stylesheet (`brandStylesheet`). */
export const assets: Readonly<Record<string, Asset>> = {
  [stylesheetPath]: { body: css, type: 'text/css; charset=utf-8', immutable: true },
  [scriptPath]: { body: script, type: 'text/javascript; charset=utf-8', immutable: true },
  [authenticatorScriptPath]: { body: authenticatorScript, type: 'text/javascript; charset=utf-8', immutable: true },
  [captchaScriptPath]: { body: captchaScript, type: 'text/javascript; charset=utf-8', immutable: true },
  '/static/logo.svg': svg(logoSvg),
  '/static/favicon.svg': svg(faviconSvg),
  '/static/avatar.svg': svg(avatarSvg),
};
