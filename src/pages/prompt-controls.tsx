import type { Child } from 'hono/jsx';
import type { PromptField } from '../protocol/challenge.ts';
import { locales } from '../protocol/localize.ts';
import { autocompleteOf, verbatim } from './autocomplete.ts';
import {
  controlAttributes,
  FieldFrame,
  GroupFrame,
  Hint,
  PasswordInput,
  Problems,
  sanitisedHtml,
} from './field-frame.tsx';
import { type FormField, type FormView, shownValue } from './form-view.ts';

interface ControlProps {
  readonly view: FormView;
  readonly field: FormField;
  readonly prompt: PromptField;
}

/** One field of a prompt. */
export function PromptControl(props: ControlProps) {
  switch (props.prompt.type) {
    case 'hidden':
      // The server has its value and takes no other one.
      return null;
    case 'separator':
      return <Separator {...props} />;
    case 'static':
      return <Static {...props} />;
    case 'checkbox':
      return <Checkbox {...props} />;
    case 'radio-button-group':
    case 'multi-select':
      return <Choices {...props} />;
    default:
      return (
        <FieldFrame
          view={props.view}
          field={props.field}
          hint={props.prompt.sub_text}
          optional={!props.prompt.required && props.field.editable}
        >
          <SingleControl {...props} />
        </FieldFrame>
      );
  }
}

function SingleControl({ view, field, prompt }: ControlProps) {
  const placeholder = view.words.say(prompt.placeholder);
  const attributes = {
    ...controlAttributes(view, field, prompt.sub_text),
    ...(field.editable ? { required: prompt.required } : { readonly: true }),
    ...(placeholder === '' ? {} : { placeholder }),
  };
  switch (prompt.type) {
    case 'password':
      return (
        <PasswordInput
          view={view}
          attributes={controlAttributes(view, field, prompt.sub_text)}
          autocomplete="new-password"
          required={prompt.required}
          placeholder={placeholder}
        />
      );
    case 'text_area':
    case 'text_area_read_only':
      return (
        <textarea rows={4} {...attributes}>
          {shownValue(view, prompt.field_key, prompt.initial_value)}
        </textarea>
      );
    case 'dropdown':
    case 'ak-locale':
      return <Dropdown view={view} field={field} prompt={prompt} />;
    case 'file':
      return <input type="file" {...attributes} />;
    default:
      return <input {...attributes} {...inputKind(prompt)} value={inputValue(view, prompt)} />;
  }
}

function inputKind({ type, field_key }: PromptField): Readonly<Record<string, string>> {
  switch (type) {
    case 'email':
      return { type: 'email', inputmode: 'email', autocomplete: 'email', ...verbatim };
    case 'username':
      return { type: 'text', autocomplete: 'username', ...verbatim };
    case 'number':
      return { type: 'number', step: '1', inputmode: 'numeric' };
    case 'date':
      return { type: 'date', ...autocompleteOf(field_key) };
    case 'date-time':
      return { type: 'datetime-local' };
    default:
      return { type: 'text', ...autocompleteOf(field_key) };
  }
}

function inputValue(view: FormView, prompt: PromptField): string {
  const value = shownValue(view, prompt.field_key, prompt.initial_value);
  if (prompt.type !== 'date-time') return value;
  // The control knows no zone and no seconds: 2026-05-04T08:30
  return /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.exec(value)?.[0].replace(' ', 'T') ?? '';
}

function Dropdown({ view, field, prompt }: ControlProps) {
  const value = shownValue(view, prompt.field_key, prompt.initial_value);
  const options =
    prompt.type === 'ak-locale'
      ? [
          { value: '', name: view.words.of('page.locale_automatic') },
          ...Object.entries(locales).map(([code, name]) => ({ value: code, name, lang: code })),
        ]
      : (prompt.choices ?? []).map((choice) => ({ value: choice, name: choice }));
  const unknown = !options.some((option) => option.value === value);
  return (
    <select
      {...controlAttributes(view, field, prompt.sub_text)}
      required={prompt.required && prompt.type === 'dropdown'}
      {...(prompt.type === 'ak-locale' ? { autocomplete: 'language' } : {})}
    >
      {unknown ? <option value="">{view.words.of('page.choose')}</option> : null}
      {options.map(({ name, ...option }) => (
        <option {...option} selected={option.value === value}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Never required: the server takes an unticked box as an answer. */
function Checkbox({ view, field, prompt }: ControlProps) {
  const attributes = controlAttributes(view, field, prompt.sub_text);
  const initial = view.words.say(prompt.initial_value).toLowerCase();
  const checked = view.refused
    ? view.typed(prompt.field_key) !== undefined
    : !['', 'false', '0', 'no', 'off'].includes(initial);
  return (
    <div class="field">
      <label class="choice bare" for={field.id}>
        <input type="checkbox" {...attributes} checked={checked} />
        <span>{field.label}</span>
      </label>
      <Hint view={view} field={field} hint={prompt.sub_text} />
      <Problems view={view} field={field} />
    </div>
  );
}

/** One of several (radio buttons) or some of several (boxes). */
function Choices({ view, field, prompt }: ControlProps) {
  const many = prompt.type === 'multi-select';
  const typed = view.typed(prompt.field_key);
  const initial = view.words.say(prompt.initial_value);
  const chosen = view.refused ? [typed ?? []].flat() : many ? listOf(initial) : [initial];
  const { autofocus, 'aria-invalid': invalid } = controlAttributes(view, field);
  return (
    <GroupFrame view={view} field={field} hint={prompt.sub_text} optional={!prompt.required}>
      {(prompt.choices ?? []).map((choice, index): Child => {
        const id = index === 0 ? field.id : `${field.id}-${index}`;
        return (
          <label class="choice" for={id}>
            <input
              type={many ? 'checkbox' : 'radio'}
              id={id}
              name={prompt.field_key}
              value={choice}
              checked={chosen.includes(choice)}
              required={prompt.required && !many}
              autofocus={autofocus && index === 0}
              {...(invalid === undefined || !many ? {} : { 'aria-invalid': invalid })}
            />
            <span>{choice}</span>
          </label>
        );
      })}
    </GroupFrame>
  );
}

function listOf(json: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function Separator({ view, prompt }: ControlProps) {
  const title = view.words.say(prompt.placeholder) || view.words.say(prompt.label);
  return title === '' ? <hr /> : <h2 class="rule">{title}</h2>;
}

function Static({ view, prompt }: ControlProps) {
  const label = view.words.say(prompt.label);
  return (
    <div class="prose">
      {label === '' ? null : <p class="label">{label}</p>}
      {sanitisedHtml(view, prompt.initial_value)}
      {prompt.sub_text === '' ? null : <div class="hint">{sanitisedHtml(view, prompt.sub_text)}</div>}
    </div>
  );
}
