import { describe, expect, test } from 'vitest';
import type { Claim } from '../../engine/claim.ts';
import type { Invitation } from '../../engine/invitation.ts';
import { Secret } from '../../kernel/secrets.ts';
import { type DeskOptions, deskFor, deskTime } from '../../testing/desk.ts';
import { invitation } from './stage.ts';

function invited(uuid: string, more: Partial<Invitation> = {}): Invitation {
  return {
    ...{ uuid, name: 'friends', flow: 'test-flow', fixedData: {}, singleUse: false, createdBy: 7, uses: 0 },
    ...{ createdAt: deskTime, expiresAt: deskTime + 1, ...more },
  };
}

const fixedData = { username: 'ada', attributes: { team: ['engines'], home: { city: 'London' }, none: {} } };
const invitations = {
  good: invited('a-b', { fixedData }),
  anywhere: invited('anywhere', { flow: null }),
  once: invited('once', { singleUse: true }),
  used: invited('used', { singleUse: true, uses: 1 }),
  often: invited('often', { uses: 5 }),
  late: invited('late', { expiresAt: deskTime }),
  foreign: invited('foreign', { flow: 'another-flow' }),
};
const enter = (options: DeskOptions) => invitation.enter(deskFor(invitation, { invitations, ...options }));
const denied = { kind: 'deny', message: { $text: 'invitation.invalid' } };
const free = { continue_flow_without_invitation: true };

