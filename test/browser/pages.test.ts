import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriers, bringAxe } from '../support/barriers.ts';
import { launchBrowser, openContext } from '../support/browser.ts';
import { identification, sampleBrands, samplePage, samplePages } from '../support/page-samples.ts';
import { servePages, siteOrigin } from '../support/page-site.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const pages = { ...samplePages, onward: samplePage({ component: 'xak-flow-redirect', to: '/identification' }) };

/** A page in a fresh context, closed afterwards; whatever the browser complained about is an error. */
async function visit(options: BrowserContextOptions, steps: (page: Page) => Promise<void>): Promise<void> {
  const context = await openContext(browser, { viewport: { width: 1280, height: 860 }, ...options });
  try {
    await servePages(context, pages, sampleBrands);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await steps(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

const viewports = [
  { width: 320, height: 640 },
  { width: 1280, height: 860 },
];

/** Controls that are smaller than a fingertip, by what they say. Links within a sentence are exempt (WCAG 2.5.8). */
function smallTargets(): string[] {
  const controls =
    'button, .button, select, textarea, input:not([type=hidden], [type=checkbox], [type=radio]), .choice';
  return [...document.querySelectorAll<HTMLElement>(`${controls}, .links a, footer a, .who a, .brand a`)]
    .filter((element) => element.checkVisibility())
    .filter((element) => element.getBoundingClientRect().height < 43.9)
    .map((element) => element.outerHTML);
}

it.each(viewports)(
  'at $width pixels every page is free of barriers in light and in dark, fits, and can be hit with a finger (WCAG 2.2 AA, 1.4.10, 2.5.5)',
  (viewport) =>
    // With motion, colours would change over a while.
    visit({ viewport, reducedMotion: 'reduce' }, async (page) => {
      await bringAxe(page);
      for (const name of Object.keys(samplePages).filter((each) => each !== 'redirect')) {
        await page.emulateMedia({ colorScheme: 'light' });
        await page.goto(`${siteOrigin}/${name}`);
        expect(await barriers(page), name).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(
          viewport.width,
        );
        expect(await page.evaluate(smallTargets), name).toEqual([]);
        await page.emulateMedia({ colorScheme: 'dark' });
        expect(await barriers(page, 'color-contrast'), `${name} in dark`).toEqual([]);
      }
    }),
  300_000,
);

describe('in the browser', () => {
  it('the first problem is focused, and the summary leads to each', () =>
    visit({}, async (page) => {
      const focused = (name: string) => page.locator(`[name=${name}]:focus`).waitFor();
      await page.goto(`${siteOrigin}/enrollment-problems`);
      await focused('username');
      await page
        .getByRole('alert')
        .getByRole('link', { name: /Email address/ })
        .click();
      await focused('email');
      await page
        .getByLabel('Email address')
        .and(page.getByRole('textbox', { description: 'Enter a valid email address.' }))
        .waitFor();
    }));

  it('a password can be shown, and is hidden again before it is sent', () =>
    visit({}, async (page) => {
      await page.goto(`${siteOrigin}/password`);
      const [field, button] = [
        page.getByLabel('Password', { exact: true }),
        page.getByRole('button', { name: 'Show password' }),
      ];
      await field.fill('correct horse');
      await button.click();
      expect([await field.getAttribute('type'), await button.getAttribute('aria-pressed')]).toEqual(['text', 'true']);
      await page.evaluate(() => document.addEventListener('submit', (event) => event.preventDefault()));
      await page.getByRole('button', { name: 'Sign in' }).click();
      expect([await field.getAttribute('type'), await button.getAttribute('aria-pressed')]).toEqual([
        'password',
        'false',
      ]);
    }));

  it('a form is sent once, with the button that was pressed, and is ready again on the way back', () =>
    visit({}, async (page) => {
      await page.goto(`${siteOrigin}/user-login`);
      const sent: (string | null)[] = [];
      await page.route(`${siteOrigin}/if/flow/**`, (route) => {
        sent.push(route.request().postData());
        return route.fulfill({ status: 204, body: '' });
      });
      const answered = page.waitForResponse(`${siteOrigin}/if/flow/**`);
      await page.getByRole('button', { name: 'No' }).dblclick();
      await answered;
      expect(sent).toEqual(['component=ak-stage-user-login&step=step-token&remember_me=false']);
      await page.getByRole('button', { name: 'One moment …' }).waitFor();
      expect(await page.getByRole('button', { name: 'Yes' }).isDisabled()).toBe(true);
      await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
      expect(await page.getByRole('button', { name: 'No' }).isEnabled()).toBe(true);
    }));

  it('the end of a flow leads on by itself', () =>
    visit({}, async (page) => {
      await page.goto(`${siteOrigin}/onward`);
      await page.waitForURL(`${siteOrigin}/identification`);
    }));

  it("times are the visitor's own", () =>
    visit({ timezoneId: 'Asia/Tokyo' }, async (page) => {
      await page.goto(`${siteOrigin}/account`);
      expect(await page.getByRole('time').first().textContent()).toMatch(/5:30\sPM/);
    }));

  it('nothing needs JavaScript', () =>
    visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${siteOrigin}/identification`);
      expect(await page.getByRole('button').allTextContents()).toEqual([identification.primary_action]);
      await page.goto(`${siteOrigin}/account`);
      expect(await page.getByRole('time').first().textContent()).toMatch(/8:30\sAM UTC/);
      await page.goto(`${siteOrigin}/onward`);
      await page.getByRole('link', { name: 'Continue' }).click();
      await page.waitForURL(`${siteOrigin}/identification`);
    }));

  it('colours that a visitor forces keep every control visible', () =>
    visit({ forcedColors: 'active' }, async (page) => {
      await bringAxe(page);
      await page.goto(`${siteOrigin}/every-field-problems`);
      expect(await barriers(page)).toEqual([]);
    }));
});
