import type { Json } from '../../../../kernel/json.ts';
import { translate } from './translate.ts';

/** What Monty is given: helpers, the source as a function's body, and what is to come back. */
export interface Program {
  readonly text: string;
  readonly inputs: readonly string[];
  readonly variables: readonly string[];
  /** What imports brought, by name. */
  readonly constants: Readonly<Record<string, Json>>;
  /** Lines of the text before the source's first. */
  readonly before: number;
}

/** What the variables lack, in their order. */
export const absencesName = '__absences__';

/** @throws SourceError with the line of what cannot run here */
export function programOf(source: string, variables: readonly string[], returned: readonly string[]): Program {
  const { body, helpers, constants, generates } = translate(source);
  const parameters = variables.join(', ');
  const head = [...helpers, `def __expression__(${parameters}):`];
  const shared = variables.includes('context')
    ? [
        ...(variables.includes('request') ? ['request.context = context'] : []),
        'if isinstance(context, dict) and hasattr(context.get("flow_plan"), "context"):',
        '    context["flow_plan"].context = context',
        ...(variables.includes('flow_plan') ? ['flow_plan.context = context'] : []),
        // A name and the member of the context that has it are one and the same.
        ...returned.filter((name) => name !== 'context').map((name) => `${name} = context.get("${name}", ${name})`),
      ]
    : [];
  const tail = [
    // A body of comments alone is none.
    '    pass',
    `if ${absencesName} is not None:`,
    `    __complete__([${parameters}], ${absencesName})`,
    ...shared,
    `__result__ = __expression__(${parameters})`,
    ...(generates ? ['__result__ = __yielded__'] : []),
    `__limited__([__result__, ${returned.join(', ')}])`,
  ];
  return {
    text: [...head, ...body, ...tail].join('\n'),
    inputs: [...variables, ...Object.keys(constants), absencesName],
    variables,
    constants,
    before: head.join('\n').split('\n').length,
  };
}
