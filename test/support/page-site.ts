import type { BrowserContext } from 'playwright-core';
import { assets } from '../../src/pages/assets.ts';
import { type Brand, brandStylesheet } from '../../src/pages/brand.ts';

/** The policy that the pages must work under. */
export const contentSecurityPolicy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";

export const siteOrigin = 'https://pages.test';

const photo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 10" preserveAspectRatio="none"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="#27496d"/><stop offset=".5" stop-color="#c8553d"/><stop offset="1" stop-color="#f2d0a4"/></linearGradient></defs><rect width="16" height="10" fill="url(#g)"/></svg>`;

/** Serves pages by name, and the pages' own files, to a browser context, without a server. */
export async function servePages(
  context: BrowserContext,
  pages: Readonly<Record<string, string>>,
  brands: readonly Brand[],
): Promise<void> {
  const sheets = new Map(brands.map((brand) => [brandStylesheet(brand).path, brandStylesheet(brand).body]));
  await context.route(`${siteOrigin}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    const page = pages[pathname.slice(1)];
    if (page !== undefined) {
      const headers = { 'content-security-policy': contentSecurityPolicy };
      return route.fulfill({ body: page, contentType: 'text/html; charset=utf-8', headers });
    }
    const asset = assets[pathname];
    if (asset !== undefined) return route.fulfill({ body: asset.body, contentType: asset.type });
    const sheet = sheets.get(pathname);
    if (sheet !== undefined) return route.fulfill({ body: sheet, contentType: 'text/css; charset=utf-8' });
    if (pathname === '/static/photo.svg') return route.fulfill({ body: photo, contentType: 'image/svg+xml' });
    return route.fulfill({ status: 404, body: '' });
  });
}
