import { promptValue } from '../../engine/plan-context.ts';
import { definePolicy, type PolicyDesk, type PolicyVerdict } from '../../engine/policy.ts';
import { type Text, text } from '../../protocol/text.ts';
import { isHashTrusted, passwordMissing, typedPassword } from '../typed-password.ts';
import { timesStolen } from './breaches.ts';
import { type PasswordPolicyConfig, passwordPolicyConfig } from './config.ts';
import { missingOf } from './static-rules.ts';

type Desk = PolicyDesk<PasswordPolicyConfig>;

/**
 * Judges a new password: static rules, then whether it is known to be stolen, then how hard it is to guess. What it
 * says is of the first of these that is not met.
 */
export const password = definePolicy({
  kind: 'password',
  model: 'authentik_policies_password.passwordpolicy',
  component: 'ak-policy-password-form',
  description: 'Passes when a new password is good enough.',
  config: passwordPolicyConfig,
  async evaluate(desk) {
    const { config, request } = desk;
    const typed = typedPassword(request.context, config.password_field);
    if (typed === null) return isHashTrusted(request.context) ? passes : refuses([passwordMissing]);
    const missing = config.check_static_rules ? missingOf(config, typed) : [];
    if (missing.length > 0) return refuses(missing);
    const stolen = config.check_have_i_been_pwned ? await ifStolen(desk, typed) : null;
    if (stolen !== null) return stolen;
    return config.check_zxcvbn ? byStrength(desk, typed) : passes;
  },
});

const passes: PolicyVerdict = { passing: true, messages: [] };

function refuses(messages: readonly Text[]): PolicyVerdict {
  return { passing: false, messages };
}

/** null when nothing speaks against it. */
async function ifStolen(desk: Desk, typed: string): Promise<PolicyVerdict | null> {
  const { config, tools, name } = desk;
  try {
    const count = await timesStolen(desk, config.breach_check_url ?? tools.breachCheckUrl, typed);
    if (count <= config.hibp_allowed_count) return null;
    return refuses([text('password_policy.stolen', { count })]);
  } catch (error) {
    const { breach_check_failure: failure } = config;
    tools.log('warn', `the service of stolen passwords cannot be asked, so the policy is to ${failure}`, {
      ...{ policy: name, error: String(error) },
    });
    if (failure === 'allow') return null;
    return { ...refuses([text('password_policy.stolen_unknown')]), failed: true };
  }
}

async function byStrength(desk: Desk, typed: string): Promise<PolicyVerdict> {
  const score = await desk.tools.passwordScore(typed, await ownWords(desk));
  return score > desk.config.zxcvbn_score_threshold ? passes : refuses([text('password_policy.weak')]);
}

const mostWords = 50;
const longestWord = 100;

/** What the visitor is called, and each word of it: a guesser tries that first. */
async function ownWords({ request, read }: Desk): Promise<readonly string[]> {
  const user = request.userId === null ? null : await read.user(request.userId);
  const values = (['username', 'name', 'email'] as const).flatMap((key) => [
    promptValue(request.context, key),
    user?.[key],
  ]);
  const words = values.flatMap((value) =>
    typeof value === 'string' ? [value, ...value.split(/[^\p{L}\p{N}]+/u)].map((word) => word.toLowerCase()) : [],
  );
  // Two letters are in any password.
  return [...new Set(words)].filter(({ length }) => length > 2 && length <= longestWord).slice(0, mostWords);
}
