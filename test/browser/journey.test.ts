import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openContext } from '../support/browser.ts';
import { startServer, type TestServer } from '../support/server.ts';

let browser: Browser;
let server: TestServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const first = 'correct horse battery';
const second = 'staple tractor lantern';

describe.each([
  { javaScriptEnabled: true, username: 'ada' },
  { javaScriptEnabled: false, username: 'grace' },
])('a whole visit (JavaScript: $javaScriptEnabled)', ({ javaScriptEnabled, username }) => {
  let here: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    here = await openContext(browser, { javaScriptEnabled });
    page = await here.newPage();
  });
  afterAll(() => here.close());

  const account = '/if/user/';
  const signInPage = '/if/flow/default-authentication-flow/';
  /** Waits for a page, also when it is there already. */
  const arriveAt = (on: Page, path: string) => on.waitForURL(({ pathname }) => pathname === path);
  const press = (on: Page) => on.getByRole('button', { name: /^(Continue|Sign in)$/ }).click();
  const told = (on: Page, problem: string) => on.getByRole('alert').filter({ hasText: problem }).first().waitFor();
  const isCalled = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  const signIn = async (on: Page, password: string): Promise<void> => {
    await on.goto(server.origin);
    await on.getByLabel('Email address or username').fill(username);
    await press(on);
    await on.getByLabel('Password', { exact: true }).fill(password);
    await press(on);
  };

  it('signs up', async () => {
    await page.goto(server.origin);
    await page.getByRole('link', { name: /sign up|create/i }).click();
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByLabel('Email').fill(`${username}@example.com`);
    await page.getByLabel('Password', { exact: true }).fill(first);
    await page.getByLabel('Repeat password').fill('something else');
    await press(page);
    // The problem stands on the page, and what was typed is kept.
    await told(page, "Passwords don't match.");
    expect(await page.getByLabel('Username').inputValue()).toBe(username);
    await page.getByLabel('Password', { exact: true }).fill(first);
    await page.getByLabel('Repeat password').fill(first);
    await press(page);
    await arriveAt(page, account);
    await isCalled('Ada Lovelace');
  });

  it('signs out', async () => {
    await page.getByRole('link', { name: 'Sign out', exact: true }).click();
    await arriveAt(page, signInPage);
  });

  it('is told about a wrong password, and then signs in', async () => {
    await signIn(page, 'not the password');
    await told(page, 'Invalid password');
    expect(await page.getByRole('link', { name: 'Forgot your password?' }).getAttribute('href')).toContain(
      '/if/flow/default-recovery-flow/',
    );
    await page.getByLabel('Password', { exact: true }).fill(first);
    await press(page);
    await arriveAt(page, account);
  });

  it('edits the profile', async () => {
    await page.getByRole('link', { name: 'Edit profile' }).click();
    expect(await page.getByLabel('Username').inputValue()).toBe(username);
    await page.getByLabel('Name', { exact: true }).fill('Augusta Ada King');
    await press(page);
    await arriveAt(page, account);
    await isCalled('Augusta Ada King');
  });

  it('changes the password, and every other session ends', async () => {
    const elsewhere = await openContext(browser, { javaScriptEnabled });
    const other = await elsewhere.newPage();
    await signIn(other, first);
    await arriveAt(other, account);

    await page.goto(server.origin + account);
    await page.getByRole('link', { name: 'Change password' }).click();
    await page.getByLabel('Password', { exact: true }).fill(first);
    await press(page);
    await page.getByLabel('New password', { exact: true }).fill(second);
    await page.getByLabel('Repeat the new password').fill(second);
    await press(page);
    // The session that changed it stays (W36) …
    await arriveAt(page, account);
    // … and the other one is gone.
    await other.goto(server.origin + account);
    await arriveAt(other, signInPage);
    await signIn(other, first);
    await told(other, 'Invalid password');
    await other.getByLabel('Password', { exact: true }).fill(second);
    await press(other);
    await arriveAt(other, account);

    // Two sessions are listed; one of them can be ended from the other.
    await page.goto(server.origin + account);
    await page.getByRole('button', { name: /everywhere else|other/i }).click();
    await page.getByRole('status').filter({ hasText: 'The sessions have ended.' }).waitFor();
    await other.goto(server.origin + account);
    await arriveAt(other, signInPage);
    await elsewhere.close();
  });
});