describe('the invitation stage', () => {
  test('IN-4, IN-5, IN-6: a good one is in effect, and is claimed for the write; nothing is written here', async () => {
    const outcome = await enter({ query: { itoken: 'good' }, context: { prompt_data: [['name', 'A']] } });
    expect(outcome).toEqual({
      kind: 'pass',
      context: {
        invitation_in_effect: true,
        invitation: {
          ...{ pk: 'a-b', name: 'friends', flow: 'test-flow', fixed_data: fixedData, single_use: false },
          ...{ created_by: 7, expires: '2025-01-01T12:00:00.001Z' },
        },
        'doorward/invitation': expect.stringMatching(/^[\w-]{43}$/),
        prompt_data: [
          ['name', 'A'],
          ['username', 'ada'],
          ['attributes.team', ['engines']],
          ['attributes.home.city', 'London'],
          ['attributes.none', {}],
        ],
        'doorward/fixed': ['username', 'attributes.team', 'attributes.home.city', 'attributes.none'],
        'doorward/origins': [
          {
            origin: { kind: 'invitation', invitation: 'friends' },
            keys: ['username', 'attributes.team', 'attributes.home.city', 'attributes.none'],
          },
        ],
        'doorward/claims': [
          {
            effect: { kind: 'invitation.use', uuid: 'a-b' },
            event: { action: 'invitation_used', context: { invitation_uuid: 'ab', invitation: 'friends' } },
            otherwise: { $text: 'invitation.invalid' },
          },
        ],
      },
    });
  });

  test.each<[string, DeskOptions, string | null]>([
    ['itoken before token', { query: { itoken: 'once', token: 'good' } }, 'once'],
    ['token where itoken is missing', { query: { token: 'once' } }, 'once'],
    ['token where itoken is empty', { query: { itoken: '', token: 'once' } }, 'once'],
    ['prompt_data.token last', { context: { prompt_data: [['token', 'once']] } }, 'once'],
    ['typed in confidence', { context: { prompt_data: [['token', new Secret('once')]] } }, 'once'],
    ['an object from a program', { context: { prompt_data: { token: 'once' } } }, 'once'],
    ['a bad itoken is not made good by another', { query: { itoken: 'bad', token: 'good' } }, null],
  ])('IN-1: %s', async (_, options, uuid) => {
    const outcome = await enter(options);
    if (uuid === null) expect(outcome).toEqual(denied);
    else expect(outcome).toMatchObject({ context: { invitation: { pk: uuid }, prompt_data: [] } });
  });

  test.each(['made-up', 'used', 'late', 'foreign', 'once ', 'a-b', 'x'.repeat(5_000), ''])(
    'IN-2, IN-3, CVE-2022-23555: %s is denied, or left out with the flag',
    async (itoken) => {
      expect(await enter({ query: { itoken } })).toEqual(denied);
      expect(await enter({ query: { itoken }, config: free })).toEqual({ kind: 'pass' });
    },
  );

  test.each(['anywhere', 'once', 'often'])('%s opens this flow', async (itoken) => {
    expect(await enter({ query: { itoken } })).toMatchObject({ context: { invitation_in_effect: true } });
  });

  test('a second stage merges nothing twice and claims nothing twice', async () => {
    const query = { itoken: 'good' };
    const first = await enter({ query });
    const context = first.kind === 'pass' ? (first.context ?? {}) : {};
    expect(await enter({ query, context })).toEqual({ kind: 'pass' });
    expect(await enter({ context })).toEqual({ kind: 'pass' });
    expect(await enter({ context, flow: { slug: 'another-flow', designation: 'enrollment' } })).toEqual(denied);
  });

  test('W34: what this run used up is good for it when it begins again, and is not used again', async () => {
    const effect = { kind: 'invitation.use', uuid: 'used' } as const;
    const claim: Claim = { effect, event: { action: 'invitation_used', context: {} }, otherwise: '', used: true };
    const outcome = await enter({ query: { itoken: 'used' }, context: { 'doorward/claims': [claim] } });
    expect(outcome).toMatchObject({ context: { invitation_in_effect: true, 'doorward/claims': [claim] } });
  });

  describe('IN-4: fixed data and what was there', () => {
    const merged = async (prompt_data: unknown, fixed: Invitation['fixedData']) => {
      const given = { token: invited('given', { fixedData: fixed }) };
      const context = { prompt_data } as NonNullable<DeskOptions['context']>;
      const outcome = await enter({ query: { itoken: 'token' }, invitations: given, context });
      return (outcome as { context: Record<string, unknown> }).context;
    };

    test('wins, under whichever name a prompt asked for it', async () => {
      const asked = [
        ['username', 'eve'],
        ['attributes_team', 'theirs'],
        ['attributes.role', 'user'],
        ['attributes.role.of', 'x'],
        ['name', 'Eve'],
      ];
      const { prompt_data } = await merged(asked, {
        username: 'ada',
        'attributes.role': 'guest',
        attributes: { team: 'a' },
      });
      expect(prompt_data).toEqual([
        ['name', 'Eve'],
        ['username', 'ada'],
        ['attributes.role', 'guest'],
        ['attributes.team', 'a'],
      ]);
    });

    test('is written into an object around it, and takes the place of a text there', async () => {
      const around = [
        ['attributes.home', { zip: 1 }],
        ['attributes', { motto: 'x' }],
      ];
      expect((await merged(around, { 'attributes.home': { city: 'London' } })).prompt_data).toEqual([
        ...around,
        ['attributes.home.city', 'London'],
      ]);
      const { prompt_data } = await merged([['attributes.home', 'a text']], {
        attributes: { home: { city: 'London' } },
      });
      expect(prompt_data).toEqual([['attributes.home.city', 'London']]);
    });

    test('appends lists; what a visitor began does not count as the invitation’s', async () => {
      const context = await merged([['attributes.teams', ['own']]], { 'attributes.teams': ['given'], extra: [1] });
      expect(context).toMatchObject({
        prompt_data: [
          ['attributes.teams', ['own', 'given']],
          ['extra', [1]],
        ],
        'doorward/fixed': ['attributes.teams', 'extra'],
        'doorward/origins': [{ keys: ['extra'] }],
      });
    });

    test('merges objects that are no attributes', async () => {
      const { prompt_data } = await merged([['extra', { a: [1], b: { c: 1 } }]], { extra: { a: [2], b: { d: 2 } } });
      expect(prompt_data).toEqual([['extra', { a: [1, 2], b: { c: 1, d: 2 } }]]);
    });
  });
});
