import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
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
    here = await browser.newContext({ javaScriptEnabled });
    here.setDefaultTimeout(5_000);
    page = await here.newPage();
  });
  afterAll(() => here.close());

  const path = (): string => new URL(page.url()).pathname;
  const press = async (on: Page, name: string | RegExp = /^(Continue|Sign in)$/): Promise<void> => {
    await on.getByRole('button', { name }).click();
    await on.waitForLoadState();
  };
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
    expect(await page.getByRole('alert').textContent()).toContain("Passwords don't match.");
    expect(await page.getByLabel('Username').inputValue()).toBe(username);
    await page.getByLabel('Password', { exact: true }).fill(first);
    await page.getByLabel('Repeat password').fill(first);
    await press(page);
    expect(path()).toBe('/if/user/');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Ada Lovelace');
  });

  it('signs out', async () => {
    await page.getByRole('link', { name: 'Sign out', exact: true }).click();
    await page.waitForLoadState();
    expect(path()).toBe('/if/flow/default-authentication-flow/');
  });

  it('is told about a wrong password, and then signs in', async () => {
    await signIn(page, 'not the password');
    expect(await page.getByRole('alert').first().textContent()).toContain('Invalid password');
    await page.getByLabel('Password', { exact: true }).fill(first);
    await press(page);
    expect(path()).toBe('/if/user/');
  });

  it('edits the profile', async () => {
    await page.getByRole('link', { name: 'Edit profile' }).click();
    expect(await page.getByLabel('Username').inputValue()).toBe(username);
    await page.getByLabel('Name', { exact: true }).fill('Augusta Ada King');
    await press(page);
    expect(path()).toBe('/if/user/');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Augusta Ada King');
  });

  it('changes the password, and every other session ends', async () => {
    const elsewhere = await browser.newContext({ javaScriptEnabled });
    elsewhere.setDefaultTimeout(5_000);
    const other = await elsewhere.newPage();
    await signIn(other, first);
    expect(new URL(other.url()).pathname).toBe('/if/user/');

    await page.goto(`${server.origin}/if/user/`);
    await page.getByRole('link', { name: 'Change password' }).click();
    await page.getByLabel('Password', { exact: true }).fill(first);
    await press(page);
    await page.getByLabel('New password', { exact: true }).fill(second);
    await page.getByLabel('Repeat the new password').fill(second);
    await press(page);
    // The session that changed it stays (W36) …
    expect(path()).toBe('/if/user/');
    // … and the other one is gone.
    await other.goto(`${server.origin}/if/user/`);
    expect(new URL(other.url()).pathname).toBe('/if/flow/default-authentication-flow/');
    await signIn(other, first);
    expect(await other.getByRole('alert').first().textContent()).toContain('Invalid password');
    await other.getByLabel('Password', { exact: true }).fill(second);
    await press(other);
    expect(new URL(other.url()).pathname).toBe('/if/user/');

    // Two sessions are listed; one of them can be ended from the other.
    await page.goto(`${server.origin}/if/user/`);
    await page.getByRole('button', { name: /everywhere else|other/i }).click();
    await page.waitForLoadState();
    await other.goto(`${server.origin}/if/user/`);
    expect(new URL(other.url()).pathname).toBe('/if/flow/default-authentication-flow/');
    await elsewhere.close();
  });
});
