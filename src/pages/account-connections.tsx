import type { AccountPageData, ListedConnection } from './page-data.ts';
import { RowButton } from './row-button.tsx';
import { Section } from './section.tsx';
import { Time } from './time.tsx';
import type { Words } from './words.ts';

interface Props {
  readonly data: AccountPageData;
  readonly words: Words;
}

/** Accounts elsewhere that one signs in with. Nobody disconnects them for somebody else. */
export function Connections({ data, words }: Props) {
  if (data.connections.length === 0) return null;
  return (
    <Section id="connections" title={words.of('account.connections')}>
      <p class="lead">{words.of('account.connections_hint')}</p>
      <ul class="sessions">
        {data.connections.map((one) => (
          <Item connection={one} data={data} words={words} />
        ))}
      </ul>
    </Section>
  );
}

function Item({ connection, data, words }: Props & { readonly connection: ListedConnection }) {
  const { uuid, source, identifier, createdAt } = connection;
  return (
    <li>
      <div>
        <p class="label">{source}</p>
        <p class="hint">
          {words.of('account.connected')} <Time at={createdAt} words={words} /> · {identifier}
        </p>
      </div>
      {data.acting != null ? null : (
        <RowButton
          action={`/if/user/connections/${encodeURIComponent(uuid)}/disconnect`}
          csrf={data.csrf}
          label={words.of('account.disconnect')}
          spoken={words.of('account.disconnect_of', { name: source })}
          words={words}
        />
      )}
    </li>
  );
}
