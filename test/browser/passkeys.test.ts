import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
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

const password = 'correct horse battery';

describe('a passkey, in a browser with an authenticator', () => {
  let context: BrowserContext;
  let page: Page;
  let devices: CDPSession;
  let authenticatorId = '';
  beforeAll(async () => {
    context = await openContext(browser);
    page = await context.newPage();
    // The authenticator takes up at once whatever a page offers by itself, before anybody could press its button.
    await page.addInitScript(() => {
      if (localStorage.getItem('offers') === null)
        PublicKeyCredential.isConditionalMediationAvailable = async () => false;
    });
    devices = await context.newCDPSession(page);
    await devices.send('WebAuthn.enable');
    const made = await devices.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    authenticatorId = made.authenticatorId;
  });
  afterAll(() => context.close());

  const path = (): string => new URL(page.url()).pathname;
  const arriveAt = (there: string) => page.waitForURL((url) => url.pathname === there);
  const signOut = async (): Promise<void> => {
    await page.goto(`${server.origin}/if/user/`);
    await page.getByRole('link', { name: 'Sign out', exact: true }).click();
    await arriveAt('/if/flow/default-authentication-flow/');
  };

  it('is added on the account page', async () => {
    await page.goto(`${server.origin}/if/flow/default-enrollment-flow/?next=/if/user/`);
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Repeat password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
    await arriveAt('/if/user/');
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await arriveAt('/if/user/');
    await page.getByRole('button', { name: 'Remove Passkey' }).waitFor();
    const { credentials } = await devices.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ rpId: 'localhost', isResidentCredential: true }]);
  });

  it('is not added twice to the same authenticator: the page says so, and stays', async () => {
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await page.getByRole('alert').filter({ hasText: 'That did not work' }).waitFor();
    expect(path()).toBe('/if/flow/default-authenticator-webauthn-setup/');
    expect(await page.getByRole('button', { name: 'Create a passkey' }).isEnabled()).toBe(true);
  });

  it('is asked for after the password', async () => {
    await signOut();
    await page.getByLabel('Email address or username').fill('ada');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await arriveAt('/if/user/');
  });

  it('signs in by its button, without a name and without a password', async () => {
    await signOut();
    const field = page.getByLabel('Email address or username');
    expect(await field.getAttribute('autocomplete')).toBe('username webauthn');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await arriveAt('/if/user/');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Ada Lovelace');
  });

  it('does not without the fingerprint', async () => {
    await signOut();
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('alert').filter({ hasText: 'That did not work' }).waitFor();
    expect(path()).toBe('/if/flow/default-authentication-flow/');
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  });

  it('signs in where the browser offers it with the name', async () => {
    await page.evaluate(() => localStorage.setItem('offers', 'yes'));
    // The page may be gone before it is loaded.
    await page.goto(`${server.origin}/if/flow/default-authentication-flow/?next=/if/user/`, { waitUntil: 'commit' });
    await arriveAt('/if/user/');
  });
});

it('without JavaScript nothing is offered that needs it, and the name still works', async () => {
  const context = await openContext(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.origin}/if/flow/default-authentication-flow/`);
  expect(await page.getByRole('button').allTextContents()).toEqual(['Sign in']);
  await context.close();
});
