import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { Layout } from '../protocol/challenge.ts';
import { locales } from '../protocol/localize.ts';
import { ActingBanner } from './acting-banner.tsx';
import { logoSvg, scriptPath, stylesheetPath } from './assets.ts';
import { type Brand, brandStylesheet, defaultBrand } from './brand.ts';
import type { Acting } from './page-data.ts';
import { inLanguage, isWebAddress } from './web-address.ts';
import type { Words } from './words.ts';

interface ShellProps {
  readonly words: Words;
  readonly brand: Brand;
  readonly title: string;
  readonly layout?: Layout;
  /** Image behind the card; '' for the brand's own. */
  readonly background?: string;
  readonly wide?: boolean;
  /** Links at the head of the page. */
  readonly nav?: Child;
  readonly acting?: Acting | null | undefined;
  /** The page's own address, where a visitor may read it in another language. */
  readonly action?: string | undefined;
  /** It waits for something that happens elsewhere. */
  readonly refreshes?: boolean;
  readonly children: Child;
}

/** The frame of every page: head, brand, card, footer. */
export function Shell({
  words,
  brand,
  title,
  layout = 'stacked',
  background = '',
  wide,
  nav = null,
  acting,
  action,
  refreshes = false,
  children,
}: ShellProps) {
  const image = [background, brand.background].find(isWebAddress);
  const classes = [`layout-${layout}`, image === undefined ? '' : 'has-backdrop'].filter(Boolean).join(' ');
  return (
    <html lang={words.locale}>
      <head>
        <meta charset="utf-8" />
        <title>{`${title} - ${brand.name}`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <link rel="icon" href={brand.favicon} />
        <link rel="stylesheet" href={stylesheetPath} />
        <link rel="stylesheet" href={brandStylesheet(brand).path} />
        <script src={scriptPath} defer />
        {refreshes ? (
          <noscript>
            <meta http-equiv="refresh" content="20" />
          </noscript>
        ) : null}
      </head>
      <body class={classes}>
        {image === undefined ? null : <img class="backdrop" src={image} alt="" loading="lazy" />}
        <ActingBanner acting={acting} words={words} />
        <div class="frame">
          <div class={wide === true ? 'panel wide' : 'panel'}>
            <header class="brand">
              <Logo brand={brand} />
              <span>{brand.name}</span>
              {nav}
            </header>
            <main>{children}</main>
          </div>
          <Footer words={words} brand={brand} action={action} />
        </div>
      </body>
    </html>
  );
}

function Logo({ brand }: { readonly brand: Brand }) {
  // Our own mark stands in the page itself, where it can take on the brand's accent.
  if (brand.logo === defaultBrand.logo)
    return (
      <span class="mark" aria-hidden="true">
        {raw(logoSvg)}
      </span>
    );
  const inTheme = (theme: string) => brand.logo.replaceAll('%(theme)s', theme);
  return (
    <picture>
      <source media="(prefers-color-scheme: dark)" srcset={inTheme('dark')} />
      <img class="logo" src={inTheme('light')} alt="" />
    </picture>
  );
}

function Footer({ words, brand, action }: Pick<ShellProps, 'words' | 'brand' | 'action'>) {
  if (brand.links.length === 0 && action === undefined) return null;
  return (
    <footer>
      {brand.links.length === 0 ? null : (
        <nav aria-label={words.of('page.footer')}>
          <ul>
            {brand.links.map(({ name, href }) => (
              <li>
                <a href={href}>{name}</a>
              </li>
            ))}
          </ul>
        </nav>
      )}
      {action === undefined ? null : <Languages words={words} action={action} />}
    </footer>
  );
}

function Languages({ words, action }: { readonly words: Words; readonly action: string }) {
  return (
    <nav aria-label={words.of('page.languages')}>
      <ul>
        {Object.entries(locales).map(([locale, name]) => (
          <li>
            {locale === words.locale ? (
              <span aria-current="true">{name}</span>
            ) : (
              <a href={inLanguage(action, locale)} lang={locale} hreflang={locale}>
                {name}
              </a>
            )}
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The page as it is sent. */
export function page(content: { toString(): string | Promise<string> }): string {
  return `<!doctype html>${String(content)}`;
}
