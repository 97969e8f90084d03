import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openHasher } from '../../src/testing/rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { freshDatabase } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type WebAnswer, WebClient, type WebRequest } from '../support/web-client.ts';

const slug = 'two-questions';
const api = `/api/v3/flows/executor/${slug}/?query=`;
const page = `/if/flow/${slug}/`;
const blueprint = flowYaml({
  slug,
  stages: [
    { kind: 'prompt', fields: [{ field_key: 'username', type: 'username', required: true }] },
    {
      kind: 'prompt',
      fields: [
        { field_key: 'name', type: 'text', required: true },
        { field_key: 'age', type: 'number' },
        { field_key: 'news', type: 'checkbox' },
        { field_key: 'colour', type: 'dropdown', placeholder: 'red' },
      ],
    },
    { kind: 'user_write', attrs: { user_creation_mode: 'always_create' } },
  ],
});

const jsonType = { 'content-type': 'application/json' };
const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const manyFields = Array.from({ length: 10_000 }, (_, at) => `f${at}`);

/** What is sent, and the status and code that come back. */
const rows: readonly (readonly [string, WebRequest, number, string])[] = [
  ['broken JSON', { headers: jsonType, body: '{"name":' }, 400, 'unreadable_body'],
  ['a form that says it is JSON', { headers: jsonType, body: 'name=Ada' }, 400, 'unreadable_body'],
  ['a list', { headers: jsonType, body: '[{"name":"Ada"}]' }, 400, 'unreadable_body'],
  [
    'another type',
    { headers: { 'content-type': 'text/plain' }, body: '{"name":"Ada"}' },
    415,
    'unsupported_media_type',
  ],
  ['no type', { body: '{"name":"Ada"}' }, 415, 'unsupported_media_type'],
  ['compression', { headers: { ...jsonType, 'content-encoding': 'gzip' }, body: '{}' }, 415, 'unsupported_media_type'],
  ['a megabyte too much', { headers: jsonType, body: `{"name":"${'x'.repeat(1 << 20)}"}` }, 413, 'body_too_large'],
  ['the same in chunks', { headers: jsonType, body: ['{"name":"', 'x'.repeat(1 << 20), '"}'] }, 413, 'body_too_large'],
  ['a form of five megabytes', { headers: formType, body: `name=${'x'.repeat(5 << 20)}` }, 413, 'body_too_large'],
  ['the same in chunks', { headers: formType, body: ['name=', 'x'.repeat(5 << 20)] }, 413, 'body_too_large'],
  [
    '10,000 fields',
    { headers: jsonType, body: JSON.stringify(Object.fromEntries(manyFields.map((name) => [name, '']))) },
    400,
    'unreadable_body',
  ],
  ['a form of 10,000 fields', { headers: formType, body: manyFields.join('=&') }, 400, 'unreadable_body'],
  ['NUL', { headers: jsonType, body: '{"name":"A\\u0000da"}' }, 400, 'unreadable_body'],
  ['a lone surrogate', { headers: jsonType, body: '{"name":"A\\ud800da"}' }, 400, 'unreadable_body'],
  ['NUL in a form', { headers: formType, body: 'name=A%00da' }, 400, 'unreadable_body'],
  ['a lone surrogate in a form', { headers: formType, body: 'name=A%ED%A0%80da' }, 400, 'unreadable_body'],
  ['a broken escape in a form', { headers: formType, body: 'name=%zz' }, 400, 'unreadable_body'],
  [
    'broken multipart',
    { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: 'name=Ada' },
    400,
    'unreadable_body',
  ],
];

describe.each(['sqlite', 'postgres'] as const)('bad input loses nothing (%s)', (dialect) => {
  let server: TestServer;
  let client: WebClient;
  let count = 0;
  let drop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    const fresh = dialect === 'postgres' ? await freshDatabase({ url: inject('postgresUrl') }) : null;
    drop = async () => fresh?.drop();
    server = await startServer({
      ...{ hasher: openHasher, blueprints: [blueprint] },
      ...(fresh === null ? {} : { database: { postgres: fresh.url } }),
    });
  });
  afterAll(async () => {
    await server.close();
    await drop();
  });

  const username = (): string => `visitor-${dialect}-${count}`;
  beforeEach(async () => {
    count += 1;
    client = new WebClient(server.origin);
    await client.open(slug);
    await client.answer({ username: username() });
    expect(client.challenge.fields).toHaveLength(4);
  });

  const post = (init: WebRequest, path = api): Promise<WebAnswer> =>
    client.request(path, { method: 'POST', ...init, headers: { origin: server.origin, ...init.headers } });

  /** The visitor is where they were, and comes to the end. */
  const goesOn = async (): Promise<void> => {
    expect((await client.open(slug)).fields).toHaveLength(4);
    await client.answer({ name: 'Ada', age: '36', colour: 'red' });
    expect(client.challenge).toEqual({ component: 'xak-flow-redirect', to: '/' });
    expect(await server.auth.users.get({ username: username() })).toMatchObject({ name: 'Ada' });
  };

  it.each(rows)('%s', async (_, init, status, code) => {
    const program = await post(init);
    expect([program.status, program.json()]).toEqual([status, { detail: expect.stringMatching(/\w/), code }]);
    const person = await post({ ...init, headers: { ...init.headers, accept: 'text/html' } }, page);
    expect(person.status).toBe(status);
    expect(person.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(person.text).toContain(program.json().detail);
    await goesOn();
  });

  it.each([
    ['missing fields', {}, { name: ['required'] }],
    ['an empty one', { name: '' }, { name: ['blank'] }],
    ['a list for a text', { name: ['Ada'] }, { name: ['invalid'] }],
    ['an object for a text', { name: { first: 'Ada' } }, { name: ['invalid'] }],
    ['a text for a number', { name: 'Ada', age: 'many' }, { age: ['invalid'] }],
    ['an object for a yes or no', { name: 'Ada', news: {} }, { news: ['invalid'] }],
    ['what is not a choice', { name: 'Ada', colour: 'octarine' }, { colour: ['invalid_choice'] }],
  ])('%s: the problem stands at the field', async (_, body, codes) => {
    const { response_errors: problems = {} } = await client.answer(body);
    expect(
      Object.fromEntries(Object.entries(problems).map(([field, found]) => [field, found.map(({ code }) => code)])),
    ).toMatchObject(codes);
    for (const { string } of Object.values(problems).flat()) expect(string).toMatch(/\w/);
    await goesOn();
  });

  it('unknown fields are not taken', async () => {
    await client.answer({
      ...{ name: 'Ada', age: 36, colour: 'red' },
      ...{ is_superuser: true, email: 'eve@evil.example', 'attributes.role': 'chief', ['__proto__']: { x: 1 } },
    });
    expect(client.challenge.component).toBe('xak-flow-redirect');
    const user = await server.auth.users.get({ username: username() });
    expect(user).toMatchObject({ name: 'Ada', email: '' });
    expect(JSON.stringify(user)).not.toMatch(/chief|evil/);
  });

  it('an answer to a stage that is past shows the current one, without a complaint', async () => {
    const { step } = client;
    await client.answer({ name: '' });
    client.step = 'forged';
    expect(await client.answer({ name: 'Eve' })).not.toHaveProperty('response_errors');
    client.step = step;
    await client.answer({ name: 'Ada', component: 'ak-stage-password' });
    expect(client.challenge.fields).toHaveLength(4);
    await goesOn();
  });
});
