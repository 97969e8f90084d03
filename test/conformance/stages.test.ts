/*
 * What every stage of the table keeps, without a line here of its own: a new stage is visited in every situation, with
 * every answer. Only what a stage cannot do without is said, in `situations.ts`.
 */
import { describe, expect, it } from 'vitest';
import { BlueprintRig } from '../../src/blueprints/blueprint-rig.ts';
import type { Effect, Refusal } from '../../src/engine/effects.ts';
import type { AnyStage, Outcome } from '../../src/engine/stage.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { revealed } from '../../src/protocol/confidential.ts';
import { de } from '../../src/protocol/texts/de.ts';
import { en } from '../../src/protocol/texts/en.ts';
import { stages } from '../../src/stages/index.ts';
import { type DeskOptions, deskFor, type TestDesk } from '../../src/testing/desk.ts';
import { answers, least, others, situations, typedSecret } from './situations.ts';

const contextKeys = new Set([
  ...['prompt_data', 'pending_user', 'pending_user_identifier', 'user_backend', 'auth_method', 'auth_method_args'],
  ...['groups', 'user_type', 'user_path', 'redirect', 'deny_message', 'is_redirected', 'redirect_stage_target'],
  ...['captcha', 'consent_permissions', 'consent_additional_permissions'],
  ...['invitation', 'invitation_in_effect'],
]);
const mostChallengeBytes = 64 * 1024;
const reasons: readonly Refusal['reason'][] = [
  ...(['taken', 'changed', 'missing', 'used', 'limited', 'vetoed', 'constraint'] as const),
];

it.each(['kind', 'model', 'component'] as const)('no two stages have the same %s', (member) => {
  const names = stages.map((stage) => stage[member].toLowerCase());
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
});

