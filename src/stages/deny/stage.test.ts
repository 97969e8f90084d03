import { expect, it } from 'vitest';
import { deskFor } from '../../testing/desk.ts';
import { deny } from './stage.ts';

it.each([
  ['the context', 'configured', { deny_message: 'from context' }, 'from context'],
  ['the configuration', 'configured', {}, 'configured'],
  ['neither', '', {}, null],
])('DN-1: denies, with the message of %s', async (_, deny_message, context, message) => {
  expect(await deny.enter(deskFor(deny, { config: { deny_message }, context }))).toEqual({ kind: 'deny', message });
});
