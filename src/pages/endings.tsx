import type {
  AccessDeniedChallenge,
  DummyChallenge,
  FlowErrorChallenge,
  RedirectChallenge,
} from '../protocol/challenge.ts';
import { FlowForm, PendingUser } from './flow-form.tsx';
import { formView } from './form-view.ts';
import type { ChallengeProps, FlowPageData } from './page-data.ts';
import { isWebAddress } from './web-address.ts';
import { wordsIn } from './words.ts';

/** A stage of this kind, or the click that the engine asks for before it acts on a request from elsewhere. */
export function Dummy({ data, challenge }: ChallengeProps<DummyChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  const confirms = challenge.name === words.of('flow.confirm');
  return (
    <>
      <p class="lead">{confirms ? words.of('page.confirm') : challenge.name}</p>
      <FlowForm view={view} submit={words.of('page.continue')} />
    </>
  );
}

export function AccessDenied({ data, challenge }: ChallengeProps<AccessDeniedChallenge>) {
  const view = formView(data, []);
  const { words } = view;
  const message = words.say(challenge.error_message ?? { $text: 'flow.unknown_error' });
  const again = data.reply.flow?.designation === 'authentication';
  return (
    <>
      <PendingUser view={view} />
      <div class="summary" role="alert">
        {message.split('\n').map((line) => (
          <p>{line}</p>
        ))}
      </div>
      <div class="buttons">
        <a class="button primary" href="/">
          {words.of('page.start')}
        </a>
        {again ? (
          <a class="button secondary" href={data.action}>
            {words.of('page.retry')}
          </a>
        ) : (
          <a class="button secondary" href="/flows/-/default/authentication/">
            {words.of('page.sign_in')}
          </a>
        )}
      </div>
    </>
  );
}

export function FlowError({ data, challenge }: ChallengeProps<FlowErrorChallenge>) {
  const words = wordsIn(data.reply.locale);
  return (
    <>
      <div class="summary" role="alert">
        <p>{words.of('page.flow_error')}</p>
      </div>
      {challenge.error === undefined ? null : <pre tabindex={0}>{challenge.error}</pre>}
      <p class="hint">
        {words.of('page.request_id')} <code>{challenge.request_id}</code>
      </p>
      <div class="buttons">
        <a class="button primary" href={data.action}>
          {words.of('page.retry')}
        </a>
        <a class="button secondary" href="/">
          {words.of('page.start')}
        </a>
      </div>
    </>
  );
}

export function Redirect({ data, challenge }: ChallengeProps<RedirectChallenge>) {
  const words = wordsIn(data.reply.locale);
  if (!isWebAddress(challenge.to)) return <p class="lead">{words.of('page.redirect_unsafe')}</p>;
  return (
    <>
      <p class="lead" role="status">
        {words.of('page.redirect')}
      </p>
      <a class="button primary" href={challenge.to} data-onward>
        {words.of('page.continue')}
      </a>
    </>
  );
}

/** A stage of one's own that has no page here. */
export function UnknownComponent({ data, component }: { readonly data: FlowPageData; readonly component: string }) {
  const words = wordsIn(data.reply.locale);
  return (
    <>
      <div class="summary" role="alert">
        <p>{words.of('page.unknown_component', { component })}</p>
      </div>
      <a class="button primary" href="/">
        {words.of('page.start')}
      </a>
    </>
  );
}
