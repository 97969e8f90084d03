import type { PasskeyOptions } from '../protocol/challenge.ts';
import { authenticatorScriptPath } from './assets.ts';
import type { FormView } from './form-view.ts';

interface PasskeyProps {
  readonly view: FormView;
  /** Registers one, or uses one. */
  readonly ceremony: 'create' | 'get';
  readonly options: PasskeyOptions;
  /** Where the form takes what comes of it. */
  readonly field: string;
  readonly label: string;
  readonly primary?: boolean;
  /** The browser offers passkeys with the name, too. */
  readonly autofill?: boolean;
}

/** A button for what only a script can ask the browser; it is there where the script is. */
export function PasskeyButton({ view, ceremony, options, field, label, primary, autofill }: PasskeyProps) {
  const failed = `${field}-failed`;
  return (
    <div class="passkey">
      <input type="hidden" name={field} value="" />
      <button
        type="button"
        hidden
        class={primary === true ? 'primary' : 'secondary'}
        data-passkey={ceremony}
        data-field={field}
        data-options={JSON.stringify(options)}
        {...(autofill === true ? { 'data-autofill': '' } : {})}
        aria-describedby={failed}
      >
        {label}
      </button>
      <p class="problem" id={failed} role="alert" hidden>
        {view.words.of('page.passkey_failed')}
      </p>
      <AuthenticatorScript />
    </div>
  );
}

/** A form of its own beside the one that asks for a name: the browser offers passkeys with the name, or at this button. */
export function PasskeySignIn({ view, options }: Pick<PasskeyProps, 'view' | 'options'>) {
  const { reply, action } = view.data;
  return (
    <form method="post" action={action}>
      <input type="hidden" name="component" value={reply.challenge.component} />
      {reply.stepToken === null ? null : <input type="hidden" name="step" value={reply.stepToken} />}
      <PasskeyButton
        view={view}
        ceremony="get"
        options={options}
        field="passkey"
        label={view.words.of('page.passkey_sign_in')}
        autofill
      />
    </form>
  );
}

export function AuthenticatorScript() {
  return <script src={authenticatorScriptPath} defer />;
}
