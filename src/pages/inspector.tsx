import type { Inspected } from '../app/inspection.ts';
import type { Words } from './words.ts';

interface InspectorProps {
  readonly inspected: Inspected;
  readonly open: boolean;
  readonly words: Words;
}

/** The run behind the page, for administrators: its plan, what policies said, and what is known, secrets masked. */
export function Inspector({ inspected, open, words }: InspectorProps) {
  const { flow, context } = inspected;
  return (
    <details class="inspector" open={open}>
      <summary>{words.of('inspector.title', { flow: flow.name, version: flow.version })}</summary>
      <h2>{words.of('inspector.plan')}</h2>
      <Plan inspected={inspected} words={words} />
      <h2>{words.of('inspector.policies')}</h2>
      <Decisions inspected={inspected} words={words} />
      <h2>{words.of('inspector.context')}</h2>
      <Context context={context} words={words} />
    </details>
  );
}

type PartProps = Pick<InspectorProps, 'inspected' | 'words'>;

function Plan({ inspected: { places, ended }, words }: PartProps) {
  if (places.length === 0) return <p>{words.of(ended === null ? 'inspector.no_stages' : 'inspector.ended')}</p>;
  return (
    <ol>
      {places.map(({ stage, state }) => (
        <li class={state} {...(state === 'current' ? { 'aria-current': 'step' } : {})}>
          <strong>{stage.name}</strong> <code>{stage.kind}</code>{' '}
          <span class="badge">{words.of(`inspector.state_${state}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function Decisions({ inspected: { decisions }, words }: PartProps) {
  if (decisions.length === 0) return <p>{words.of('inspector.no_policies')}</p>;
  return (
    <ul>
      {decisions.map(({ stage, name, passing, failed, messages }) => {
        const verdict = failed ? 'failed' : passing ? 'passed' : 'refused';
        return (
          <li>
            {stage ?? words.of('inspector.whole_flow')}: {name}{' '}
            <span class="badge">{words.of(`inspector.policy_${verdict}`)}</span>
            {messages.map((message) => (
              <p>{words.say(message)}</p>
            ))}
          </li>
        );
      })}
    </ul>
  );
}

function Context({ context, words }: { readonly context: Inspected['context']; readonly words: Words }) {
  const members = Object.entries(context);
  if (members.length === 0) return <p>{words.of('inspector.nothing_known')}</p>;
  return (
    <dl>
      {members.map(([name, value]) => (
        <>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            <code>{JSON.stringify(value, null, 1)}</code>
          </dd>
        </>
      ))}
    </dl>
  );
}
