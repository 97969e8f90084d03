import type { EmailChallenge, ShellChallenge } from '../protocol/challenge.ts';
import { controlAttributes, FieldFrame } from './field-frame.tsx';
import { FlowForm } from './flow-form.tsx';
import { formView, shownValue } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { wordsIn } from './words.ts';

/** Waits for the link or the code of a message. It goes on by itself when the link was opened elsewhere. */
export function EmailWait({ data, challenge }: ChallengeProps<EmailChallenge>) {
  const words = wordsIn(data.reply.locale);
  const code = { key: 'code', id: 'field-0', label: words.of('page.email_code'), editable: true };
  const view = formView(data, [code]);
  const { address } = challenge;
  return (
    <div data-waits>
      <p class="lead">
        {address === '' ? words.of('page.email_sent_perhaps') : words.of('page.email_sent', { address })}
      </p>
      <p class="hint">{words.of('page.email_hint')}</p>
      <FlowForm view={view}>
        <FieldFrame view={view} field={code}>
          <input
            {...controlAttributes(view, code)}
            type="text"
            inputmode="numeric"
            autocomplete="one-time-code"
            maxlength={20}
            value={shownValue(view, 'code')}
          />
        </FieldFrame>
        <div class="buttons">
          <button type="submit" class="primary" data-busy={words.of('page.busy')}>
            {words.of('page.continue')}
          </button>
          <button type="submit" class="secondary" name="resend" value="true">
            {words.of('page.email_resend')}
          </button>
        </div>
      </FlowForm>
    </div>
  );
}

/** A text, and nothing to do. */
export function Told({ data, challenge }: ChallengeProps<ShellChallenge>) {
  return (
    <p class="lead" role="status">
      {wordsIn(data.reply.locale).say(challenge.body)}
    </p>
  );
}
