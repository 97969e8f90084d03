import type { PromptChallenge, PromptField } from '../protocol/challenge.ts';
import { FlowForm, HiddenUsername } from './flow-form.tsx';
import { type FormField, formView } from './form-view.ts';
import type { ChallengeProps } from './page-data.ts';
import { PromptControl } from './prompt-controls.tsx';
import { type Words, wordsIn } from './words.ts';

const unseen: readonly string[] = ['hidden', 'separator', 'static'];
const fixed: readonly string[] = ['text_read_only', 'text_area_read_only'];

export function Prompt({ data, challenge }: ChallengeProps<PromptChallenge>) {
  const words = wordsIn(data.reply.locale);
  const prompts = challenge.fields.map((prompt, index) => ({ prompt, field: promptField(words, prompt, index) }));
  const view = formView(
    data,
    prompts.filter(({ prompt }) => !unseen.includes(prompt.type)).map(({ field }) => field),
  );
  const types = new Set(challenge.fields.map((prompt) => prompt.type));
  const anonymous = types.has('username') || types.has('email');
  return (
    <FlowForm view={view} multipart={types.has('file')} submit={words.of('page.continue')}>
      {types.has('password') && !anonymous ? <HiddenUsername view={view} /> : null}
      {prompts.map(({ prompt, field }) => (
        <PromptControl view={view} prompt={prompt} field={field} />
      ))}
    </FlowForm>
  );
}

function promptField(words: Words, prompt: PromptField, index: number): FormField {
  return {
    key: prompt.field_key,
    id: `field-${index}`,
    label: words.say(prompt.label) || words.say(prompt.placeholder) || prompt.field_key,
    editable: ![...unseen, ...fixed].includes(prompt.type),
  };
}
