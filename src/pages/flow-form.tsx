import type { Child } from 'hono/jsx';
import type { FormView } from './form-view.ts';
import { withQuery } from './web-address.ts';

interface FormProps {
  readonly view: FormView;
  readonly multipart?: boolean;
  /** What is on the button; several buttons are given as children instead. */
  readonly submit?: string;
  readonly children?: Child;
}

/** The form of a step: its problems first, then the fields, then the button. */
export function FlowForm({ view, multipart = false, submit, children }: FormProps) {
  const { reply, action } = view.data;
  return (
    <>
      <ProblemSummary view={view} />
      <form method="post" action={action} {...(multipart ? { enctype: 'multipart/form-data' } : {})}>
        <input type="hidden" name="component" value={reply.challenge.component} />
        {reply.stepToken === null ? null : <input type="hidden" name="step" value={reply.stepToken} />}
        {children}
        {submit === undefined ? null : (
          <button type="submit" class="primary" data-busy={view.words.of('page.busy')}>
            {submit}
          </button>
        )}
      </form>
    </>
  );
}

function ProblemSummary({ view }: { readonly view: FormView }) {
  const links = view.fields.flatMap((field) => view.problemsOf(field.key).map((problem) => ({ field, problem })));
  if (links.length === 0 && view.formProblems.length === 0) return null;
  return (
    <div class="summary" role="alert">
      {links.length > 1 ? <p class="label">{view.words.of('page.problems', { count: links.length })}</p> : null}
      {view.formProblems.map((problem) => (
        <p>{problem}</p>
      ))}
      {links.length === 0 ? null : (
        <ul>
          {links.map(({ field, problem }) => (
            <li>
              <a href={`#${field.id}`}>{`${field.label}: ${problem}`}</a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Who is going on, and the way out for somebody else. */
export function PendingUser({ view }: { readonly view: FormView }) {
  const name = view.data.reply.pendingUser;
  if (name === '') return null;
  return (
    <div class="who">
      <Initial name={name} />
      <p>
        <span class="visually-hidden">{view.words.of('page.signed_in_as')} </span>
        <strong>{name}</strong>
      </p>
      <a href="/flows/-/cancel/">{view.words.of('page.not_you')}</a>
    </div>
  );
}

/** Tells password managers whose password it is. It has no name, so it is not sent. */
export function HiddenUsername({ view }: { readonly view: FormView }) {
  const { pendingUser } = view.data.reply;
  return pendingUser === '' ? null : <input hidden readonly type="text" autocomplete="username" value={pendingUser} />;
}

/** A round badge with the first letter of a name. */
export function Initial({ name }: { readonly name: string }) {
  return (
    <span class="initial" aria-hidden="true">
      {[...name][0]?.toUpperCase()}
    </span>
  );
}

/** A link to another flow that takes this page's query along. */
export function FlowLink({
  view,
  to,
  children,
}: {
  readonly view: FormView;
  readonly to: string;
  readonly children: Child;
}) {
  return <a href={withQuery(to, view.data.query)}>{children}</a>;
}
