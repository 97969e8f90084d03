import type { Words } from './words.ts';

interface Props {
  /** Where the form is sent. */
  readonly action: string;
  /** Sent back as `step`. */
  readonly csrf: string;
  readonly label: string;
  /** What it says to who does not see the row: the label, and of what. */
  readonly spoken: string;
  readonly words: Words;
}

/** The button at the end of a row of a list, which ends or removes what the row tells of. */
export function RowButton({ action, csrf, label, spoken, words }: Props) {
  return (
    <form method="post" action={action}>
      <input type="hidden" name="step" value={csrf} />
      <button type="submit" class="quiet" aria-label={spoken} data-busy={words.of('page.busy')}>
        {label}
      </button>
    </form>
  );
}
