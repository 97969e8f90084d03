import { type Locale, locales, localize } from '../protocol/localize.ts';
import { type Text, text } from '../protocol/text.ts';
import type { AccountPageData, ListedAuthenticator } from './page-data.ts';
import { RowButton } from './row-button.tsx';
import { Section } from './section.tsx';
import { Time } from './time.tsx';
import type { Words } from './words.ts';

interface Props {
  readonly data: AccountPageData;
  readonly words: Words;
}

const addLabels: Readonly<Record<string, Text>> = {
  authenticator_totp: text('account.add_totp'),
  authenticator_static: text('account.add_static'),
  authenticator_webauthn: text('account.add_webauthn'),
  authenticator_email: text('account.add_email'),
};

/** What a user proves themselves with besides a password. Nobody changes it for them. */
export function Authenticators({ data, words }: Props) {
  const { authenticators, addable, acting } = data;
  if (authenticators.length === 0 && addable.length === 0) return null;
  const mayChange = acting == null;
  return (
    <Section id="authenticators" title={words.of('account.authenticators')}>
      <p class="lead">
        {words.of(authenticators.length === 0 ? 'account.authenticators_none' : 'account.authenticators_hint')}
      </p>
      {authenticators.length === 0 ? null : (
        <ul class="sessions">
          {authenticators.map((one) => (
            <Item authenticator={one} mayChange={mayChange} data={data} words={words} />
          ))}
        </ul>
      )}
      {!mayChange || addable.length === 0 ? null : (
        <ul class="links">
          {addable.map(({ href, kind, title }) => (
            <li>
              <a href={href}>{title ?? words.say(addLabels[kind] ?? kind)}</a>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

interface ItemProps extends Props {
  readonly authenticator: ListedAuthenticator;
  readonly mayChange: boolean;
}

function Item({ authenticator, mayChange, data, words }: ItemProps) {
  const { uuid, kind, name, createdAt, lastUsedAt, codesLeft } = authenticator;
  const kindName = words.of(`authenticator.${kind}`);
  const shown = isNameOfKind(name, kind) ? kindName : name;
  const path = `/if/user/authenticators/${encodeURIComponent(uuid)}`;
  return (
    <li>
      <div>
        <p class="label">
          {shown} {shown === kindName ? null : <span class="badge">{kindName}</span>}
        </p>
        <p class="hint">
          {words.of('account.added')} <Time at={createdAt} words={words} />
          {lastUsedAt === null ? null : (
            <span>
              {' '}
              · {words.of('account.last_used')} <Time at={lastUsedAt} words={words} />
            </span>
          )}
          {kind === 'static' ? <span> · {words.of('account.codes_left', { count: codesLeft })}</span> : null}
        </p>
        {mayChange ? <Rename authenticator={authenticator} path={path} data={data} words={words} /> : null}
      </div>
      {mayChange ? (
        <RowButton
          action={`${path}/remove`}
          csrf={data.csrf}
          label={words.of('account.remove')}
          spoken={words.of('account.remove_of', { name: shown })}
          words={words}
        />
      ) : null}
    </li>
  );
}

/** What nobody renamed is called in the language that it was set up in. */
function isNameOfKind(name: string, kind: ListedAuthenticator['kind']): boolean {
  const languages = Object.keys(locales) as Locale[];
  return languages.some((locale) => localize(text(`authenticator.${kind}`), locale) === name);
}

function Rename({ authenticator, path, data, words }: Omit<ItemProps, 'mayChange'> & { readonly path: string }) {
  const { uuid, name } = authenticator;
  const id = `name-${uuid}`;
  return (
    <details class="rename">
      <summary>{words.of('account.rename')}</summary>
      <form method="post" action={`${path}/rename`}>
        <input type="hidden" name="step" value={data.csrf} />
        <label for={id}>{words.of('account.rename_label', { name })}</label>
        <input id={id} type="text" name="name" value={name} maxlength={64} required autocomplete="off" />
        <button type="submit" class="secondary" data-busy={words.of('page.busy')}>
          {words.of('account.rename_save')}
        </button>
      </form>
    </details>
  );
}
