import type {
  DeviceChallenge,
  EmailSetupChallenge,
  PasskeyOptions,
  StaticSetupChallenge,
  TotpSetupChallenge,
  ValidateChallenge,
  WebAuthnSetupChallenge,
} from '../protocol/challenge.ts';
import { verbatim } from './autocomplete.ts';
import { controlAttributes, FieldFrame } from './field-frame.tsx';
import { FlowForm, PendingUser } from './flow-form.tsx';
import { type FormField, type FormView, formView } from './form-view.ts';
import type { ChallengeProps, FlowPageData } from './page-data.ts';
import { AuthenticatorScript, PasskeyButton } from './passkey-button.tsx';
import { wordsIn } from './words.ts';

/** In groups that the eye keeps apart. */
function grouped(text: string, by: string): string {
  return text.match(/.{1,4}/g)?.join(by) ?? '';
}

export function TotpSetup({ data, challenge }: ChallengeProps<TotpSetupChallenge>) {
  const words = wordsIn(data.reply.locale);
  const code = { key: 'code', id: 'field-0', label: words.of('page.totp_code'), editable: true };
  const view = formView(data, [code]);
  const address = challenge.config_url === '' ? '' : challenge.config_url.reveal();
  const key = URL.canParse(address) ? (new URL(address).searchParams.get('secret') ?? '') : '';
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.totp_scan')}</p>
      <Qr data={data} label={words.of('page.totp_qr')} />
      <div class="secret">
        <p class="hint">{words.of('page.totp_type')}</p>
        <p>
          <code>{grouped(key, ' ')}</code>
        </p>
        <p class="comforts">
          <CopyButton view={view} text={key} />
          <a class="button quiet" href={address}>
            {words.of('page.totp_here')}
          </a>
        </p>
      </div>
      <FlowForm view={view} submit={words.of('page.continue')}>
        <CodeField view={view} field={code} numeric />
      </FlowForm>
      <AuthenticatorScript />
    </>
  );
}

