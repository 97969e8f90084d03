import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { Text } from '../protocol/text.ts';
import { verbatim } from './autocomplete.ts';
import type { FormField, FormView } from './form-view.ts';

/** What ties a control to its label, its hint and its problems. */
export interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly autofocus: boolean;
  readonly 'aria-invalid'?: 'true';
  readonly 'aria-describedby'?: string;
}

export function controlAttributes(view: FormView, field: FormField, hint: Text = ''): ControlAttributes {
  const wrong = view.problemsOf(field.key).length > 0;
  const described = [wrong ? `${field.id}-problem` : '', hint === '' ? '' : `${field.id}-hint`]
    .filter(Boolean)
    .join(' ');
  return {
    id: field.id,
    name: field.key,
    autofocus: view.focus === field.id,
    ...(wrong ? { 'aria-invalid': 'true' as const } : {}),
    ...(described === '' ? {} : { 'aria-describedby': described }),
  };
}

interface FrameProps {
  readonly view: FormView;
  readonly field: FormField;
  /** Sanitised HTML. */
  readonly hint?: Text;
  readonly optional?: boolean;
  readonly children: Child;
}

/** A labelled control. */
export function FieldFrame({ view, field, hint = '', optional = false, children }: FrameProps) {
  return (
    <div class="field">
      <label for={field.id}>
        {field.label}
        {optional ? <Optional view={view} /> : null}
      </label>
      {children}
      <Hint view={view} field={field} hint={hint} />
      <Problems view={view} field={field} />
    </div>
  );
}

/** Several controls under one legend. */
export function GroupFrame({ view, field, hint = '', optional = false, children }: FrameProps) {
  const { 'aria-describedby': described } = controlAttributes(view, field, hint);
  return (
    <fieldset class="field" {...(described === undefined ? {} : { 'aria-describedby': described })}>
      <legend>
        {field.label}
        {optional ? <Optional view={view} /> : null}
      </legend>
      {children}
      <Hint view={view} field={field} hint={hint} />
      <Problems view={view} field={field} />
    </fieldset>
  );
}

function Optional({ view }: { readonly view: FormView }) {
  return <span class="optional"> ({view.words.of('page.optional')})</span>;
}

export function Hint({
  view,
  field,
  hint,
}: {
  readonly view: FormView;
  readonly field: FormField;
  readonly hint: Text;
}) {
  if (hint === '') return null;
  return (
    <div class="hint" id={`${field.id}-hint`}>
      {sanitisedHtml(view, hint)}
    </div>
  );
}

export function Problems({ view, field }: { readonly view: FormView; readonly field: FormField }) {
  const problems = view.problemsOf(field.key);
  if (problems.length === 0) return null;
  return (
    <div class="problem" id={`${field.id}-problem`}>
      {problems.map((problem) => (
        <p>{problem}</p>
      ))}
    </div>
  );
}

/** HTML that the prompt stage sanitised. A catalogue's text is not HTML: its parameters come from anywhere. */
export function sanitisedHtml(view: FormView, html: Text): Child {
  const said = view.words.say(html);
  return typeof html === 'object' && '$text' in html ? said : raw(said);
}

interface PasswordProps {
  readonly view: FormView;
  readonly attributes: ControlAttributes;
  readonly autocomplete: 'current-password' | 'new-password';
  readonly required: boolean;
  readonly placeholder?: string;
  readonly showable?: boolean;
}

/** A password is never written into a page, whatever was typed before. */
export function PasswordInput({
  view,
  attributes,
  autocomplete,
  required,
  placeholder,
  showable = true,
}: PasswordProps) {
  return (
    <div class="reveal">
      <input
        type="password"
        {...attributes}
        autocomplete={autocomplete}
        {...verbatim}
        required={required}
        {...(placeholder ? { placeholder } : {})}
      />
      {showable ? (
        <button
          type="button"
          hidden
          data-reveals={attributes.id}
          aria-pressed="false"
          aria-label={view.words.of('page.show_password')}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12z" />
            <circle cx="12" cy="12" r="3" />
            <path class="slash" d="M4 20 20 4" />
          </svg>
        </button>
      ) : null}
    </div>
  );
}
