import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import script from '../../src/pages/assets/doorward.client.js';
import css from '../../src/pages/assets/doorward.css';
import logo from '../../src/pages/assets/logo.svg';
import { launchBrowser } from './browser.ts';
import { type FreshDatabase, freshDatabase } from './postgres.ts';

describe('PostgreSQL', () => {
  const server = { url: inject('postgresUrl') };
  let databases: FreshDatabase[] = [];

  beforeAll(async () => {
    databases = await Promise.all([freshDatabase(server), freshDatabase(server)]);
  });

  afterAll(async () => {
    await Promise.all(databases.map((database) => database.drop()));
  });

  const query = async (database: FreshDatabase | undefined, sql: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: database?.url });
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  };

  it('keeps a table, its rows and their letters', async () => {
    const [database] = databases;
    await query(database, 'CREATE TABLE visitor (name text PRIMARY KEY)');
    await query(database, "INSERT INTO visitor VALUES ('Ärmel 山')");
    const { rows } = await query(database, 'SELECT name, lower(name) AS lower FROM visitor');
    expect(rows).toEqual([{ name: 'Ärmel 山', lower: 'ärmel 山' }]);
  });

  it('gives every file a database of its own', async () => {
    const [first, second] = databases;
    await query(first, 'CREATE TABLE only_here (id int)');
    await expect(query(second, 'SELECT * FROM only_here')).rejects.toMatchObject({ code: '42P01' });
  });

  it('drops a database that is still in use', async () => {
    const database = await freshDatabase(server);
    const client = new pg.Client({ connectionString: database.url });
    const ended = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    await expect(ended).resolves.toBeInstanceOf(Error);
    await expect(query(database, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser?.close());

  it('reads the title of a page', async () => {
    const page = await browser.newPage();
    await page.goto('data:text/html,<title>Doorward</title>');
    expect(await page.title()).toBe('Doorward');
  });

  it('runs scripts and clicks', async () => {
    const page = await browser.newPage();
    await page.setContent('<button onclick="this.textContent = `Signed in`">Sign in</button>');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('button').textContent()).toBe('Signed in');
  });
});

describe('text files', () => {
  it.each([
    ['doorward.client.js', script],
    ['doorward.css', css],
    ['logo.svg', logo],
  ])('%s is imported as its text', (name, text) => {
    expect(text).toBe(readFileSync(new URL(`../../src/pages/assets/${name}`, import.meta.url), 'utf8'));
  });
});
