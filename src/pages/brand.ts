import * as z from 'zod';
import { DoorwardError } from '../kernel/errors.ts';
import { black, mix, parseHex, type Rgb, readableOn, standingOut, toHex, white } from './colour.ts';
import { contentHash } from './content-hash.ts';
import { isWebAddress } from './web-address.ts';

const webAddress = z.string().refine(isWebAddress, 'must be an http(s) address or a path that starts with /');

const brandSchema = z.strictObject({
  name: z.string().trim().min(1).default('Doorward').describe('Shown at the head of every page and in its title.'),
  logo: webAddress
    .default('/static/logo.svg')
    .describe('Image at the head of every page; %(theme)s in it becomes light or dark.'),
  favicon: webAddress.default('/static/favicon.svg').describe('Image for the browser tab.'),
  accent: z
    .string()
    .regex(/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, 'must be a hex colour such as #1f6f5c')
    .default('#1f6f5c')
    .describe('Colour of buttons and links; shades that are easy to read are derived from it.'),
  background: webAddress
    .or(z.literal(''))
    .default('')
    .describe('Image behind the pages of all flows that have none of their own.'),
  links: z
    .array(z.strictObject({ name: z.string().trim().min(1), href: webAddress }))
    .default([])
    .describe('Links in the footer.'),
});

/** How the pages present whoever runs them. */
export type Brand = Readonly<z.infer<typeof brandSchema>>;

/**
 * A brand from configuration, defaults filled in.
 *
 * @example
 * parseBrand({ name: 'Example', accent: '#7c3aed' }).logo === '/static/logo.svg';
 * @throws DoorwardError `configuration`, naming the member that is wrong
 */
export function parseBrand(given: unknown): Brand {
  const result = brandSchema.safeParse(given ?? {});
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => [...issue.path, issue.message].join(' '));
  throw new DoorwardError('configuration', `brand: ${issues.join('; ')}`);
}

export const defaultBrand: Brand = parseBrand({});

/** What text stands on in the light and the dark theme: the least favourable surface of doorward.css. */
const grounds: Readonly<Record<'light' | 'dark', Rgb>> = { light: parseHex('#f1f3f1'), dark: parseHex('#232a28') };

function variables(accent: Rgb, theme: 'light' | 'dark'): string {
  const ground = grounds[theme];
  const fill = standingOut(accent, ground, theme === 'dark' ? 3 : 1);
  const ink = readableOn(fill);
  return [
    `--accent:${toHex(fill)}`,
    `--on-accent:${toHex(ink)}`,
    `--accent-hover:${toHex(mix(fill, ink === white ? black : white, 0.14))}`,
    `--accent-text:${toHex(standingOut(accent, ground, 4.6))}`,
  ].join(';');
}

/** The brand's stylesheet: the accent and its readable shades for both themes. Inline styles are not allowed. */
export function brandCss(brand: Brand): string {
  const accent = parseHex(brand.accent);
  return `:root{${variables(accent, 'light')}}@media (prefers-color-scheme:dark){:root{${variables(accent, 'dark')}}}`;
}

const stylesheets = new WeakMap<Brand, { readonly path: string; readonly body: string }>();

/** Where the pages expect the brand's stylesheet, and what is to be served there (text/css, for ever). */
export function brandStylesheet(brand: Brand): { readonly path: string; readonly body: string } {
  let sheet = stylesheets.get(brand);
  if (sheet === undefined) {
    const body = brandCss(brand);
    sheet = { path: `/static/brand-${contentHash(body)}.css`, body };
    stylesheets.set(brand, sheet);
  }
  return sheet;
}
