import { expect, it } from 'vitest';
import { deskFor } from '../../testing/desk.ts';
import { dummy } from './stage.ts';

it('shows its name and passes with any answer', async () => {
  const desk = deskFor(dummy, { stage: { name: 'hello' } });
  expect(await dummy.enter(desk)).toEqual({ kind: 'ask', challenge: { component: 'ak-stage-dummy', name: 'hello' } });
  expect(await dummy.answer?.(desk, {})).toEqual({ kind: 'pass' });
});

it('fails on arrival where it shall', async () => {
  await expect(dummy.enter(deskFor(dummy, { config: { throw_error: true } }))).rejects.toThrow('dummy stage');
});
