import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import type { CaptchaChallenge } from '../../protocol/challenge.ts';
import { type CaptchaConfig, captchaConfig, captchaToken, captchaWidget, checkCaptcha } from '../captcha-check.ts';

/**
 * Asks whether the visitor is a person, by a provider's captcha (CA-1 to CA-4). It proves nothing of who they are, and
 * its private key goes to the provider alone.
 */
export const captcha = defineStage({
  kind: 'captcha',
  model: 'authentik_stages_captcha.captchastage',
  component: 'ak-stage-captcha-form',
  description: 'Asks whether the visitor is a person, by a captcha of a provider.',
  config: captchaConfig,
  needs: [],
  gives: ['captcha'],
  proof: () => ({ asks: true }),
  enter: async ({ config }) => ({ kind: 'ask', challenge: challengeOf(config) }),
  async answer(desk, response): Promise<Outcome> {
    const judged = await checkCaptcha(desk, desk.config, desk.stage, captchaToken(response, 'token'));
    if (!judged.ok) return { kind: 'retry', problems: { token: [judged.problem] } };
    return { kind: 'pass', context: { captcha: judged.captcha } };
  },
});

function challengeOf(config: Desk<CaptchaConfig>['config']): CaptchaChallenge {
  return { component: 'ak-stage-captcha', ...captchaWidget(config) };
}
