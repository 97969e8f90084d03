import type { PolicyBinding } from '../../engine/flow.ts';

/**
 * Expressions of the reference's own blueprints that spare a visitor what was proven already: they do not pass only
 * once something was. Compared without spaces, comments and quotes' kind; any other text is taken to say whatever it
 * likes.
 */
const known: readonly string[] = [
  // default/flow-default-authentication-flow: the password stage, unless identification asked the password already.
  `flow_plan = request.context.get("flow_plan")
   if not flow_plan:
     return True
   return not hasattr(flow_plan.context.get("pending_user"), "backend")`,
  // example/flows-recovery-email-verification: identification and e-mail, unless the link in the mail led here.
  `return bool(request.context.get('is_restored', True))`,
  `return not request.context.get('is_restored', False)`,
  `return not context.get('is_restored', False)`,
];

const texts: ReadonlySet<string> = new Set(known.map(normalised));

/** Whether a policy passes for as long as nothing was proven of the pending user. */
export function passesUntilProven({ kind, config }: NonNullable<PolicyBinding['policy']>): boolean {
  return kind === 'expression' && typeof config.expression === 'string' && texts.has(normalised(config.expression));
}

function normalised(expression: string): string {
  return expression.replace(/#.*$/gm, '').replaceAll("'", '"').replace(/\s+/g, '');
}
