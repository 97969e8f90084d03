/**
 * A flow as a picture to be: nodes from top to bottom in the order of the stages, and the ways between them. A condition
 * is a decision before its stage; where it does not hold, the way leads past the stage.
 */
import type {
  AuthenticationRequirement,
  Bound,
  CompiledBinding,
  CompiledFlow,
  DeniedAction,
} from '../../engine/flow.ts';
import { isPlainObject } from '../../kernel/json.ts';

/** A box of the picture. */
export interface DiagramNode {
  readonly id: string;
  readonly shape: 'start' | 'decision' | 'stage' | 'done' | 'denied' | 'away';
  readonly title: string;
  readonly lines: readonly string[];
  /** Stands beside this node, not below it: a way out. */
  readonly beside: string | null;
}

/** A way from one box to another. */
export interface DiagramEdge {
  readonly from: string;
  readonly to: string;
  /** '' where there is nothing to choose. */
  readonly label: string;
}

export interface Diagram {
  readonly title: string;
  /** In words, for who cannot see it. */
  readonly description: string;
  readonly nodes: readonly DiagramNode[];
  readonly edges: readonly DiagramEdge[];
}

/** What groups (by pk) and users (by pk, as text) are called. */
export type Names = ReadonlyMap<string, string>;

const questions: Readonly<Record<Exclude<AuthenticationRequirement, 'none'>, string>> = {
  require_authenticated: 'Is the visitor signed in?',
  require_unauthenticated: 'Is the visitor not signed in?',
  require_superuser: 'Is the visitor an administrator?',
  require_redirect: 'Does the visitor come from another flow?',
  require_outpost: 'Does an outpost ask?',
};

const refusals: Readonly<Record<DeniedAction, string>> = {
  message_continue: 'denied, with a message; or on to where they wanted',
  message: 'denied, with a message',
  continue: 'denied, and on to where they wanted',
};

/** The picture of one version of a flow. */
export function diagramOf(flow: CompiledFlow, names: Names): Diagram {
  const drawing = new Drawing(flow, names);
  drawing.start();
  for (const binding of flow.bindings) drawing.binding(binding);
  drawing.done();
  const { nodes, edges } = drawing;
  const stages = nodes.filter(({ shape }) => shape === 'stage').map(({ title }) => title);
  const order = stages.length === 0 ? 'It has no stages.' : `Its stages in order: ${stages.join(', ')}.`;
  return {
    title: `Flow ${flow.name}`,
    description: `${words(flow.designation)} flow ${flow.slug}, version ${flow.version}. ${order}`,
    nodes,
    edges,
  };
}

/** Pks of groups and users that conditions name. */
export function namedIn(flow: CompiledFlow): { readonly groups: readonly string[]; readonly users: readonly number[] } {
  const bound = [...flow.policies, ...flow.bindings.flatMap(({ policies }) => policies)];
  return {
    groups: [...new Set(bound.flatMap(({ group }) => (group === null ? [] : [group])))],
    users: [...new Set(bound.flatMap(({ user }) => (user === null ? [] : [user])))],
  };
}

class Drawing {
  readonly nodes: DiagramNode[] = [];
  readonly edges: DiagramEdge[] = [];
  readonly #flow: CompiledFlow;
  readonly #names: Names;
  /** Ways that lead to whatever comes next. */
  #open: { readonly from: string; readonly label: string }[] = [];

  constructor(flow: CompiledFlow, names: Names) {
    this.#flow = flow;
    this.#names = names;
  }

  start(): void {
    const { name, slug, designation, authentication, deniedAction } = this.#flow;
    this.#below('start', name, [`${words(designation)} flow`, slug]);
    const refused = refusals[deniedAction];
    if (authentication !== 'none') this.#gate(questions[authentication], [], refused);
    const conditions = this.#conditions(this.#flow);
    if (conditions.length > 0) this.#gate('Who may enter?', conditions, refused);
  }

