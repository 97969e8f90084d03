import type { IdentificationChallenge, PasswordChallenge, UserLoginChallenge } from '../protocol/challenge.ts';
import { verbatim } from './autocomplete.ts';
import { CaptchaField } from './captcha.tsx';
import { controlAttributes, FieldFrame, PasswordInput } from './field-frame.tsx';
import { FlowForm, FlowLink, HiddenUsername, PendingUser } from './flow-form.tsx';
import { type FormField, type FormView, formView, shownValue } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { PasskeySignIn } from './passkey-button.tsx';
import { type Words, wordsIn } from './words.ts';

export function Identification({ data, challenge }: ChallengeProps<IdentificationChallenge>) {
  const words = wordsIn(data.reply.locale);
  const asked = challenge.user_fields ?? [];
  const identifier = { key: 'uid_field', id: 'field-0', label: identifierLabel(words, asked), editable: true };
  const password = { key: 'password', id: 'field-1', label: words.of('page.password'), editable: true };
  const view = formView(
    data,
    asked.length === 0 ? [] : challenge.password_fields ? [identifier, password] : [identifier],
  );
  const emailOnly = asked.length === 1 && asked[0] === 'email';
  return (
    <>
      {challenge.application_pre === undefined ? null : (
        <p class="lead">{words.of('page.identify_for', { application: challenge.application_pre })}</p>
      )}
      {challenge.flow_designation === 'recovery' ? <p class="lead">{words.of('page.identify_recovery')}</p> : null}
      {asked.length === 0 ? (
        <p class="lead">{words.of('page.identify_nothing')}</p>
      ) : (
        <FlowForm view={view} submit={words.say(challenge.primary_action)}>
          <FieldFrame view={view} field={identifier}>
            <input
              {...controlAttributes(view, identifier)}
              {...(emailOnly ? { type: 'email', inputmode: 'email' } : { type: 'text' })}
              autocomplete={challenge.passkey_challenge === undefined ? 'username' : 'username webauthn'}
              {...verbatim}
              required
              value={shownValue(view, 'uid_field')}
            />
          </FieldFrame>
          {challenge.password_fields ? (
            <CurrentPassword view={view} field={password} showable={challenge.allow_show_password} />
          ) : null}
          {challenge.captcha_stage === null ? null : (
            <CaptchaField words={words} widget={challenge.captcha_stage} name="captcha_token" />
          )}
        </FlowForm>
      )}
      {challenge.passkey_challenge === undefined ? null : (
        <PasskeySignIn view={view} options={challenge.passkey_challenge} />
      )}
      <IdentificationLinks view={view} challenge={challenge} />
    </>
  );
}

/** "Email address or username", joined as the language joins. */
function identifierLabel(words: Words, fields: readonly ('email' | 'username' | 'upn')[]): string {
  const names = fields.map((field) => words.of(`page.identify_${field}`));
  const joined = new Intl.ListFormat(words.locale, { type: 'disjunction' }).format(names);
  return joined.charAt(0).toUpperCase() + joined.slice(1);
}

function IdentificationLinks({
  view,
  challenge,
}: {
  readonly view: FormView;
  readonly challenge: IdentificationChallenge;
}) {
  const { words } = view;
  const { recovery_url, passwordless_url, enroll_url } = challenge;
  if (recovery_url === undefined && passwordless_url === undefined && enroll_url === undefined) return null;
  return (
    <ul class="links">
      {passwordless_url === undefined ? null : (
        <li>
          <FlowLink view={view} to={passwordless_url}>
            {words.of('page.passwordless')}
          </FlowLink>
        </li>
      )}
      {recovery_url === undefined ? null : (
        <li>
          <FlowLink view={view} to={recovery_url}>
            {words.of('page.forgot_password')}
          </FlowLink>
        </li>
      )}
      {enroll_url === undefined ? null : (
        <li>
          {words.of('page.no_account')}{' '}
          <FlowLink view={view} to={enroll_url}>
            {words.of('page.sign_up')}
          </FlowLink>
        </li>
      )}
    </ul>
  );
}

export function Password({ data, challenge }: ChallengeProps<PasswordChallenge>) {
  const words = wordsIn(data.reply.locale);
  const password = { key: 'password', id: 'field-0', label: words.of('page.password'), editable: true };
  const view = formView(data, [password]);
  const signsIn = data.reply.flow?.designation === 'authentication';
  return (
    <>
      <PendingUser view={view} />
      <FlowForm view={view} submit={words.of(signsIn ? 'page.sign_in' : 'page.continue')}>
        <HiddenUsername view={view} />
        <CurrentPassword view={view} field={password} showable={challenge.allow_show_password} />
      </FlowForm>
      {challenge.recovery_url === undefined ? null : (
        <ul class="links">
          <li>
            <FlowLink view={view} to={challenge.recovery_url}>
              {words.of('page.forgot_password')}
            </FlowLink>
          </li>
        </ul>
      )}
    </>
  );
}

function CurrentPassword(props: { readonly view: FormView; readonly field: FormField; readonly showable: boolean }) {
  const { view, field, showable } = props;
  return (
    <FieldFrame view={view} field={field}>
      <PasswordInput
        view={view}
        attributes={controlAttributes(view, field)}
        autocomplete="current-password"
        required
        showable={showable}
      />
    </FieldFrame>
  );
}

export function UserLogin({ data }: ChallengeProps<UserLoginChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  const busy = words.of('page.busy');
  return (
    <>
      <PendingUser view={view} />
      <p class="question">{words.of('page.stay_signed_in')}</p>
      <p class="hint">{words.of('page.stay_signed_in_hint')}</p>
      <FlowForm view={view}>
        <div class="buttons">
          <button type="submit" class="primary" name="remember_me" value="true" data-busy={busy}>
            {words.of('page.yes')}
          </button>
          <button type="submit" class="secondary" name="remember_me" value="false" data-busy={busy}>
            {words.of('page.no')}
          </button>
        </div>
      </FlowForm>
    </>
  );
}
