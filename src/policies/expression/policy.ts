/**
 * An administrator's code decides (flow-engine.md 5.2). It runs apart from the server; what it sees and may ask is in
 * `engine/expression-*.ts`. What fails to run has no verdict, and then the flow denies.
 */
import * as z from 'zod';
import { codeProblem } from '../../engine/expression-check.ts';
import { evaluateExpression } from '../../engine/expression-run.ts';
import type { ExpressionScene } from '../../engine/expression-scene.ts';
import { type ExpressionLanguage, expressionLanguages } from '../../engine/expressions.ts';
import { definePolicy, type PolicyDesk, type PolicyVerdict } from '../../engine/policy.ts';
import { isPlainObject, type Json } from '../../kernel/json.ts';

const config = z.object({
  expression: z.string().min(1).describe('The body of a function; what it returns decides.'),
  language: z.enum(expressionLanguages).default('python').describe('What the expression is written in.'),
  execution_logging: z.boolean().default(false).describe('Notes each evaluation and its result as an event.'),
});
type Config = z.infer<typeof config>;

/** Passes when the code returns something true. */
export const expression = definePolicy<Config>({
  kind: 'expression',
  model: 'authentik_policies_expression.expressionpolicy',
  component: 'ak-policy-expression-form',
  description: 'Passes when your expression says so.',
  config,
  evaluate,
  async problems({ language, expression: source }, { expressions }) {
    const text = await codeProblem(expressions, language, source);
    return text === null ? [] : [{ member: 'expression', text }];
  },
});

async function evaluate(desk: PolicyDesk<Config>): Promise<PolicyVerdict> {
  const { language, expression: source, execution_logging: logging } = desk.config;
  const evaluated = await evaluateExpression(sceneOf(desk), { language, source });
  const { result, messages, contextPatch, effects } = evaluated;
  if (result === null)
    desk.tools.log('warn', 'an expression returned nothing, which does not pass', { policy: desk.name });
  const passing = isTrue(result, language);
  const told = { policy: desk.name, passing, messages, sets: Object.keys(contextPatch) };
  return {
    ...{ passing, messages, contextPatch },
    effects: logging ? [...effects, await evaluated.event('policy_execution', told)] : effects,
  };
}

function sceneOf({ name, request, read, tools, call }: PolicyDesk<Config>): ExpressionScene {
  const { flow, context, visitor, userId } = request;
  const user = async () => (userId === null ? null : read.user(userId));
  return { name: `policy "${name}"`, flow, context, visitor, user, read, tools, call };
}

/** As the code's own language has it: an empty list is nothing in Python, and something in JavaScript. */
function isTrue(result: Json, language: ExpressionLanguage): boolean {
  if (language === 'javascript' || result === null || typeof result !== 'object') return Boolean(result);
  if (Array.isArray(result)) return result.length > 0;
  return isPlainObject(result) && Object.keys(result).length > 0;
}
