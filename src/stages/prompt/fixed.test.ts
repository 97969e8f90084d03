import { describe, expect, it } from 'vitest';
import type { PlanContext } from '../../engine/plan-context.ts';
import { promptTypes } from '../../protocol/challenge.ts';
import { ask, collected, deskOf, type Field, reply, shown } from '../../testing/prompt-rig.ts';
import { prompt } from './stage.ts';

const context: PlanContext = {
  prompt_data: [
    ['email', 'ada@example.com'],
    ['attributes.team', 'engines'],
    ['attributes.home.city', 'London'],
  ],
  'doorward/fixed': ['email', 'attributes.team', 'attributes.home.city'],
  'doorward/origins': [{ origin: { kind: 'invitation', invitation: 'i' }, keys: ['email'] }],
};
const fields: readonly Field[] = [
  { field_key: 'email', type: 'email', required: true },
  { field_key: 'attributes_team', type: 'dropdown', choices: ['looms'], order: 1 },
  { field_key: 'attributes.home', order: 2 },
  { field_key: 'attributes.home.city.part', order: 3 },
  { field_key: 'attributes.teams', order: 4 },
];

describe('IN-7: what is fixed', () => {
  it('is shown as it is, whatever its field could choose', async () => {
    expect(await ask(fields, { context })).toMatchObject([
      { type: 'text_read_only', initial_value: 'ada@example.com', choices: null },
      { type: 'text_read_only', initial_value: 'engines', choices: null },
      { type: 'text_read_only', initial_value: '' },
      { type: 'text_read_only', initial_value: '' },
      { type: 'text', initial_value: '' },
    ]);
  });

  it('is not changed by an answer, nor is what it is a part of; the rest is taken', async () => {
    const forged = Object.fromEntries(fields.map(({ field_key: key }) => [key, 'forged']));
    const outcome = await reply(fields, forged, { context });
    expect(collected(outcome)).toEqual({
      ...{ email: 'ada@example.com', 'attributes.team': 'engines', 'attributes.home.city': 'London' },
      'attributes.teams': 'forged',
    });
    expect(outcome).toMatchObject({
      context: {
        'doorward/origins': [
          { origin: { kind: 'invitation' }, keys: ['email'] },
          { origin: { kind: 'prompt' }, keys: ['attributes.teams'] },
        ],
      },
    });
  });

  it('is not shown as somebody typed it', async () => {
    const asked = [...fields, { field_key: 'name', required: true, order: 5 }];
    const outcome = await reply(asked, { email: 'eve@example.com', name: '' }, { context });
    expect(shown(outcome)[0]).toMatchObject({ initial_value: 'ada@example.com' });
  });

  it('is nothing that a problem finds its way back to', () => {
    expect(prompt.collects?.(deskOf(fields, { context }))).toEqual(['attributes.teams']);
    const revise = { email: [{ code: 'unique', text: 'Taken.' }] };
    expect(prompt.collects?.(deskOf(fields, { context, revise }))).not.toContain('email');
  });

  it.each(promptTypes)('keeps a field of the type %s', async (type) => {
    const one = [{ field_key: 'email', type, choices: ['a', 'b'], initial_value: 'x' }];
    const outcome = await reply(one, { email: 'eve@example.com' }, { context });
    expect(collected(outcome)).toMatchObject({ email: 'ada@example.com' });
  });
});
