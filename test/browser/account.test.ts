import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defineStage } from '../../src/index.ts';
import { openHasher } from '../../src/testing/rig.ts';
import { barriers, bringAxe } from '../support/barriers.ts';
import { launchBrowser, openContext } from '../support/browser.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What leads into the flow says what it asks for. */
const wish = defineStage({
  ...{
    kind: 'wish',
    model: 'tests.wish',
    component: 'ak-stage-wish-form',
    description: 'Asks for what an application wants.',
  },
  ...{ config: z.object({}), needs: [], gives: [] },
  enter: async () => ({
    kind: 'pass',
    context: {
      application: { slug: 'notes', name: 'Shared Notes' },
      consent_permissions: [{ id: 'email', name: 'See your email address' }],
    },
  }),
});

let browser: Browser;
let server: TestServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([
    launchBrowser(),
    startServer({
      ...{ stages: [wish], hasher: openHasher },
      blueprints: [
        flowYaml({
          slug: 'notes',
          attrs: { designation: 'authorization', authentication: 'require_authenticated' },
          stages: [{ kind: 'tests.wish' }, { kind: 'consent' }],
        }),
        flowYaml({
          slug: 'from-source',
          stages: [{ kind: 'user_write', attrs: { user_creation_mode: 'always_create' } }],
        }),
        flowYaml({
          slug: 'by-name',
          attrs: { designation: 'authentication' },
          stages: [{ kind: 'identification', attrs: { user_fields: ['username'] } }, { kind: 'user_login' }],
        }),
      ],
    }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const views = [
  { width: 390, height: 844, javaScriptEnabled: false },
  { width: 1280, height: 860, javaScriptEnabled: true },
];

describe.each(views)('the account page at $width pixels (JavaScript: $javaScriptEnabled)', (view) => {
  const { width, height, javaScriptEnabled } = view;
  const source = `source-${width}`;
  const username = `user-${width}`;

  /** Without scripts on the page axe has none to run in, so it looks at what a second browser makes of the same page. */
  const barriersOf = async (page: Page): Promise<readonly unknown[]> => {
    const context = await openContext(browser, { viewport: { width, height } });
    await context.addCookies(await page.context().cookies());
    const twin = await context.newPage();
    await bringAxe(twin);
    await twin.goto(page.url());
    const found = await barriers(twin);
    expect(await twin.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await context.close();
    return found;
  };

  it('shows what one agreed to and is connected with, and takes it away', async () => {
    const executed = await server.auth.flows.execute('from-source', {
      context: { prompt_data: { username }, source: { source, identifier: '583231', isNew: true } },
    });
    expect(executed.status).toBe('done');
    const context = await openContext(browser, { viewport: { width, height }, javaScriptEnabled });
    const page = await context.newPage();
    const settled = (path: string) => page.waitForURL((url) => `${url.pathname}${url.search}` === path);
    await page.goto(`${server.origin}/if/flow/by-name/`);
    await page.getByLabel('Username').fill(username);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await settled('/if/user/');
    await page.goto(`${server.origin}/if/flow/notes/?next=/if/user/`);
    await page.getByText('See your email address').waitFor();
    await page.getByRole('button', { name: 'Agree and continue' }).click();
    await settled('/if/user/');
    await page.getByText('Shared Notes').waitFor();
    expect(await barriersOf(page)).toEqual([]);

    await page.getByRole('button', { name: `Disconnect ${source}` }).click();
    await settled('/if/user/?notice=connection-needed');
    await page.getByText('This is your only way to sign in.').waitFor();
    expect(await barriersOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Withdraw your consent: Shared Notes' }).click();
    await settled('/if/user/?notice=consent-withdrawn');
    expect(await page.getByText('Shared Notes').count()).toBe(0);
    await context.close();
  });
});
