import { ApprovalWait } from './approval.tsx';
import { EmailSetup, StaticSetup, TotpSetup, Validate, WebAuthnSetup } from './authenticators.tsx';
import { Captcha } from './captcha.tsx';
import { Consent } from './consent.tsx';
import { EmailWait, Told } from './email.tsx';
import { AccessDenied, Dummy, FlowError, Redirect, UnknownComponent } from './endings.tsx';
import { Inspector } from './inspector.tsx';
import type { FlowPageData } from './page-data.ts';
import { Prompt } from './prompt.tsx';
import { page, Shell } from './shell.tsx';
import { Identification, Password, UserLogin } from './sign-in.tsx';
import { wordsIn } from './words.ts';

/**
 * The page of a flow's current step: a form that works without JavaScript, in the visitor's language, with each problem
 * at its field.
 */
export function flowPage(data: FlowPageData): string {
  const { reply, brand } = data;
  const words = wordsIn(reply.locale);
  const heading = headingOf(data);
  return page(
    <Shell
      words={words}
      brand={brand}
      title={reply.problems === null ? heading : words.of('page.error_prefix', { title: heading })}
      layout={reply.flow?.layout ?? 'stacked'}
      background={reply.flow?.background ?? ''}
      acting={data.acting}
      action={data.action}
      refreshes={['ak-stage-email', 'ak-stage-approval'].includes(reply.challenge.component)}
    >
      <h1>{heading}</h1>
      {reply.messages.length === 0 ? null : (
        <div class="notice" role="status">
          {reply.messages.map((message) => (
            <p>{words.say(message)}</p>
          ))}
        </div>
      )}
      <Step data={data} />
      {data.inspector == null ? null : <Inspector {...data.inspector} words={words} />}
    </Shell>,
  );
}

function headingOf({ reply, brand }: FlowPageData): string {
  const words = wordsIn(reply.locale);
  if (reply.challenge.component === 'ak-stage-flow-error') return words.of('page.title_500');
  if (reply.challenge.component === 'ak-stage-access-denied' && reply.title === '') return words.of('page.denied');
  return reply.title || brand.name;
}

/** What one component shows; the discriminated union makes a forgotten one a compile error. */
function Step({ data }: { readonly data: FlowPageData }) {
  const { challenge } = data.reply;
  switch (challenge.component) {
    case 'ak-stage-prompt':
      return <Prompt data={data} challenge={challenge} />;
    case 'ak-stage-identification':
      return <Identification data={data} challenge={challenge} />;
    case 'ak-stage-password':
      return <Password data={data} challenge={challenge} />;
    case 'ak-stage-user-login':
      return <UserLogin data={data} challenge={challenge} />;
    case 'ak-stage-captcha':
      return <Captcha data={data} challenge={challenge} />;
    case 'ak-stage-email':
      return <EmailWait data={data} challenge={challenge} />;
    case 'ak-stage-approval':
      return <ApprovalWait data={data} challenge={challenge} />;
    case 'ak-stage-consent':
      return <Consent data={data} challenge={challenge} />;
    case 'xak-flow-shell':
      return <Told data={data} challenge={challenge} />;
    case 'ak-stage-authenticator-totp':
      return <TotpSetup data={data} challenge={challenge} />;
    case 'ak-stage-authenticator-static':
      return <StaticSetup data={data} challenge={challenge} />;
    case 'ak-stage-authenticator-webauthn':
      return <WebAuthnSetup data={data} challenge={challenge} />;
    case 'ak-stage-authenticator-email':
      return <EmailSetup data={data} challenge={challenge} />;
    case 'ak-stage-authenticator-validate':
      return <Validate data={data} challenge={challenge} />;
    case 'ak-stage-dummy':
      return <Dummy data={data} challenge={challenge} />;
    case 'ak-stage-access-denied':
      return <AccessDenied data={data} challenge={challenge} />;
    case 'ak-stage-flow-error':
      return <FlowError data={data} challenge={challenge} />;
    case 'xak-flow-redirect':
      return <Redirect data={data} challenge={challenge} />;
    default:
      return <UnknownComponent data={data} component={challenge.component} />;
  }
}
