import type { AccountPageData, ListedConsent } from './page-data.ts';
import { RowButton } from './row-button.tsx';
import { Section } from './section.tsx';
import { Time } from './time.tsx';
import type { Words } from './words.ts';

interface Props {
  readonly data: AccountPageData;
  readonly words: Words;
}

/** What one agreed to, and the way to take it back. */
export function Consents({ data, words }: Props) {
  if (data.consents.length === 0) return null;
  return (
    <Section id="consents" title={words.of('account.consents')}>
      <p class="lead">{words.of('account.consents_hint')}</p>
      <ul class="sessions">
        {data.consents.map((one) => (
          <Item consent={one} data={data} words={words} />
        ))}
      </ul>
    </Section>
  );
}

function Item({ consent, data, words }: Props & { readonly consent: ListedConsent }) {
  const { uuid, wording, permissions, givenAt, expiresAt } = consent;
  const name = words.say(consent.name);
  const named = permissions.map((one) => one.name).filter((one) => one !== '');
  return (
    <li>
      <div>
        <p class="label">{name}</p>
        {wording === '' ? null : <p>{wording}</p>}
        {named.length === 0 ? null : <p>{named.join(' · ')}</p>}
        <p class="hint">
          {words.of('account.consent_given')} <Time at={givenAt} words={words} />,{' '}
          {expiresAt === null ? (
            words.of('account.consent_open')
          ) : (
            <>
              {words.of('account.consent_until')} <Time at={expiresAt} words={words} />
            </>
          )}
        </p>
      </div>
      <RowButton
        action={`/if/user/consents/${encodeURIComponent(uuid)}/withdraw`}
        csrf={data.csrf}
        label={words.of('account.withdraw')}
        spoken={words.of('account.withdraw_of', { name })}
        words={words}
      />
    </li>
  );
}