describe.each(stages.map((stage) => [stage.kind, stage] as const))('the stage %s', (kind, stage) => {
  const smallest = least[kind] ?? {};
  // As a compiled flow has it: checked once, and the same object at every desk.
  const configs = [{}, ...(others[kind] ?? [])].map((more) => stage.config.parse({ ...smallest, ...more }));
  const desks = configs.flatMap((config) => situations.map((situation) => ({ ...situation, config })));
  let found: ReturnType<typeof everyOutcome> | null = null;
  const outcomes = () => {
    found ??= everyOutcome(stage, desks);
    return found;
  };

  it('is declared in full: names as on the wire, words, and plan context keys that are known', () => {
    expect(stage.kind).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(stage.model).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/);
    expect(stage.component).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(stage.description).not.toBe('');
    for (const key of [...stage.needs, ...stage.gives]) expect(contextKeys).toContain(key);
    for (const member of Object.keys(stage.references ?? {}))
      expect(Object.keys(stage.config.parse(smallest))).toContain(member);
  });

  it('fills in what its configuration leaves out, and takes what it filled in', () => {
    const config = stage.config.parse(smallest);
    expect(stage.config.parse(config)).toEqual(config);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it('refuses a wrong configuration, and names the member', () => {
    for (const nothing of [null, 'text', 7]) expect(stage.config.safeParse(nothing).success).toBe(false);
    for (const member of Object.keys(stage.config.parse(smallest))) {
      const wrong = [{}, [{}], 1.5, 'no such thing'].map((value) =>
        stage.config.safeParse({ ...smallest, [member]: value }),
      );
      const paths = wrong.flatMap(({ error }) => error?.issues.map(({ path }) => path[0]) ?? []);
      expect(paths).toContain(member);
    }
  });

  it('comes out of a blueprint as it went in, and applying that again changes nothing', async () => {
    for (const config of configs) {
      const rig = new BlueprintRig();
      await rig.apply(blueprintOf(stage, config));
      const compiled = rig.flow('conforming').bindings[0]?.stage;
      expect(compiled?.kind).toBe(kind);
      const references = Object.keys(stage.references ?? {});
      expect(without(compiled?.config ?? {}, references)).toEqual(without(stage.config.parse(config), references));
      const { summary } = await rig.apply(blueprintOf(stage, config));
      expect(summary).toMatchObject({ created: 0, updated: 0, deleted: 0 });
    }
  });

  it('decides on arrival by what lies on its desk alone, and changes nothing of it', async () => {
    for (const options of desks) {
      const [first, again] = [
        await stage.enter(frozenDesk(stage, options)),
        await stage.enter(frozenDesk(stage, options)),
      ];
      expect(shapeOf(again)).toEqual(shapeOf(first));
    }
  });

  it('decides on the same answer the same, and changes nothing of it', async () => {
    for (const options of desks)
      for (const { desk, response } of await asked(stage, options)) {
        const decide = () => stage.answer?.(desk(), deepFreeze(nullPrototype(response)));
        expect(shapeOf(await decide())).toEqual(shapeOf(await decide()));
      }
  });

  it('asks little, and with texts that are in every catalogue', async () => {
    for (const { outcome } of await outcomes()) {
      const challenge = 'challenge' in outcome ? outcome.challenge : undefined;
      if (challenge !== undefined) {
        expect(Buffer.byteLength(JSON.stringify(challenge))).toBeLessThan(mostChallengeBytes);
        expect(JSON.parse(JSON.stringify(revealed(challenge)))).toEqual(revealed(challenge));
      }
      for (const { key, params } of textsIn(outcome))
        for (const catalogue of [en, de]) {
          const template: string | undefined = (catalogue as Readonly<Record<string, string>>)[key];
          const wanted = [...(template ?? `{${key} is missing}`).matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
          expect(Object.keys(params)).toEqual(expect.arrayContaining(wanted));
        }
    }
  });

  it('keeps what is typed in confidence out of all it decides and logs', async () => {
    for (const { outcome, desk } of await outcomes()) {
      expect(JSON.stringify(outcome)).not.toContain(typedSecret);
      expect(JSON.stringify(desk.logged)).not.toContain(typedSecret);
    }
  });

  it('gives the plan context nothing that it did not declare', async () => {
    const declared = new Set<string>(stage.gives);
    for (const { outcome } of await outcomes()) {
      const given = Object.entries(('context' in outcome ? outcome.context : undefined) ?? {});
      const names = given.flatMap(([key, value]) => (value === undefined || key.startsWith('doorward/') ? [] : [key]));
      for (const name of names) expect(declared).toContain(name);
    }
  });
});

/** What a stage decides on arrival, on each answer, and when the commit refuses any effect of these. */
async function everyOutcome(
  stage: AnyStage,
  desks: readonly DeskOptions[],
): Promise<readonly { outcome: Outcome; desk: TestDesk<JsonObject> }[]> {
  const found: { outcome: Outcome; desk: TestDesk<JsonObject> }[] = [];
  for (const options of desks) {
    const entered = frozenDesk(stage, options);
    const here = [{ outcome: await stage.enter(entered), desk: entered }];
    for (const { desk: lay, response } of await asked(stage, options)) {
      const desk = lay();
      const outcome = await stage.answer?.(desk, nullPrototype(response));
      if (outcome !== undefined) here.push({ outcome, desk });
    }
    for (const effect of new Set(here.flatMap(({ outcome }) => (outcome.effects ?? []).map(({ kind }) => kind))))
      for (const reason of reasons) {
        const desk = frozenDesk(stage, options);
        const outcome = await stage.refused?.(desk, refusalOf(effect, reason));
        if (outcome !== undefined) here.push({ outcome, desk });
      }
    found.push(...here);
  }
  return found;
}

function refusalOf(effect: Effect['kind'], reason: Refusal['reason']): Refusal {
  return reason === 'taken' ? { effect, reason, field: 'username' } : { effect, reason };
}

/** The desks at which the stage has asked, with the answers to it: those of everybody, and its own without a browser. */
async function asked(
  stage: AnyStage,
  options: DeskOptions,
): Promise<readonly { desk: () => TestDesk<JsonObject>; response: JsonObject }[]> {
  const outcome = await stage.enter(frozenDesk(stage, options));
  if (outcome.kind !== 'ask' || stage.answer === undefined) return [];
  const desk = () => frozenDesk(stage, { ...options, memo: outcome.memo ?? null });
  const own = stage.unattended?.(desk()) ?? null;
  return [...answers, ...(own === null ? [] : [own])].map((response) => ({ desk, response }));
}

/** A desk on which nothing can be changed, whose hasher tells nothing of a password. */
function frozenDesk(stage: AnyStage, options: DeskOptions): TestDesk<JsonObject> {
  const desk = { ...deskFor(stage, options), config: options.config as JsonObject };
  for (const part of [desk.config, desk.context, desk.memo, desk.visitor, desk.query, options]) deepFreeze(part);
  return {
    ...desk,
    tools: {
      ...desk.tools,
      hashPassword: async (password) => `a hash of ${password.length} characters`,
      verifyPassword: async (_, password) => ({
        ok: password === typedSecret,
        renewed: 'a new hash',
        stored: 'a hash',
      }),
    },
  };
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

function nullPrototype(object: JsonObject): JsonObject {
  return Object.assign(Object.create(null) as JsonObject, object);
}

/** An outcome with tokens, their hashes and ids that are made anew each time by their shape alone. */
function shapeOf(outcome: Outcome | undefined): unknown {
  return JSON.parse(
    JSON.stringify(outcome ?? null, (_, value: unknown) =>
      typeof value === 'string'
        ? value
            .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'a uuid')
            .replace(/(?<=^|\n|flow_token=)([\w-]{36,}|\d{6})$/, (made) => `made of ${made.length}`)
        : value,
    ),
  );
}

/** Texts of the catalogues anywhere in an outcome. */
function textsIn(value: unknown): readonly { key: string; params: Readonly<Record<string, unknown>> }[] {
  if (value === null || typeof value !== 'object') return [];
  const own =
    '$text' in value
      ? [{ key: String(value.$text), params: ('params' in value ? value.params : {}) as JsonObject }]
      : [];
  return [...own, ...Object.values(value).flatMap(textsIn)];
}

function without(config: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([member]) => !members.includes(member)));
}

