import { createRig } from 'doorward/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExample } from './app.ts';

type Rig = Awaited<ReturnType<typeof createRig>>;
let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

it('greets whoever is signed in, and sends everybody else to sign in', async () => {
  const app = createExample(rig.auth);
  const visitor = rig.visitor();
  const hello = (cookie: string): Promise<Response> =>
    Promise.resolve(app.request('http://localhost:9000/hello', { headers: { cookie } }));
  const anonymous = await hello('');
  expect(anonymous.status).toBe(302);
  expect(anonymous.headers.get('location')).toBe('/if/flow/default-authentication-flow/?next=/hello');
  await visitor.open('default-enrollment-flow', 'next=/hello');
  await visitor.answer({ ...{ username: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' }, ...password });
  visitor.expectEnd('/hello');
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  expect(await (await hello(cookie)).text()).toBe('Hello, Ada Lovelace!');
});

const password = { password: 'correct horse battery', password_repeat: 'correct horse battery' };
