import { describe, expect, it } from 'vitest';
import { type Asked, judge, runners } from '../../../test/support/expression-rig.ts';
import { openServer } from '../../../test/support/local-servers.ts';
import { testGroup } from '../../../test/support/user-write-rig.ts';
import { createExpressionHosts } from '../../adapters/expression-hosts.ts';
import type { Authenticator } from '../../engine/authenticator.ts';
import type { Effect } from '../../engine/effects.ts';
import { Secret } from '../../kernel/secrets.ts';
import { deskTime, testUser } from '../../testing/desk.ts';
import { expression } from './policy.ts';

const expressions = runners();
const ada = testUser({
  ...{ id: 7, username: 'ada', name: 'Ada', email: 'ada@example.com', path: 'users/staff' },
  attributes: { upn: 'ada@corp', settings: { locale: 'de' }, tags: ['own'] },
});
const twin = testUser({ id: 8, username: 'twin', email: 'ADA@example.com' });
const groups = [
  testGroup('engineers', { parent: 'pk-everybody', attributes: { tags: ['engine'], floor: 2 } }),
  testGroup('everybody', { isSuperuser: true, attributes: { floor: 1, tags: ['all'] } }),
];
const app: Authenticator = {
  ...{ uuid: 'app', userId: ada.id, kind: 'totp', name: 'App', createdAt: 0, lastUsedAt: null, credential: null },
  ...{ secret: null, data: {}, counter: 0, codesLeft: 0 },
};
const known: Asked = {
  ...{ users: [ada, twin], groups, members: { engineers: ['ada'] }, passwords: { ada: 'x' } },
  authenticators: [app],
  visitor: { user: ada, query: { next: '/there', flow_token: 'secret-token', setup: 'secret-setup' } },
};

async function passes(source: string, asked: Asked = known): Promise<boolean | string> {
  const { passing, error } = await judge(expressions, source, asked);
  return error ?? passing;
}

