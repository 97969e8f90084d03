import { text } from '../protocol/text.ts';
import { en, type MessageKey } from '../protocol/texts/en.ts';
import type { ErrorPageData } from './page-data.ts';
import { page, Shell } from './shell.tsx';
import { type Words, wordsIn } from './words.ts';

/** A page outside of any flow: what went wrong, in words, and the way on. */
export function errorPage(data: ErrorPageData): string {
  const words = wordsIn(data.locale);
  const title = data.title === undefined ? words.of(titleKey(data.status)) : words.say(data.title);
  const passing = data.status === 429 || data.status >= 500;
  return page(
    <Shell words={words} brand={data.brand} title={title} acting={data.acting}>
      <h1>{title}</h1>
      <p class="lead">{words.say(data.text ?? text(`error.${data.code}`))}</p>
      {data.retryAfter === undefined ? null : <p class="lead">{waiting(data.retryAfter, words)}</p>}
      <div class="buttons">
        {passing ? (
          // biome-ignore lint/a11y/useValidAnchor: the empty address is this very page, asked for anew with its query
          <a class="button primary" href="">
            {words.of('page.retry')}
          </a>
        ) : null}
        <a class={passing ? 'button secondary' : 'button primary'} href="/">
          {words.of('page.start')}
        </a>
      </div>
      <p class="hint">
        {words.of('page.request_id')} <code>{data.requestId}</code>
      </p>
    </Shell>,
  );
}

function titleKey(status: number): MessageKey {
  const key = `page.title_${status}`;
  return Object.hasOwn(en, key) ? (key as MessageKey) : 'page.title_500';
}

function waiting(seconds: number, words: Words): string {
  return seconds <= 90
    ? words.of('page.retry_seconds', { count: Math.ceil(seconds) })
    : words.of('page.retry_minutes', { count: Math.ceil(seconds / 60) });
}
