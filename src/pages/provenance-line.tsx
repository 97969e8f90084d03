import { reservedPrefix } from '../engine/profile.ts';
import type { FieldProvenance } from '../engine/provenance.ts';
import type { Text } from '../protocol/text.ts';
import { Time } from './time.tsx';
import type { Words } from './words.ts';

/** Where the values of a user's fields came from, and what people call the flows among it. */
export interface ShownProvenance {
  readonly fields: ReadonlyMap<string, FieldProvenance>;
  /** By slug; a flow that is gone is called by its slug. */
  readonly flows: ReadonlyMap<string, Text>;
}

interface Props {
  readonly field: string;
  readonly provenance: ShownProvenance;
  readonly words: Words;
}

/** One line: where a field's value came from, and when. Nothing where nobody knows. */
export function ProvenanceLine({ field, provenance, words }: Props) {
  const known = lookUp(field, provenance);
  if (known === undefined) return null;
  return (
    <p class="hint">
      {sentence(known, provenance, words)} · <Time at={known.at} words={words} />
    </p>
  );
}

interface OthersProps extends Omit<Props, 'field'> {
  /** Fields that have a line of their own. */
  readonly shown: readonly string[];
}

/** The user's other attributes, by name: where they came from, and when; never their values. */
export function OtherProvenance({ shown, provenance, words }: OthersProps) {
  const others = [...provenance.fields.keys()].filter(
    (field) => nameOf(field) !== null && !shown.some((own) => `${own}.`.startsWith(`${field}.`)),
  );
  if (others.length === 0) return null;
  return (
    <details>
      <summary>{words.of('provenance.others')}</summary>
      <dl>
        {others.toSorted().map((field) => (
          <div>
            <dt>{nameOf(field)}</dt>
            <dd>
              <ProvenanceLine field={field} provenance={provenance} words={words} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** An attribute as people write it; null for anything else, and for what the product keeps there for itself. */
function nameOf(field: string): string | null {
  const [, path] = /^attributes\.(.+)$/s.exec(field) ?? [];
  const name = path?.replace(/\\([\\.])/g, '$1') ?? reservedPrefix;
  return name.startsWith(reservedPrefix) ? null : name;
}

/** The field itself, or the attribute that it is a part of. */
function lookUp(field: string, { fields }: ShownProvenance): FieldProvenance | undefined {
  for (let end = field.length; end > 0; end = field.lastIndexOf('.', end - 1)) {
    const known = fields.get(field.slice(0, end));
    if (known !== undefined) return known;
  }
  return undefined;
}

function sentence({ origin, by }: FieldProvenance, { flows }: ShownProvenance, words: Words): string {
  const named = (slug: string) => ({ flow: words.say(flows.get(slug) ?? slug) });
  switch (origin.kind) {
    case 'prompt':
      return words.of(by === 'self' ? 'provenance.prompt' : 'provenance.prompt_other', named(origin.flow));
    case 'setup':
    case 'invitation':
      return words.of(`provenance.${origin.kind}`);
    case 'flow':
    case 'unattended':
      return words.of(`provenance.${origin.kind}`, named(origin.flow));
    case 'source':
      return words.of('provenance.source', { source: origin.source });
    case 'program':
      return words.of(origin.via === 'library' ? 'provenance.library' : 'provenance.administrator');
  }
}