/* The reference's tests of expression policies, by their names (flow-engine.md 8). */
describe('the reference’s tests', () => {
  it('full: every variable and many helpers at once', async () => {
    const source = [
      'ak_message("test")',
      'ak_logger.info("here", user=request.user.username)',
      'if ak_is_sso_flow or request.debug:',
      '    return False',
      'return regex_match(str(ak_client_ip), r"^192\\.0\\.2\\.\\d+$") and http_request.user.username == "ada"',
    ].join('\n');
    expect(await judge(expressions, source, known)).toMatchObject({ passing: true, messages: ['test'], error: null });
  });

  it('valid', async () => expect(await passes('return True')).toBe(true));

  it('messages, in their order', async () => {
    const { messages } = await judge(expressions, 'ak_message("one")\nak_message("two")\nreturn False', known);
    expect(messages).toEqual(['one', 'two']);
  });

  it('syntax error and validate ±: said when it is saved, with the line', async () => {
    const problems = async (source: string) => {
      const config = { expression: source, language: 'python', execution_logging: false } as const;
      return (await expression.problems?.(config, { expressions }))?.map(({ member, text }) => `${member}: ${text}`);
    };
    expect(await problems('return True')).toEqual([]);
    expect(await problems('x = 1\nreturn (')).toEqual([expect.stringMatching(/^expression: .*line 2/)]);
  });

  it('a condition in JavaScript that forgets await is refused: a promise is always true', async () => {
    const problems = async (source: string) => {
      const config = { expression: source, language: 'javascript', execution_logging: false } as const;
      return (await expression.problems?.(config, { expressions }))?.map(({ text }) => text);
    };
    for (const source of [
      'if (!ak_is_group_member(request.user, { name: "a" })) return false;\nreturn true',
      'if (true &&\n ak_call_policy("x").passing) return true',
      'const user = ak_user_by({ pk: 1 })',
      'if (request.user.has_usable_password()) return true',
      'return !user.ak_groups.filter({ name: "a" }).exists() || (user.groups.all().length)',
    ])
      expect([source, await problems(source)]).toEqual([source, [expect.stringMatching(/^line [12]: .*write await/)]]);
    for (const source of [
      'if (!(await ak_is_group_member(request.user, { name: "a" }))) return false',
      'return ak_is_group_member(request.user, { name: "a" })',
      'const [one, two] = await Promise.all([ak_user_by({ pk: 1 }), ak_user_by({ pk: 2 })])',
      'return (await request.user.ak_groups.all()).length > 0 && Object.keys(context).first === undefined',
    ])
      expect([source, await problems(source)]).toEqual([source, []]);
  });

  it('logging: an event with what was decided, nothing typed in confidence in it, about whom it was', async () => {
    const context = { prompt_data: [['password', new Secret('a secret of ada')] as const] };
    const asked = { ...known, context, logging: true };
    const source = 'ak_message("your word is " + context["prompt_data"]["password"])\nreturn {1, 2} == {2, 1}';
    const { effects, messages, passing } = await judge(expressions, source, asked);
    expect([passing, messages]).toEqual([true, ['your word is ********************']]);
    expect(eventsOf(effects)).toEqual([
      {
        ...{ action: 'policy_execution', user: { pk: 7, username: 'ada' }, flow: 'test-flow', address: '192.0.2.1' },
        ...{ requestId: 'request-1', at: deskTime },
        context: { policy: 'the policy', passing: true, messages, sets: [], by: 'policy "the policy"' },
      },
    ]);
  });

  it('anonymous logging', async () => {
    const { effects } = await judge(expressions, 'return request.user.is_anonymous', { logging: true });
    expect(eventsOf(effects)).toMatchObject([{ user: null, context: { passing: true } }]);
  });

  it('raises: an event policy_exception, and no words of what went wrong in it', async () => {
    const { failed, effects, error } = await judge(expressions, 'return 1 / 0', known);
    expect([failed, error]).toEqual([true, expect.stringContaining('ZeroDivisionError')]);
    expect(eventsOf(effects)).toMatchObject([{ action: 'policy_exception' }]);
  });

  it('call_policy: the order of messages is path, path, path', async () => {
    const source = [
      'ak_message(request.http_request.path)',
      'result = ak_call_policy("other")',
      'for message in result.messages:',
      '    ak_message(message)',
      'ak_message(request.http_request.path)',
      'return result.passing',
    ].join('\n');
    const others = { other: 'ak_message(request.http_request.path)\nreturn True' };
    const { messages, passing } = await judge(expressions, source, { ...known, others });
    const path = '/api/v3/flows/executor/test-flow/';
    expect([messages, passing]).toEqual([[path, path, path], true]);
  });

  it('call_policy of one that does not exist, or calls itself, fails', async () => {
    expect(await passes('return ak_call_policy("missing").passing')).toMatch(/no policy named/);
    const others = { circle: 'return ak_call_policy("circle").passing' };
    expect(await passes('return ak_call_policy("circle").passing', { ...known, others })).toMatch(/5 deep/);
  });
});

