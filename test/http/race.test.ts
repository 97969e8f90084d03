import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { freshDatabase } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, signUp, WebClient } from '../support/web-client.ts';

const flow = 'default-enrollment-flow';
const page = `/if/flow/${flow}/`;

describe.each(['sqlite', 'postgres'] as const)('several want one username at the same moment (%s)', (dialect) => {
  let server: TestServer;
  let drop: () => Promise<void> = async () => undefined;
  beforeAll(async () => {
    const fresh = dialect === 'postgres' ? await freshDatabase({ url: inject('postgresUrl') }) : null;
    drop = async () => fresh?.drop();
    server = await startServer({
      hasher: openHasher,
      ...(fresh === null ? {} : { database: { postgres: fresh.url } }),
    });
  });
  afterAll(async () => {
    await server.close();
    await drop();
  });

  const visitors = (): readonly WebClient[] => Array.from({ length: 8 }, () => new WebClient(server.origin));

  it('programs: one gets it, the others a problem at the field, and can go on (W32)', async () => {
    const clients = visitors();
    await Promise.all(clients.map((client) => client.open(flow)));
    await Promise.all(clients.map((client) => client.answer(signUp('wanted'))));
    const losers = clients.filter(({ challenge }) => challenge.component === 'ak-stage-prompt');
    expect(losers).toHaveLength(clients.length - 1);
    for (const [at, loser] of losers.entries()) {
      expect(loser.challenge.response_errors?.username).toEqual([
        { string: 'Username is already taken.', code: expect.any(String) },
      ]);
      await loser.answer(signUp(`unwanted-${at}`));
      expect(await loser.whoAmI()).toBe(`unwanted-${at}`);
    }
  });

  it('people: the form comes back with the problem, never with the password, and they can go on', async () => {
    const clients = visitors();
    const forms = await Promise.all(clients.map(async (client) => hiddenFields((await client.request(page)).text)));
    const answers = await Promise.all(
      clients.map((client, at) => client.submit(page, { ...forms[at], ...signUp('coveted') })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...clients.slice(1).map(() => 200), 303]);
    for (const [at, { status, text }] of answers.entries()) {
      if (status === 303) continue;
      expect(text).toContain('Username is already taken.');
      expect(text).not.toContain('correct horse battery');
      const again = { ...hiddenFields(text), ...signUp(`modest-${at}`) };
      expect((await clients[at]?.submit(page, again))?.headers.location).toBe('/');
    }
    // Who lost only at the commit had their address taken already: it stays, and the search finds it too (revise).
    const { users } = await server.auth.users.list({ search: 'coveted' });
    expect(users.filter(({ username }) => username === 'coveted')).toHaveLength(1);
  });
});
