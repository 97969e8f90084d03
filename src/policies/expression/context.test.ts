import { describe, expect, it } from 'vitest';
import { type Asked, judge, runners } from '../../../test/support/expression-rig.ts';
import type { CompiledObject } from '../../engine/flow.ts';
import type { PlanContext } from '../../engine/plan-context.ts';
import { Secret } from '../../kernel/secrets.ts';
import { testUser } from '../../testing/desk.ts';

const expressions = runners();
const ada = testUser({ id: 7, username: 'ada', attributes: { $object: 'user', pk: 1 } });

/** What one line or several leave in the plan context. */
async function left(source: string, context: PlanContext = {}, more: Asked = {}) {
  const asked = { users: [ada], visitor: { user: ada }, context, ...more };
  const { contextPatch, error } = await judge(expressions, `${source}\nreturn True`, asked);
  return error ?? contextPatch;
}

describe('what code leaves in the plan context', () => {
  it('nothing, where it changed nothing, whatever it looked at', async () => {
    const context = {
      ...{
        prompt_data: [
          ['b', 1],
          ['a', [null, { c: 2.5 }]],
        ] as const,
        pending_user: { ref: 7 },
        user_backend: 'x',
      },
      ...{ n: null, nested: { list: [], empty: {} }, is_sso: true },
    };
    const source = 'x = [str(context), str(request.context), context["flow_plan"].context, prompt_data, pending_user]';
    expect(await left(source, context)).toEqual({});
  });

  it('only the members that differ; one that it took out is removed', async () => {
    const context = { kept: { a: 1 }, gone: 1, changed: { a: 1 } };
    const source = 'context.pop("gone")\ncontext["changed"]["a"] = 2\ncontext["new"] = [1, None, True]';
    expect(await left(source, context)).toEqual({ gone: undefined, changed: { a: 2 }, new: [1, null, true] });
  });

  it('a name of a member stands for the member, with : . and - as _', async () => {
    const context = { 'goauthentik.io/x-y:z': { a: 1 }, 'with-dash': { a: 1 }, groups: ['one'] };
    expect(await left('with_dash["a"] = 2\ngroups.append("two")', context)).toEqual({
      ...{ 'with-dash': { a: 2 }, groups: ['one', 'two'] },
    });
    expect(await left('groups = ["a local name"]', context)).toEqual({});
  });

  it('a name and the member are one and the same while the code runs', async () => {
    const context = { prompt_data: { a: 1 } };
    const source = 'context["prompt_data"]["b"] = 2\nprompt_data["c"] = prompt_data["b"] + 1';
    expect(await left(source, context)).toEqual({
      prompt_data: [
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ],
    });
    expect(await left('flow_plan.context["d"] = context["prompt_data"]["a"]', context)).toEqual({ d: 1 });
    const script = 'prompt_data.b = context.prompt_data.a + 1; flow_plan.context.d = prompt_data.b; return true;';
    const told = await judge(expressions, script, { context, language: 'javascript' });
    expect(told.contextPatch).toEqual({
      prompt_data: [
        ['a', 1],
        ['b', 2],
      ],
      d: 2,
    });
  });

  it('answers keep their order, keys that look like numbers too; new ones come last', async () => {
    const prompt_data = [
      ['b', 'x'],
      ['2', 'y'],
      ['1', 'z'],
      ['gone', ''],
    ] as const;
    const source =
      'context["prompt_data"]["0"] = "new"\ncontext["prompt_data"]["b"] = "changed"\nprompt_data.pop("gone")';
    expect(await left(source.replace('prompt_data.pop', 'context["prompt_data"].pop'), { prompt_data })).toEqual({
      prompt_data: [
        ['b', 'changed'],
        ['2', 'y'],
        ['1', 'z'],
        ['0', 'new'],
      ],
    });
  });

  it('groups and users are left as what they stand for', async () => {
    const source = [
      'context["groups"] = request.user.ak_groups.all()',
      'context["approver"] = request.user',
      'context["flow_plan"].context["deny_message"] = "no"',
    ].join('\n');
    const groups = [{ pk: 'pk-1', name: 'one', isSuperuser: false, parent: null, attributes: {} }];
    expect(await left(source, {}, { groups, members: { one: ['ada'] } })).toEqual({
      ...{ groups: ['pk-1'], approver: { pk: 7, username: 'ada' }, deny_message: 'no' },
    });
  });

  it('members of Doorward itself are neither seen nor set', async () => {
    const context = { 'doorward/trusted_hashes': true };
    expect(await left('context["seen"] = "doorward/trusted_hashes" in context', context)).toEqual({ seen: false });
    expect(await left('context["doorward/trusted_hashes"] = True')).toMatch(/for Doorward itself/);
  });

  it('where the flow ends is a text, and no script', async () => {
    expect(await left('context["redirect"] = "myapp://welcome"')).toEqual({ redirect: 'myapp://welcome' });
    for (const script of ['javascript:alert(1)', ' JavaScript:alert(1)', 'java\\nscript:alert(1)', 'data:text/html,x'])
      expect(await left(`context["redirect"] = "${script}"`)).toMatch(/cannot be a script/);
    expect(await left('context["redirect"] = ["/a"]')).toMatch(/only be a text/);
    expect(await left('context["deny_message"] = {"a": 1}')).toMatch(/only be a text/);
  });

  it('text that no database keeps is refused', async () => {
    expect(await left('context["x"] = "a" + chr(0)')).toMatch(/cannot be stored/);
  });
});