describe('what stands in the reference’s own files (blueprints-and-expressions.md 1.10), in our words', () => {
  const plan = 'plan = request.context.get("flow_plan")\nif plan is None:\n    return True\n';
  const backend = `${plan}return not hasattr(plan.context.get("pending_user"), "backend")`;
  const change = [
    'from authentik.core.models import (',
    '    USER_ATTRIBUTE_CHANGE_EMAIL,',
    '    USER_ATTRIBUTE_CHANGE_NAME,',
    '    USER_ATTRIBUTE_CHANGE_USERNAME',
    ')',
    'answers = request.context.get("prompt_data")',
    'allowed = request.user.group_attributes(request.http_request)',
    'if not allowed.get(USER_ATTRIBUTE_CHANGE_EMAIL, request.http_request.tenant.default_user_change_email):',
    '    if answers.get("email") != request.user.email:',
    '        ak_message("the address stays")',
    '        return False',
    'return True',
  ].join('\n');
  const prefill =
    'person = ak_user_by(username="ada")\nif person:\n    context["flow_plan"].context["pending_user"] = person\n';

  it.each<[string, string, Partial<Asked>, boolean]>([
    ['no backend yet: the password is asked', backend, { context: { pending_user: { ref: 7 } } }, true],
    ['a backend: it is not', backend, { context: { pending_user: { ref: 7 }, user_backend: 'x' } }, false],
    ['no sso', 'return ak_is_sso_flow', {}, false],
    ['sso', 'return ak_is_sso_flow', { context: { is_sso: true } }, true],
    ['a missing answer', "return 'username' not in context.get('prompt_data', {})", {}, true],
    [
      'an answer',
      "return 'username' not in context.get('prompt_data', {})",
      { context: { prompt_data: { username: 'x' } } },
      false,
    ],
    ['settings: the same address', change, { context: { prompt_data: { email: 'ada@example.com' } } }, true],
    ['settings: another address', change, { context: { prompt_data: { email: 'new@example.com' } } }, false],
    ['a usable password', 'person = ak_user_by(username="ada")\nreturn person.has_usable_password()', {}, true],
    ['no usable password', 'return ak_user_by(username="twin").has_usable_password()', {}, false],
    ['no such user', 'return ak_user_by(username="nobody") is None', {}, true],
    ['an app password', 'return context.get("auth_method") != "app_password"', { context: { auth_method: 'x' } }, true],
    ['restored', "return bool(request.context.get('is_restored', True))", {}, true],
    [
      'list_flatten',
      'return list_flatten(context["ldap"]["cn"]) == "a"',
      { context: { ldap: { cn: ['a', 'b'] } } },
      true,
    ],
    ['groups', 'return [one.name for one in request.user.ak_groups.all()] == ["engineers"]', {}, true],
    ['a generator', 'for one in request.user.ak_groups.all():\n    yield one.name', {}, true],
    ['a dictionary', 'return {"name": request.user.name, "groups": []}', {}, true],
    ['an empty dictionary', 'return {}', {}, false],
    ['a tuple by its comma', 'return request.user.name,', {}, true],
    ['parts', 'first, _, last = "Ada Lovelace".partition(" ")\nreturn slugify(last) == "lovelace"', {}, true],
    ['a locale', 'return request.user.locale() == "de"', {}, true],
    ['upper, rsplit', 'return "a@b@C".rsplit("@", 1)[-1].lower() == "c"', {}, true],
    ['skipping', 'raise SkipObject', {}, false],
    ['nested f-string', 'd = {"o": "x"}\nreturn f"{d["o"]}/{"y".upper()}" == "x/Y"', {}, true],
    ['regex_replace', 'return regex_replace("a1b2", r"\\d", "") == "ab"', {}, true],
    [
      'addresses',
      'return ak_client_ip in ip_network("192.0.2.0/24") and not ip_address("8.8.8.8").is_private',
      {},
      true,
    ],
  ])('%s', async (_, source, more, expected) => {
    expect(await passes(source, { ...known, ...more })).toBe(expected);
  });

  it('the pending user is set where the binding allows it', async () => {
    const binding = { writableContext: ['pending_user'] };
    const result = await judge(expressions, `${prefill}return True`, { ...known, binding });
    expect(result).toMatchObject({ passing: true, contextPatch: { pending_user: { ref: 7 } } });
    expect(await passes(`${prefill}return True`)).toMatch(/writable_context/);
  });

  it('a flow cannot be changed from code, and the error says what to do', async () => {
    const source = [
      'from authentik.flows.models import Flow, FlowAuthenticationRequirement',
      'Flow.objects.filter(slug="initial-setup").update(',
      '    authentication=FlowAuthenticationRequirement.REQUIRE_SUPERUSER',
      ')',
      'return True',
    ].join('\n');
    expect(await passes(source)).toMatch(/expressions change no flows/);
  });
});

