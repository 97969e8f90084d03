import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openContext } from '../support/browser.ts';
import { type CaptchaProvider, openCaptchaProvider } from '../support/captcha-provider.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';

let browser: Browser;
let provider: CaptchaProvider;
let server: TestServer;
beforeAll(async () => {
  [browser, provider] = await Promise.all([launchBrowser(), openCaptchaProvider()]);
  const captcha = { kind: 'captcha', attrs: provider.attrs };
  const captcha_stage = '!Find [authentik_stages_captcha.captchastage, [name, guarded-0-captcha]]';
  const identification = { kind: 'identification', attrs: { user_fields: ['username'], captcha_stage } };
  const agreed = { kind: 'consent', attrs: { mode: 'always_require' } };
  server = await startServer({
    blueprints: [
      flowYaml({ slug: 'guarded', stages: [captcha, agreed] }),
      flowYaml({ slug: 'who', stages: [identification, { kind: 'password' }] }),
    ],
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await provider.close();
});

it('a captcha is shown under the policy of its page, sent by itself, and gone on the next page', async () => {
  const context = await openContext(browser);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(`${server.origin}/if/flow/guarded/`);
  await page.getByRole('button', { name: 'I am a person (site key)' }).click();
  await page.getByRole('button', { name: 'Agree and continue' }).click();
  await page.waitForURL(`${server.origin}/if/flow/default-authentication-flow/**`);
  expect(complaints).toEqual([]);
  await context.close();
});

it('on the identification page its answer goes with the name', async () => {
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${server.origin}/if/flow/who/`);
  await page.getByLabel('Username').fill('ada');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('alert').getByText('Please pass the check that you are a person first.').waitFor();
  await page.getByRole('button', { name: /I am a person/ }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Password', { exact: true }).waitFor();
  await context.close();
});

it('a page whose captcha cannot be loaded says so', async () => {
  const context = await openContext(browser);
  const page = await context.newPage();
  await context.route(`${provider.origin}/**`, (route) => route.abort());
  await page.goto(`${server.origin}/if/flow/guarded/`);
  await page.getByText('The check could not be loaded.').waitFor();
  await context.close();
});