  binding(binding: CompiledBinding): void {
    const { stage, invalidResponseAction } = binding;
    const conditions = this.#conditions(binding);
    let skip: string | null = null;
    if (conditions.length > 0) {
      const when = binding.reEvaluatePolicies ? '' : '(asked when the flow begins)';
      skip = this.#below('decision', `Visit "${stage.name}"?`, [...conditions, when].filter(Boolean));
      this.#open = [{ from: skip, label: 'yes' }];
    }
    const invalid = invalidResponseAction === 'retry' ? [] : ['a wrong answer starts the flow again'];
    const id = this.#below('stage', stage.name, [words(stage.kind), ...this.#details(binding), ...invalid]);
    this.#open = [{ from: id, label: '' }];
    const out = this.#wayOut(binding);
    if (out !== null) {
      this.#beside(id, out.shape, out.title, '');
      this.#open = [];
    }
    if (skip !== null) this.#open.push({ from: skip, label: 'no' });
  }

  done(): void {
    this.#below('done', 'done', ['on to where the visitor wanted']);
  }

  #gate(title: string, lines: readonly string[], refused: string): void {
    const id = this.#below('decision', title, lines);
    this.#beside(id, 'denied', refused, 'no');
    this.#open = [{ from: id, label: 'yes' }];
  }

  #below(shape: DiagramNode['shape'], title: string, lines: readonly string[]): string {
    const id = `n${this.nodes.length}`;
    this.nodes.push({ id, shape, title, lines, beside: null });
    for (const { from, label } of this.#open) this.edges.push({ from, to: id, label });
    this.#open = [{ from: id, label: '' }];
    return id;
  }

  #beside(from: string, shape: DiagramNode['shape'], title: string, label: string): void {
    const id = `n${this.nodes.length}`;
    this.nodes.push({ id, shape, title, lines: [], beside: from });
    this.edges.push({ from, to: id, label });
  }

  #conditions({ policies, policyEngineMode }: Bound): readonly string[] {
    const joint = policyEngineMode === 'all' ? 'and ' : 'or ';
    return policies
      .filter(({ enabled }) => enabled)
      .map(({ policy, group, user, negate }, index) => {
        const what =
          policy !== null
            ? `${words(policy.kind)} policy "${policy.name}"`
            : group !== null
              ? `in group "${this.#names.get(group) ?? group}"`
              : `user "${this.#names.get(String(user)) ?? user}"`;
        return `${index === 0 ? '' : joint}${negate ? 'not ' : ''}${what}`;
      });
  }

  /** What is worth telling of a stage's configuration. */
  #details({ stage }: CompiledBinding): readonly string[] {
    if (stage.kind === 'prompt') return listOf(stage.config.fields).map((pk) => this.#member(pk, 'field_key') ?? pk);
    if (stage.kind === 'identification') {
      const inline = typeof stage.config.password_stage === 'string' ? ['and the password on the same page'] : [];
      return [`by ${listOf(stage.config.user_fields).join(', ')}`, ...inline];
    }
    return [];
  }

  /** Where a stage leads that does not go on here. */
  #wayOut({ stage }: CompiledBinding): { readonly shape: 'denied' | 'away'; readonly title: string } | null {
    const { kind, config } = stage;
    if (kind === 'deny') {
      const { deny_message: message } = config;
      return {
        shape: 'denied',
        title: typeof message === 'string' && message !== '' ? `denied: ${message}` : 'denied',
      };
    }
    if (kind !== 'redirect') return null;
    if (config.mode === 'static') return { shape: 'away', title: `to ${String(config.target_static)}` };
    return { shape: 'away', title: `flow ${this.#member(String(config.target_flow), 'slug') ?? 'that is gone'}` };
  }

  #member(pk: string, name: string): string | null {
    const config = this.#flow.objects[pk]?.config;
    const value = isPlainObject(config) ? config[name] : undefined;
    return typeof value === 'string' ? value : null;
  }
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** `user_write` → user write. */
function words(name: string): string {
  return name.replaceAll('_', ' ');
}