describe('other servers', () => {
  it('are asked where the administrator names them: GET with a query, POST with JSON', async () => {
    const seen: string[] = [];
    const { origin: at, close } = await openServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push(`${request.method} ${request.url} ${request.headers['x-key'] ?? ''} ${body}`);
      response.writeHead(request.url === '/no' ? 404 : 200).end('{"allowed": true}');
    });
    const expressionHosts = createExpressionHosts(['127.0.0.1'], 60_000);
    try {
      const source = [
        `found = requests.get("${at}/a", params={"mail": "a@b.c"}, headers={"X-Key": "k"})`,
        `made = requests.post("${at}/b", json={"name": request.user.name})`,
        `missing = requests.get("${at}/no")`,
        'return found.status_code == 200 and found.json()["allowed"] and made.ok and missing.status_code == 404',
      ].join('\n');
      expect(await passes(source, { ...known, expressionHosts })).toBe(true);
      expect(seen).toEqual(['GET /a?mail=a%40b.c k ', 'POST /b  {"name":"Ada"}', 'GET /no  ']);
      const caught = 'try:\n    requests.get("http://127.0.0.1:1/")\nexcept Exception:\n    return True';
      expect(await passes(caught, { ...known, expressionHosts })).toBe(true);
    } finally {
      await close();
    }
  });

  it('are refused otherwise, whatever the code catches, in words that say how to allow them', async () => {
    const expressionHosts = createExpressionHosts([]);
    for (const call of ['requests.get("https://example.com/")', 'resolve_dns("example.com")', 'reverse_dns("8.8.8.8")'])
      expect(
        await passes(`try:\n    ${call}\nexcept Exception:\n    pass\nreturn True`, { ...known, expressionHosts }),
      ).toMatch(/DOORWARD_EXPRESSION_HOSTS/);
  });
});

describe('users and groups', () => {
  it.each([
    ['by pk', 'return ak_user_by(pk=7).username == "ada"', true],
    ['by address, without case', 'return User.objects.filter(email="Ada@Example.com").count() == 2', true],
    ['by address, several', 'return ak_user_by(email="ada@example.com")', 'several users match'],
    ['by more', 'return ak_user_by(username="ada", attributes__settings__locale="de").pk == 7', true],
    ['by more that does not hold', 'return ak_user_by(username="ada", name__startswith="B") is None', true],
    ['by what has no index', 'return ak_user_by(attributes__upn="ada@corp")', 'looked up by pk, username or email'],
    ['by what no user has', 'return ak_user_by(username="ada", shoe_size=1)', 'no "shoe_size" to filter by'],
    ['a group by name', 'return Group.objects.filter(name="engineers").first().pk == "pk-engineers"', true],
    ['no such group', 'return Group.objects.filter(name="nobody").exists()', false],
    ['a member', 'return ak_is_group_member(request.user, name="engineers")', true],
    ['a member of a descendant', 'return ak_is_group_member(request.user, name="everybody")', true],
    ['no member', 'return ak_is_group_member(ak_user_by(username="twin"), name="engineers")', false],
    ['nobody', 'return ak_is_group_member(context["pending_user"], name="engineers")', false],
    ['own groups', 'return request.user.ak_groups.filter(name="everybody").exists()', false],
    ['a superuser by an ancestor', 'return request.user.is_superuser', true],
    ['attributes: deep, by name of the group, lists joined', attributes(), true],
    ['an authenticator', 'return ak_user_has_authenticator(request.user)', true],
    ['one of that kind', 'return ak_user_has_authenticator(request.user, "totp")', true],
    ['none of another kind', 'return ak_user_has_authenticator(request.user, device_type="webauthn")', false],
    ['no authenticator', 'return ak_user_has_authenticator(ak_user_by(username="twin"))', false],
    ['no authenticator of nobody', 'return ak_user_has_authenticator(context["pending_user"])', false],
  ])('%s', async (_, source, expected) => {
    const lines = source.includes('.objects') ? `from authentik.core.models import User, Group\n${source}` : source;
    const context = { pending_user: { decoy: true, typed: 'who' } as const };
    const result = await passes(lines, { ...known, context });
    if (typeof expected === 'string') expect(result).toContain(expected);
    else expect(result).toBe(expected);
  });

  function attributes(): string {
    const merged = '{"tags": ["engine", "all", "own"], "floor": 1, "upn": "ada@corp", "settings": {"locale": "de"}}';
    return `return request.user.group_attributes() == ${merged}`;
  }
});

function eventsOf(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.kind === 'event' ? [effect.event] : []));
}