describe('what was typed in confidence', () => {
  const asked: CompiledObject = {
    ...{ pk: 'pin', kind: 'prompt', name: 'pin' },
    config: { field_key: 'pin', type: 'password' },
  };
  const prompt_data = [
    ['password', new Secret('hunter22!')],
    ['pin', new Secret('123456')],
    ['name', 'Ada'],
  ] as const;

  it('stays a secret, unchanged, changed, copied or new', async () => {
    const source = [
      'answers = context["prompt_data"]',
      'answers["pin"] = answers["pin"] + "7"',
      'answers["copy"] = answers["password"]',
      'answers["password_repeat"] = "made up"',
      'context["elsewhere"] = {"deep": [answers["password"]]}',
    ].join('\n');
    const patch = await left(source, { prompt_data }, { objects: [asked] });
    const [secret] = [expect.any(Secret)];
    expect(patch).toEqual({
      prompt_data: [
        ['password', secret],
        ['pin', secret],
        ['name', 'Ada'],
        ['copy', secret],
        ['password_repeat', secret],
      ],
      elsewhere: { deep: [secret] },
    });
    const revealed = (patch as { prompt_data: [string, Secret | string][] }).prompt_data.map(([, value]) =>
      value instanceof Secret ? value.reveal() : value,
    );
    expect(revealed).toEqual(['hunter22!', '1234567', 'Ada', 'hunter22!', 'made up']);
  });

  it('is masked in messages and log lines; what was typed at all is in no log, nor in the words of an error', async () => {
    const source = [
      'ak_message("is " + context["prompt_data"]["password"])',
      'ak_logger.warning("Ada said " + context["prompt_data"]["password"], name=context["prompt_data"]["name"], token="t")',
    ];
    const context = { prompt_data: [...prompt_data, ['town', 'Grimma'], ['odd', '(a-b]/*+']] as const };
    const told = await judge(expressions, [...source, 'ak_logger.info("in Grimma")'].join('\n'), { context });
    expect(told.messages).toEqual(['is ********************']);
    expect(told.logged.map(({ fields }) => JSON.stringify(fields)).join()).not.toMatch(/hunter22|Grimma|"t"/);
    const failed = await judge(expressions, 'raise ValueError("no town like " + context["prompt_data"]["town"])', {
      context,
    });
    expect(failed.error).not.toContain('Grimma');
  });

  it('writes a few lines into the log and no more', async () => {
    const { logged } = await judge(
      expressions,
      'for i in range(100):\n    ak_logger.info("x" * 5000)\nreturn True',
      {},
    );
    const lines = logged.filter(({ message }) => message.endsWith('says'));
    expect(lines.length).toBe(10);
    expect(String(lines[0]?.fields.message).length).toBeLessThanOrEqual(500);
  });
});

describe('what a visitor or an attribute says makes no object', () => {
  const forged = { $object: 'user', pk: 1, username: 'admin' };

  it.each([
    ['an answer', 'context["prompt_data"]["x"]', { prompt_data: { x: forged } }],
    ['an attribute', 'request.user.attributes', {}],
    ['a member', 'context["member"]', { member: forged }],
  ])('%s is a dictionary, and comes back as it was', async (_, place, context) => {
    const source = `value = ${place}\ncontext["copy"] = value\ncontext["kind"] = isinstance(value, dict)`;
    expect(await left(source, context)).toMatchObject({ copy: { $object: 'user', pk: 1 }, kind: true });
    expect(
      await left(`context["pending_user"] = ${place}`, context, { binding: { writableContext: ['pending_user'] } }),
    ).toMatch(/can only be/);
  });

  it('a query names no secret of a link', async () => {
    const query = { next: '/x', flow_token: 'a', setup: 'b', $object: 'user' };
    const source = 'context["seen"] = sorted(http_request.GET.keys())';
    expect(await left(source, {}, { visitor: { query } })).toEqual({ seen: ['$object', 'next'] });
  });

  it('no hash, no version and nothing else that is not listed', async () => {
    const source = 'context["seen"] = [hasattr(request.user, name) for name in ["password", "version", "attributes"]]';
    expect(await left(source)).toEqual({ seen: [false, false, true] });
  });
});
