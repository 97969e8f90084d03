import type { ConsentChallenge, Permission } from '../protocol/challenge.ts';
import type { MessageKey } from '../protocol/texts/en.ts';
import { FlowForm, PendingUser } from './flow-form.tsx';
import { formView } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { Time } from './time.tsx';
import type { Words } from './words.ts';

/** Asks for a click: to agree to what is listed, or to go on with what was asked for elsewhere. */
export function Consent({ data, challenge }: ChallengeProps<ConsentChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  const { asked, permissions, additional_permissions: more } = challenge;
  const header = words.say(challenge.header_text);
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{header === '' ? words.of('page.consent', { application: data.brand.name }) : header}</p>
      {asked === undefined ? null : <Asked asked={asked} words={words} />}
      <Permissions
        words={words}
        title={shown(more).length > 0 ? 'page.consent_known' : 'page.consent_permissions'}
        of={permissions}
      />
      <Permissions words={words} title="page.consent_more" of={more} />
      <FlowForm view={view}>
        <input type="hidden" name="token" value={challenge.token} />
        <div class="buttons">
          <button type="submit" class="primary" data-busy={words.of('page.busy')}>
            {challenge.action === undefined
              ? words.of(asked === undefined ? 'page.consent_agree' : 'page.continue')
              : words.say(challenge.action)}
          </button>
          {asked === undefined ? (
            <a class="button secondary" href="/flows/-/cancel/?stay">
              {words.of('page.consent_decline')}
            </a>
          ) : null}
        </div>
      </FlowForm>
    </>
  );
}

/** From where it was asked for. */
function Asked({ asked, words }: { readonly asked: NonNullable<ConsentChallenge['asked']>; readonly words: Words }) {
  return (
    <>
      <dl>
        <dt>{words.of('page.asked_device')}</dt>
        <dd>{words.say(asked.device)}</dd>
        <dt>{words.of('page.asked_place')}</dt>
        <dd>{asked.place}</dd>
        <dt>{words.of('page.asked_time')}</dt>
        <dd>
          <Time at={Date.parse(asked.at)} words={words} />
        </dd>
      </dl>
      <p class="hint">{words.of('page.asked_not_you')}</p>
    </>
  );
}

interface PermissionsProps {
  readonly words: Words;
  readonly title: MessageKey;
  readonly of: readonly Permission[];
}

function Permissions({ words, title, of }: PermissionsProps) {
  const permissions = shown(of);
  if (permissions.length === 0) return null;
  return (
    <div class="permissions">
      <p class="label">{words.of(title)}</p>
      <ul>
        {permissions.map(({ name }) => (
          <li>{name}</li>
        ))}
      </ul>
    </div>
  );
}

/** As the reference's client does: what has no name, and that somebody signs in, is not listed. */
function shown(permissions: readonly Permission[]): readonly Permission[] {
  return permissions.filter(({ id, name }) => name !== '' && id !== 'openid');
}