function Qr({ data, label }: { readonly data: FlowPageData; readonly label: string }) {
  const { qrCode } = data;
  if (qrCode == null) return null;
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${qrCode.size} ${qrCode.size}`}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={qrCode.path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}

function CopyButton({ view, text }: { readonly view: FormView; readonly text: string }) {
  const { words } = view;
  return (
    <button type="button" class="quiet" hidden data-copies={text} data-copied={words.of('page.copied')}>
      {words.of('page.copy')}
    </button>
  );
}

/** Browsers and password managers fill in codes that they know of. */
function CodeField(props: { readonly view: FormView; readonly field: FormField; readonly numeric: boolean }) {
  const { view, field, numeric } = props;
  return (
    <FieldFrame view={view} field={field}>
      <input
        {...controlAttributes(view, field)}
        type="text"
        {...(numeric ? { inputmode: 'numeric' } : {})}
        autocomplete="one-time-code"
        {...verbatim}
        required
        value=""
      />
    </FieldFrame>
  );
}

export function StaticSetup({ data, challenge }: ChallengeProps<StaticSetupChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  const codes = challenge.codes.map((code) => grouped(code.reveal(), '-'));
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.codes_keep')}</p>
      <ul class="codes">
        {codes.map((code) => (
          <li>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p class="comforts">
        <CopyButton view={view} text={codes.join('\n')} />
        <button type="button" class="quiet" hidden data-prints>
          {words.of('page.print')}
        </button>
      </p>
      <FlowForm view={view} submit={words.of('page.codes_kept')} />
      <AuthenticatorScript />
    </>
  );
}

export function WebAuthnSetup({ data, challenge }: ChallengeProps<WebAuthnSetupChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.passkey_what')}</p>
      <FlowForm view={view}>
        <PasskeyButton
          view={view}
          ceremony="create"
          options={challenge.registration}
          field="response"
          label={words.of('page.passkey_register')}
          primary
        />
      </FlowForm>
      <NeedsScript view={view} />
    </>
  );
}

function NeedsScript({ view }: { readonly view: FormView }) {
  return (
    <noscript>
      <p class="hint">{view.words.of('page.passkey_script')}</p>
    </noscript>
  );
}

export function EmailSetup({ data, challenge }: ChallengeProps<EmailSetupChallenge>) {
  const words = wordsIn(data.reply.locale);
  const { email, email_required: asks } = challenge;
  const address = { key: 'email', id: 'field-0', label: words.of('page.email_factor_address'), editable: true };
  const code = { key: 'code', id: 'field-0', label: words.of('page.email_factor_code'), editable: true };
  const view = formView(data, [asks ? address : code]);
  if (asks)
    return (
      <>
        <PendingUser view={view} />
        <p class="lead">{words.of('page.email_factor_where')}</p>
        <FlowForm view={view} submit={words.of('page.continue')}>
          <FieldFrame view={view} field={address}>
            <input {...controlAttributes(view, address)} type="email" autocomplete="email" required value="" />
          </FieldFrame>
        </FlowForm>
      </>
    );
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.email_factor_sent', { address: email ?? '' })}</p>
      <FlowForm view={view}>
        <CodeField view={view} field={code} numeric />
        <div class="buttons">
          <button type="submit" class="primary" data-busy={words.of('page.busy')}>
            {words.of('page.continue')}
          </button>
          <button type="submit" class="secondary" name="resend" value="true" formnovalidate>
            {words.of('page.email_factor_again')}
          </button>
        </div>
      </FlowForm>
    </>
  );
}

export function Validate({ data, challenge }: ChallengeProps<ValidateChallenge>) {
  const words = wordsIn(data.reply.locale);
  const { device_challenges: offered, configuration_stages: choices } = challenge;
  const label = codeLabel(offered);
  const code = { key: 'code', id: 'field-0', label: label === null ? '' : words.of(label), editable: true };
  const view = formView(data, label === null ? [] : [code]);
  const passkey = offered.find((one) => one.device_class === 'webauthn');
  const email = offered.find((one) => one.device_class === 'email');
  if (offered.length === 0) return <Choices view={view} choices={choices} />;
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of(label === null ? 'page.passkey_use' : 'page.factor_use')}</p>
      <FlowForm view={view}>
        {label === null ? null : (
          <>
            <CodeField view={view} field={code} numeric={label === 'page.factor_totp'} />
            <button type="submit" class="primary" data-busy={words.of('page.busy')}>
              {words.of('page.continue')}
            </button>
          </>
        )}
        {email === undefined ? null : <SendCode view={view} offered={email} />}
        {passkey === undefined ? null : (
          <PasskeyButton
            view={view}
            ceremony="get"
            options={passkey.challenge as PasskeyOptions}
            field="webauthn"
            label={words.of('page.passkey_button')}
            primary={label === null}
          />
        )}
      </FlowForm>
      {passkey === undefined ? null : <NeedsScript view={view} />}
    </>
  );
}

/** Sends no code of the field with it. */
function SendCode({ view, offered }: { readonly view: FormView; readonly offered: DeviceChallenge }) {
  const { device_class, device_uid, challenge } = offered;
  const address = 'email' in challenge && typeof challenge.email === 'string' ? challenge.email : '';
  return (
    <button
      type="submit"
      class="secondary"
      name="selected_challenge"
      value={JSON.stringify({ device_class, device_uid })}
      formnovalidate
      data-busy={view.words.of('page.busy')}
    >
      {view.words.of('page.email_factor_send', { address })}
    </button>
  );
}

/** What the one field for codes takes; null where no code is asked for. */
function codeLabel(offered: readonly DeviceChallenge[]) {
  const has = (kind: DeviceChallenge['device_class']): boolean => offered.some((one) => one.device_class === kind);
  if (has('email')) return has('totp') || has('static') ? 'page.factor_code' : 'page.email_factor_code';
  if (has('totp')) return has('static') ? 'page.factor_both' : 'page.factor_totp';
  return has('static') ? 'page.factor_static' : null;
}

function Choices({
  view,
  choices,
}: {
  readonly view: FormView;
  readonly choices: ValidateChallenge['configuration_stages'];
}) {
  const { words } = view;
  return (
    <>
      <PendingUser view={view} />
      <p class="lead">{words.of('page.factor_choose')}</p>
      <FlowForm view={view}>
        <div class="choices">
          {choices.map(({ pk, verbose_name }) => (
            <button type="submit" class="secondary" name="selected_stage" value={pk} data-busy={words.of('page.busy')}>
              {words.say(verbose_name)}
            </button>
          ))}
        </div>
      </FlowForm>
    </>
  );
}