/** The stage in a flow, with what it refers to made beside it. */
function blueprintOf(stage: AnyStage, config: JsonObject): string {
  const references = stage.references ?? {};
  const entries = new Map<string, string>([
    [
      'flow',
      entry(
        'authentik_flows.flow',
        'flow',
        { slug: 'conforming' },
        { name: 'C', title: 'C', designation: 'enrollment' },
      ),
    ],
  ]);
  const attrs: Record<string, unknown> = { ...config };
  for (const [member, kind] of Object.entries(references)) {
    const given = config[member];
    const wanted = Array.isArray(given) ? given : given === undefined || given === null ? [] : [given];
    const made = wanted.map((reference) => {
      const id = `ref-${String(reference)}`;
      entries.set(id, referred(kind, id));
      return `!KeyOf ${id}`;
    });
    if (made.length > 0) attrs[member] = Array.isArray(given) ? made : made[0];
  }
  const binding = { target: '!KeyOf flow', stage: '!KeyOf stage', order: 0 };
  const all = [
    ...entries.values(),
    entry(stage.model, 'stage', { name: 'conforming-stage' }, attrs),
    entry('authentik_flows.flowstagebinding', 'binding', binding, {}),
  ];
  return `version: 1\nentries:\n${all.map((one) => `  - ${one}`).join('\n')}\n`;
}

function referred(kind: string, id: string): string {
  const flow = { name: id, title: id, designation: 'enrollment' };
  switch (kind) {
    case 'flow':
      return entry('authentik_flows.flow', id, { slug: `slug-${id}` }, flow);
    case 'group':
      return entry('authentik_core.group', id, { name: id }, {});
    case 'prompt':
      return entry('authentik_stages_prompt.prompt', id, { name: id }, { field_key: id, label: id, type: 'text' });
    case 'stage':
      return entry('authentik_stages_password.passwordstage', id, { name: id }, {});
    default:
      throw new Error(`a configuration of the conformance suite refers to a ${kind}: say how one is made`);
  }
}

function entry(model: string, id: string, identifiers: object, attrs: object): string {
  return JSON.stringify({ model, id, identifiers, attrs }).replace(/"(!KeyOf [^"]+)"/g, '$1');
}
