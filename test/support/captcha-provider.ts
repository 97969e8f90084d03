import type { IncomingMessage, ServerResponse } from 'node:http';
import { openServer } from './local-servers.ts';

/** A provider of captchas: a real server with a script and the question whether an answer is good. */
export interface CaptchaProvider {
  readonly origin: string;
  /** Attributes of a captcha stage that uses it. */
  readonly attrs: Readonly<Record<string, unknown>>;
  /** What it was asked, as a form. */
  readonly asked: readonly Readonly<Record<string, string>>[];
  /** Answers otherwise than with success for the token `person`; null: as it does. */
  misbehave: ((response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

export const captchaKey = 'the private key of the captcha';

/** As Turnstile: a box that gives its answer when it is ticked. */
const script = `window.turnstile = {
  render(place, { sitekey, callback }) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'I am a person (' + sitekey + ')';
    button.onclick = () => callback('person');
    place.append(button);
    return 'one';
  },
  reset() {},
};`;

export async function openCaptchaProvider(): Promise<CaptchaProvider> {
  const asked: Record<string, string>[] = [];
  const { origin, close } = await openServer(async (request, response) => {
    if (request.url === '/api.js') {
      response.setHeader('content-type', 'text/javascript');
      return response.end(script);
    }
    const form = Object.fromEntries(new URLSearchParams(await bodyOf(request)));
    asked.push(form);
    if (provider.misbehave !== null) return provider.misbehave(response);
    const success = form.secret === captchaKey && form.response === 'person';
    const codes = success ? [] : ['invalid-input-response'];
    return response.end(JSON.stringify({ success, 'error-codes': codes, hostname: 'localhost' }));
  });
  const provider: CaptchaProvider = {
    ...{ origin, asked, misbehave: null },
    attrs: {
      ...{ public_key: 'site key', private_key: captchaKey, interactive: true },
      ...{ js_url: `${origin}/api.js`, api_url: `${origin}/siteverify` },
    },
    close,
  };
  return provider;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
