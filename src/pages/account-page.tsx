import { isPlainObject } from '../kernel/json.ts';
import { isLocale, locales } from '../protocol/localize.ts';
import { Authenticators } from './account-authenticators.tsx';
import { Connections } from './account-connections.tsx';
import { Consents } from './account-consents.tsx';
import { describeDevice } from './describe-device.ts';
import { Initial } from './flow-form.tsx';
import type { AccountPageData, ListedSession } from './page-data.ts';
import { OtherProvenance, ProvenanceLine } from './provenance-line.tsx';
import { RowButton } from './row-button.tsx';
import { Section } from './section.tsx';
import { page, Shell } from './shell.tsx';
import { Time } from './time.tsx';
import { type Words, wordsIn } from './words.ts';

interface Props {
  readonly data: AccountPageData;
  readonly words: Words;
}

/** `/if/user/`: who is signed in, with what password, and where. */
export function accountPage(data: AccountPageData): string {
  const words = wordsIn(data.locale);
  const shown = data.user.name || data.user.username;
  return page(
    <Shell
      words={words}
      brand={data.brand}
      title={words.of('account.title')}
      nav={<AccountNav words={words} />}
      acting={data.acting}
      wide
    >
      <div class="greeting">
        <Initial name={shown} />
        <div>
          <h1>{words.of('account.greeting', { name: shown })}</h1>
          <p class="lead">{words.of('account.intro')}</p>
        </div>
      </div>
      {data.notice === null ? null : (
        <p class="notice" role="status">
          {words.say(data.notice)}
        </p>
      )}
      <Approvals data={data} words={words} />
      <Profile data={data} words={words} />
      <Password data={data} words={words} />
      <Authenticators data={data} words={words} />
      <Connections data={data} words={words} />
      <Sessions data={data} words={words} />
      <Consents data={data} words={words} />
      <OwnData data={data} words={words} />
    </Shell>,
  );
}

/** For those who decide what others ask for. */
function Approvals({ data, words }: Props) {
  if (data.approvals === null) return null;
  const { waiting: count } = data.approvals;
  const said =
    count === 0 ? 'approval.list_empty' : count === 1 ? 'account.approvals_one' : 'account.approvals_waiting';
  return (
    <Section
      id="approvals"
      title={words.of('approval.list_title')}
      action={<a href="/if/approvals/">{words.of('account.approvals_open')}</a>}
    >
      <p class="lead">{words.of(said, { count })}</p>
    </Section>
  );
}

function AccountNav({ words }: Pick<Props, 'words'>) {
  return (
    <nav aria-label={words.of('account.title')}>
      <a href="/if/flow/default-invalidation-flow/">{words.of('account.sign_out')}</a>
    </nav>
  );
}

function Profile({ data, words }: Props) {
  const { user } = data;
  const entries = [
    [words.of('account.name'), user.name, 'name'],
    [words.of('account.username'), user.username, 'username'],
    [words.of('account.email'), user.email, 'email'],
    [words.of('account.language'), languageOf(data, words), 'attributes.settings.locale'],
  ] as const;
  return (
    <Section
      id="profile"
      title={words.of('account.profile')}
      action={<a href="/if/flow/default-user-settings-flow/?next=/if/user/">{words.of('account.edit')}</a>}
    >
      <dl>
        {entries.map(([label, value, field]) => (
          <div>
            <dt>{label}</dt>
            <dd>
              {value === '' ? <span class="missing">{words.of('account.missing')}</span> : value}{' '}
              {field === 'email' ? <Confirmed data={data} words={words} /> : null}
              <ProvenanceLine field={field} provenance={data.provenance} words={words} />
            </dd>
          </div>
        ))}
      </dl>
      <OtherProvenance shown={entries.map(([, , field]) => field)} provenance={data.provenance} words={words} />
    </Section>
  );
}

/** Whether the address was proven, and the way to prove it. */
function Confirmed({ data, words }: Props) {
  const { email, emailVerifiedAt } = data.user;
  if (email === '') return null;
  if (emailVerifiedAt !== null) return <span class="badge">{words.of('account.email_confirmed')}</span>;
  const next = encodeURIComponent('/if/user/?notice=email-confirmed');
  return (
    <p class="hint">
      {words.of('account.email_unconfirmed')}{' '}
      {data.confirm === null ? null : (
        <a href={`/if/flow/${encodeURIComponent(data.confirm)}/?next=${next}`}>{words.of('account.confirm_email')}</a>
      )}
    </p>
  );
}

function languageOf({ user }: AccountPageData, words: Words): string {
  const { settings } = user.attributes;
  const chosen = isPlainObject(settings) ? settings.locale : undefined;
  return typeof chosen === 'string' && isLocale(chosen) ? locales[chosen] : words.of('account.language_automatic');
}

function Password({ data, words }: Props) {
  const changed = data.user.passwordChangedAt;
  return (
    <Section
      id="password"
      title={words.of('account.password')}
      action={
        changed === null ? null : (
          <a href="/if/flow/default-password-change/?next=/if/user/">{words.of('account.change_password')}</a>
        )
      }
    >
      <p class="lead">
        {changed === null ? (
          words.of('account.password_none')
        ) : (
          <>
            {words.of('account.password_changed')} <Time at={changed} words={words} />
          </>
        )}
      </p>
      <ProvenanceLine field="password" provenance={data.provenance} words={words} />
    </Section>
  );
}

function Sessions({ data, words }: Props) {
  const sessions = [...data.sessions].sort(
    (a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt - a.lastUsedAt,
  );
  return (
    <Section id="sessions" title={words.of('account.sessions')}>
      <p class="lead">{words.of('account.sessions_hint')}</p>
      <ul class="sessions">
        {sessions.map((session) => (
          <SessionItem session={session} data={data} words={words} />
        ))}
      </ul>
      {sessions.some((session) => !session.current) ? (
        <form method="post" action="/if/user/sessions/end-others">
          <input type="hidden" name="step" value={data.csrf} />
          <button type="submit" class="secondary" data-busy={words.of('page.busy')}>
            {words.of('account.end_others')}
          </button>
        </form>
      ) : null}
    </Section>
  );
}

/** One's data, and the way out. */
function OwnData({ data, words }: Props) {
  return (
    <Section id="data" title={words.of('account.data')}>
      <p class="lead">{words.of('account.data_hint')}</p>
      <ul class="links">
        <li>
          <a href="/if/user/data.json" download>
            {words.of('account.download')}
          </a>
        </li>
        {data.leave === null || data.acting != null ? null : (
          <li>
            <a href={`/if/flow/${encodeURIComponent(data.leave)}/`}>{words.of('account.leave')}</a>
          </li>
        )}
      </ul>
    </Section>
  );
}

function SessionItem({ session, data, words }: Props & { readonly session: ListedSession }) {
  const device = describeDevice(session.device, words);
  return (
    <li>
      <div>
        <p class="label">
          {device} {session.current ? <span class="badge">{words.of('account.this_device')}</span> : null}
        </p>
        <p class="hint">
          {words.of('account.last_used')} <Time at={session.lastUsedAt} words={words} />
          {session.place === null ? null : <span> · {session.place}</span>}
          {session.address === '' ? null : <span> · {session.address}</span>}
        </p>
      </div>
      <RowButton
        action={`/if/user/sessions/${encodeURIComponent(session.uuid)}/end`}
        csrf={data.csrf}
        label={words.of('account.end_session')}
        spoken={words.of('account.end_session_of', { device })}
        words={words}
      />
    </li>
  );
}
