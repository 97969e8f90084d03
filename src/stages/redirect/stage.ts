import * as z from 'zod';
import { slugOf } from '../../engine/flow.ts';
import { type Desk, defineStage, type Outcome } from '../../engine/stage.ts';
import { text } from '../../protocol/text.ts';

const flowScheme = 'ak-flow://';

const config = z
  .object({
    mode: z.enum(['static', 'flow']).describe('To an address, or into another flow.'),
    target_static: z.string().default('').describe('An http or https address, or a path on this site.'),
    target_flow: z.string().nullable().default(null),
    keep_context: z.boolean().default(true).describe('The other flow goes on with what is known here.'),
  })
  .superRefine((value, check) => {
    const complain = (member: string, message: string) => check.addIssue({ code: 'custom', path: [member], message });
    if (value.mode === 'static' && value.target_static === '')
      complain('target_static', 'is needed in the mode "static"');
    if (value.mode === 'flow' && value.target_flow === null) complain('target_flow', 'is needed in the mode "flow"');
    if (value.target_static !== '' && !isWebTarget(value.target_static))
      complain('target_static', 'must be an http or https address, or begin with "/"');
  });
type Config = z.infer<typeof config>;

/**
 * Sends the visitor to an address or into another flow (RE-1 to RE-5). An address is left by the browser; the stage
 * stays the current one until an answer comes, and then passes.
 */
export const redirect = defineStage({
  kind: 'redirect',
  model: 'authentik_stages_redirect.redirectstage',
  component: 'ak-stage-redirect-form',
  description: 'Sends the visitor to an address or into another flow.',
  config,
  references: { target_flow: 'flow' },
  needs: [],
  gives: ['is_redirected'],
  touchesBrowser: true,
  proof(config, object) {
    if (config.mode === 'static') return { asks: true, goesTo: { address: config.target_static } };
    const flow = config.target_flow === null ? null : object(config.target_flow);
    return { goesTo: { flow: flow === null ? null : slugOf(flow), keepContext: config.keep_context } };
  },
  enter: async (desk) => wishedByContext(desk) ?? configured(desk),
  answer: async () => ({ kind: 'pass' }),
});

/** RE-1: what a policy put into the plan context wins. Never `javascript:` and the like, whoever asks. */
function wishedByContext({ config, context, tools }: Desk<Config>): Outcome | null {
  const target: unknown = context.redirect_stage_target;
  if (typeof target !== 'string' || target === '') return null;
  if (target.startsWith(flowScheme)) return jump(target.slice(flowScheme.length), config.keep_context);
  if (isWebTarget(target)) return { kind: 'leave', to: target };
  tools.log('warn', 'redirect_stage_target is neither a web address nor a path', {});
  return noTarget;
}

function configured({ config, object }: Desk<Config>): Outcome {
  if (config.mode === 'static')
    return isWebTarget(config.target_static) ? { kind: 'leave', to: config.target_static } : noTarget;
  const flow = config.target_flow === null ? null : object(config.target_flow);
  return flow === null ? noTarget : jump(slugOf(flow), config.keep_context);
}

/** RE-5. */
const noTarget: Outcome = { kind: 'deny', message: text('flow.target_gone') };

function jump(flow: string, keep: boolean): Outcome {
  return { kind: 'jump', flow, keep };
}

/** Whether a browser can be sent there: http, https, or a path; other schemes run scripts or start programs. */
function isWebTarget(target: string): boolean {
  return /^(?:https?:\/\/|\/)\P{Cc}*$/iu.test(target) && URL.canParse(target, 'https://here.invalid');
}
