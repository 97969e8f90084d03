/** What administrators and their programs see of flows: the inspector (flow-engine.md 3.9) and the picture. */
import type { Inspected } from '../app/inspection.ts';
import type { CompiledFlow } from '../engine/flow.ts';
import { DoorwardError, isDoorwardError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import { chooseLocale, type Locale, localize } from '../protocol/localize.ts';
import { jsonAnswer } from './answers.ts';
import { administratorOf } from './caller.ts';
import { lookOf, type Site, type Visit } from './exchange.ts';
import { readQuery } from './guards.ts';

/**
 * `GET /api/v3/flows/inspector/<slug>/`: the run of the asking browser. Who may not see it is told that there is
 * nothing (404); where the browser has no run, the answer is empty (400).
 */
export async function inspector(site: Site, visit: Visit): Promise<Response> {
  await inspectorOf(site, visit);
  const search = readQuery(visit.url.search).query ?? '';
  const found = await site.app.inspect(lookOf(site, visit, visit.params.slug ?? '', search));
  if (found === null) return new Response(null, { status: 400, headers: { 'cache-control': 'no-store' } });
  return jsonAnswer(wireInspection(found, chooseLocale(undefined, visit.request.headers.get('accept-language'))));
}

/** `GET /api/v3/flows/instances/<slug>/diagram/`: text for Mermaid. */
export async function diagram(site: Site, visit: Visit): Promise<Response> {
  await administratorOf(site, visit);
  return jsonAnswer({ diagram: await site.app.diagram(visit.params.slug ?? '', 'mermaid') });
}

async function inspectorOf(site: Site, visit: Visit): Promise<void> {
  try {
    await administratorOf(site, visit);
  } catch (error) {
    if (isDoorwardError(error) && ['forbidden', 'invalid_token'].includes(error.code))
      throw new DoorwardError('not_found', 'the inspector is for administrators');
    throw error;
  }
}

type Place = Inspected['places'][number];

function wireInspection(found: Inspected, locale: Locale): JsonObject {
  const { flow, places, context, decisions, messages, ended, sessionHash } = found;
  const at = places.findIndex(({ state }) => state === 'current');
  const visited = places.filter(({ state }) => state === 'done');
  const plan = (current: Place | undefined, next: Place | undefined, known: JsonObject): JsonObject => ({
    ...{ current_stage: wireBinding(flow, current), next_planned_stage: wireBinding(flow, next) },
    ...{ plan_context: known, session_id: sessionHash },
  });
  const left = places.slice(at + 1).filter(({ state }) => state === 'to_come');
  return {
    // Of what lies behind, the stages alone are kept; what was known then is not.
    plans: visited.map((place, index) => plan(place, visited[index + 1] ?? places[at], {})),
    current_plan: plan(places[at], left[0], context),
    is_completed: ended !== null,
    // From here on what the reference does not tell.
    outcome:
      ended === null ? null : ended.kind === 'done' ? ended : { ...ended, message: localize(ended.message, locale) },
    version: flow.version,
    stages: places.map(({ id, stage, state }) => ({ binding: id, name: stage.name, kind: stage.kind, state })),
    decisions: decisions.map(({ messages: said, ...decision }) => ({
      ...decision,
      messages: said.map((message) => localize(message, locale)),
    })),
    messages: messages.map((message) => localize(message, locale)),
  };
}

/** A binding as the reference writes it; for nothing the members that can be written, empty, as it does. */
function wireBinding(flow: CompiledFlow, place: Place | undefined): JsonObject {
  if (place === undefined)
    return {
      ...{ target: null, stage: null, evaluate_on_plan: false, re_evaluate_policies: false, order: null },
      ...{ policy_engine_mode: null, invalid_response_action: null },
    };
  const { id, stage, binding, declared } = place;
  return {
    ...{ pk: id, policybindingmodel_ptr_id: id, target: flow.pk, stage: stage.pk },
    stage_obj: {
      ...{ pk: stage.pk, name: stage.name, component: declared?.component ?? '' },
      ...{ verbose_name: verbose(stage.kind), verbose_name_plural: `${verbose(stage.kind)}s` },
      ...{ meta_model_name: declared?.model ?? '', flow_set: [wireFlow(flow)] },
    },
    evaluate_on_plan: binding?.evaluateOnPlan ?? false,
    re_evaluate_policies: binding?.reEvaluatePolicies ?? false,
    order: binding?.order ?? 0,
    policy_engine_mode: binding?.policyEngineMode ?? 'any',
    invalid_response_action: binding?.invalidResponseAction ?? 'retry',
  };
}

function wireFlow(flow: CompiledFlow): JsonObject {
  return {
    ...{ pk: flow.pk, policybindingmodel_ptr_id: flow.pk, name: flow.name, slug: flow.slug },
    ...{ title: localize(flow.title, 'en'), designation: flow.designation, background: flow.background },
    ...{ policy_engine_mode: flow.policyEngineMode, compatibility_mode: false, layout: flow.layout },
    denied_action: flow.deniedAction,
  };
}

/** `user_write` → User Write Stage. */
function verbose(kind: string): string {
  const words = kind.split('_').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  return [...words, 'Stage'].join(' ');
}
