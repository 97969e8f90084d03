import type { Locale } from '../protocol/localize.ts';
import type { Brand } from './brand.ts';
import { page, Shell } from './shell.tsx';
import { Time } from './time.tsx';
import { type Words, wordsIn } from './words.ts';

interface Setting {
  readonly brand: Brand;
  readonly locale: Locale;
}

/** `/if/mail/`: the messages that no mail server took. */
export function mailboxPage(
  { brand, locale }: Setting,
  messages: readonly {
    readonly id: string;
    readonly to: string;
    readonly subject: string;
    readonly createdAt: number;
  }[],
): string {
  const words = wordsIn(locale);
  return page(
    <Shell words={words} brand={brand} title={words.of('mailbox.title')} wide>
      <h1>{words.of('mailbox.title')}</h1>
      <p class="lead">{words.of(messages.length === 0 ? 'mailbox.empty' : 'mailbox.lead')}</p>
      {messages.length === 0 ? null : (
        <ul class="links">
          {messages.map(({ id, to, subject, createdAt }) => (
            <li>
              <a href={`/if/mail/${encodeURIComponent(id)}/`}>{subject}</a>
              <p class="hint">
                {to} · <Time at={createdAt} words={words} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Shell>,
  );
}

/** One message, as its text; what its links open is opened from here. */
export function mailPage(
  { brand, locale }: Setting,
  message: { readonly to: string; readonly subject: string; readonly text: string; readonly createdAt: number },
): string {
  const words = wordsIn(locale);
  return page(
    <Shell words={words} brand={brand} title={message.subject} nav={<Back words={words} />} wide>
      <h1>{message.subject}</h1>
      <p class="hint">
        {message.to} · <Time at={message.createdAt} words={words} />
      </p>
      {message.text.split('\n\n').map((part) => (
        <p class="paragraph">{part.split('\n').map((line, index) => [index === 0 ? null : <br />, linked(line)])}</p>
      ))}
    </Shell>,
  );
}

function Back({ words }: { readonly words: Words }) {
  return (
    <nav aria-label={words.of('mailbox.title')}>
      <a href="/if/mail/">{words.of('mailbox.all')}</a>
    </nav>
  );
}

function linked(line: string) {
  return /^https?:\/\/\S+$/.test(line) ? <a href={line}>{line}</a> : line;
}
