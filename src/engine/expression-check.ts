import type { ExpressionLanguage, Expressions } from './expressions.ts';

const ofServer =
  'ak_(?:user_by|is_group_member|call_policy|user_has_authenticator)|resolve_dns|reverse_dns|requests\\.\\w+';
const methods = 'has_usable_password|group_attributes|all_groups|app_entitlements|locale|all|first|exists|count';
const unawaited = new RegExp(`[(!&|=?]\\s*(${ofServer}|(?!await\\b)[\\w.]+\\.(?:ak_)?(?:groups\\.)?(?:${methods}))\\(`);

/**
 * Why code could not run, or would not mean what it says; null when nothing is wrong with it. In JavaScript a promise is
 * always true: a condition that forgets `await` would let everybody pass.
 */
export async function codeProblem(
  expressions: Expressions,
  language: ExpressionLanguage,
  source: string,
): Promise<string | null> {
  const problem = await expressions.check(language, source);
  if (problem !== null || language === 'python') return problem;
  const found = unawaited.exec(source);
  if (found === null) return null;
  const [whole, name] = found;
  const line = source.slice(0, found.index + whole.length).split('\n').length;
  return `line ${line}: the server answers ${name}, so write await ${name}(…)`;
}
