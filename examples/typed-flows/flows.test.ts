import { readFileSync } from 'node:fs';
import { createRig } from 'doorward/testing';
import { expect, it } from 'vitest';
import { signIn, signUp } from './flows.ts';

it('signs up, asks large teams one thing more, and remembers what was answered', async () => {
  const rig = await createRig({ flows: [signUp, signIn] });
  try {
    const visitor = rig.visitor();
    await visitor.open('sign-up');
    const details = { username: 'ada', email: 'ada@example.com', 'attributes.company': 'Engines', ...password };
    await visitor.answer({ ...details, email: 'ada@example.invalid', 'attributes.team.size': 'more' });
    expect(JSON.stringify(visitor.challenge)).toContain('This address cannot receive mail.');
    await visitor.answer({ ...details, 'attributes.team.size': 'more' });
    await visitor.answer({ 'attributes.team.budget': 1000 });
    visitor.expectEnd();
    const ada = await rig.auth.users.get({ username: 'ada' });
    expect(ada?.attributes).toEqual({ company: 'Engines', team: { size: 'more', budget: 1000 } });
  } finally {
    await rig.close();
  }
});

it('is what the documentation shows', () => {
  const plain = (text: string) => text.replaceAll(/\s+/g, ' ');
  const source = plain(readFileSync(new URL('./flows.ts', import.meta.url), 'utf8'));
  const page = readFileSync(new URL('../../docs/typed-flows.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => plain(code).trim());
  expect(blocks.length).toBeGreaterThan(3);
  for (const block of blocks) expect(source).toContain(block);
});

const password = { password: 'correct horse battery', password_repeat: 'correct horse battery' };
