import type { Acting } from './page-data.ts';
import type { Words } from './words.ts';

interface Props {
  readonly acting: Acting | null | undefined;
  readonly words: Words;
}

/** Stands at the head of every page while an administrator acts as a user. */
export function ActingBanner({ acting, words }: Props) {
  if (acting === null || acting === undefined) return null;
  return (
    <aside class="acting" aria-label={words.of('acting.region')}>
      <p>{words.of('acting.as', { username: acting.username })}</p>
      <form method="post" action="/if/user/impersonation/end">
        <input type="hidden" name="step" value={acting.csrf} />
        <button type="submit" data-busy={words.of('page.busy')}>
          {words.of('acting.stop')}
        </button>
      </form>
    </aside>
  );
}
