import { describe, expect, it } from 'vitest';
import type { Json } from '../../kernel/json.ts';
import { rig } from './expressions-rig.ts';

const { result, failure, check, asked } = rig('python');

const user: Json = {
  ...{ $object: 'user', username: 'ada', name: 'Ada L', email: 'ada@example.com' },
  attributes: { settings: { locale: 'de' } },
  ak_groups: { $object: 'user.ak_groups' },
};

type Case = [what: string, source: string, expected: Json, variables?: Readonly<Record<string, Json>>];

describe('what it returns', () => {
  it.each<Case>([
    ['a value', 'return 1 + 1', 2],
    ['None', 'return None', null],
    ['nothing', 'x = 1', null],
    ['comments alone', '# nothing\n', null],
    ['a tuple', 'return (1, "a"),', [[1, 'a']]],
    ['a dictionary in its order', 'return {"z": 1, "a": {"y": None, "b": True}}', { z: 1, a: { y: null, b: true } }],
    ['a time', 'from datetime import datetime\nreturn datetime(2024, 2, 3, 4, 5, 6)', '2024-02-03T04:05:06'],
    ['a text over lines, not indented', 'x = """a\n  b\n"""\nreturn x', 'a\n  b\n'],
    ['a name that is __proto__', 'return {"__proto__": {"a": 1}}', JSON.parse('{"__proto__": {"a": 1}}') as Json],
  ])('%s', async (_, source, expected) => {
    expect(JSON.stringify(await result(source))).toBe(JSON.stringify(expected));
  });

  it.each([
    ['a function', 'return len'],
    ['bytes', 'return b"a"'],
    ['a whole number beyond those of JSON', 'return 2 ** 64'],
  ])('%s is an error', async (_, source) => {
    expect(await failure(source)).toMatch(/passed on/);
  });
});

describe('expressions of the reference, by their forms', () => {
  it.each<Case>([
    ['a flag', 'return ak_is_sso_flow', true, { ak_is_sso_flow: true }],
    ['a key that is missing', "return 'name' not in context.get('prompt_data', {})", true, { context: {} }],
    ['a user that is unknown', 'try:\n    return user.name\nexcept:\n    return ""', ''],
    ['a user that is known', 'try:\n    return user.name\nexcept:\n    return ""', 'Ada L', { user }],
    ['an attribute on its way', 'return user.attributes.get("settings", {}).get("locale", "")', 'de', { user }],
    [
      'the backend of a pending user',
      'plan = request.context.get("flow_plan")\nwho = plan.context.get("pending_user")\nreturn not hasattr(who, "backend")',
      true,
      { request: { $object: 'request' }, context: { flow_plan: { $object: 'flow_plan' }, pending_user: user } },
    ],
    ['truth of what may be missing', "return bool(request.context.get('is_restored', True))", true, request({})],
    [
      'LDAP values',
      'return {"email": list_flatten(ldap.get("mail")), "no": ldap.get("x")}',
      { email: 'a', no: null },
      { ldap: { mail: ['a', 'b'] } },
    ],
    [
      'parts of a name',
      'first, _, last = user.name.partition(" ")\nreturn [first, last.strip()]',
      ['Ada', 'L'],
      { user },
    ],
    [
      'a path of a distinguished name, with texts in texts',
      'parts = dn.lower().split(",")\nparts.reverse()\nreturn f"{"/".join([p.partition("=")[2] for p in parts if p.startswith("ou=")])}/{dn!r:.3}"',
      "b/a/'CN",
      { dn: 'CN=x,OU=A,OU=B' },
    ],
    ['what it yields', 'for group in ["a", "b"]:\n    yield group.upper()\nyield from [1]\nyield', ['A', 'B', 1, null]],
    ['a tuple by a trailing comma', 'return {"a": 1},', [{ a: 1 }]],
    ['rsplit, upper and startswith', 'return dn.rsplit("@", 1)[1].upper().startswith("X")', true, { dn: 'a@x.y' }],
    [
      'functions of its own',
      'def twice(x, by=2):\n    return x * by\nreturn [twice(2), (lambda *a, **k: a[0] + k["b"])(1, b=2)]',
      [4, 3],
    ],
    ['a comprehension', 'return {k: v for k, v in sorted({"b": 1, "a": 2}.items()) if v != 3}', { a: 2, b: 1 }],
    [
      'getattr with a default',
      'return [getattr(user, "phone", None), getattr(user, "name")]',
      [null, 'Ada L'],
      { user },
    ],
    [
      'an attribute that is missing',
      'try:\n    return user.phone\nexcept AttributeError:\n    return "none"',
      'none',
      { user },
    ],
    ['an object that is changed', 'user.name = "B"\nreturn user', { ...(user as object), name: 'B' } as Json, { user }],
  ])('%s', async (_, source, expected, variables) => {
    expect(JSON.stringify(await result(source, variables))).toBe(JSON.stringify(expected));
  });
});

describe('context, request.context and flow_plan.context are one', () => {
  const variables = { ...request({ a: 1, flow_plan: { $object: 'flow_plan' } }) };
  it('a write through one is seen in the others, and comes back', async () => {
    const source = [
      'request.context["b"] = 2',
      'context["flow_plan"].context["c"] = context["b"] + 1',
      'context["d"] = request.context["flow_plan"].context["c"] + 1',
      'return [context is request.context, context is context["flow_plan"].context]',
    ].join('\n');
    const { result, variables: after } = await asked(source, [], variables);
    expect(result).toEqual([true, true]);
    expect(JSON.stringify(after)).toBe(
      JSON.stringify({ context: { a: 1, flow_plan: { $object: 'flow_plan' }, b: 2, c: 3, d: 4 } }),
    );
  });

  it('a user that the server gives can be kept in it', async () => {
    const { variables: after } = await asked('context["pending_user"] = ak_user_by(username="x")', [user], variables);
    expect(after.context).toMatchObject({ pending_user: user });
  });

  it('what an expression takes out is gone', async () => {
    const { variables: after } = await asked('context.pop("a")', [], variables);
    expect(after.context).not.toHaveProperty('a');
  });
});

describe('what the source does not name does not cross', () => {
  it('variables, and objects of the request', async () => {
    const variables = { ...request({ a: 1 }), other: { x: 1 } };
    const { variables: after } = await asked('return request.context', [], variables);
    expect(Object.keys(after)).toEqual(['context']);
    expect(await result('return str(request)', variables)).not.toContain('ada');
  });

  it('names that Python cannot have do not disturb', async () => {
    expect(await result('return 1 if a in [1] else 2', { a: 1, in: 2, if: 3, __expression__: 4 })).toBe(1);
  });
});

describe('helpers', () => {
  it.each<Case>([
    ['regex_match looks anywhere', 'return [regex_match("ada@b.c", "@b"), regex_match("x", "^y")]', [true, false]],
    ['regex_replace', 'return regex_replace("a-b-c", "-(.)", r"_\\1")', 'a_b_c'],
    ['list_flatten', 'return [list_flatten(["z", 1]), list_flatten([]), list_flatten("x")]', ['z', null, 'x']],
    ['slugify', 'return slugify("  Ünïcode & Sons__ -x ")', 'unicode-sons__-x'],
    [
      'addresses in networks',
      'return [a in ip_network("10.0.0.0/8") for a in [ip_address("10.1.2.3"), ip_address("11.0.0.1"), ip_address("::1")]]',
      [true, false, false],
    ],
    ['addresses not in networks', 'return ip_address("11.0.0.1") not in ip_network("10.0.0.0/8") and True', true],
    ['the address of the visitor', 'return ak_client_ip in ip_network("fd00::/8")', true, { ak_client_ip: 'fd12::1' }],
    [
      'what addresses are',
      'return [[ip_address(a).is_private, ip_address(a).is_loopback, ip_address(a).version] for a in ["192.168.0.1", "::1", "8.8.8.8"]]',
      [
        [true, false, 4],
        [true, true, 6],
        [false, false, 4],
      ],
    ],
    [
      'addresses as texts',
      'a = ip_address("2001:db8:0:0:1:0:0:1")\nreturn [str(a), f"<{a}>", "%s" % a, "{}".format(a), str(ip_network("10.0.0.0/255.0.0.0"))]',
      ['2001:db8::1:0:0:1', '<2001:db8::1:0:0:1>', '2001:db8::1:0:0:1', '2001:db8::1:0:0:1', '10.0.0.0/8'],
    ],
    [
      'addresses compared',
      'return [ip_address("10.0.0.2") < ip_address("10.0.0.10"), ip_address("::1") == ip_address("0::1"), ip_address("1.1.1.1") in [ip_address("1.1.1.1")]]',
      [true, true, true],
    ],
    [
      'an address that is none',
      'try:\n    return ip_address("10.0.0.256")\nexcept ValueError as e:\n    return str(e)',
      "'10.0.0.256' does not appear to be an IPv4 or IPv6 address",
    ],
    [
      'a network with bits of a host',
      'try:\n    return ip_network("10.0.0.1/8")\nexcept ValueError:\n    return str(ip_network("10.0.0.1/8", strict=False))',
      '10.0.0.0/8',
    ],
  ])('%s', async (_, source, expected, variables) => {
    expect(await result(source, variables)).toEqual(expected);
  });

  it.each([
    [
      '@example\\.com$',
      ['a@example.com', 'a@example.com\n', 'a@example.com\n\n', 'a@example.comx'],
      [true, false, false, false],
    ],
    ['^[a-z0-9._-]+@', ['ada.l@x', 'Ada@x', '@x', 'é@x'], [true, false, false, false]],
    ['\\w+\\s\\d{2}', ['a 12', 'é\u00a012', 'a 1', '- 12'], [true, true, false, false]],
    ['a.c', ['abc', 'a\rc', 'a\nc', 'aéc'], [true, true, false, true]],
    ['^(?:adm|ops)-|root$', ['adm-x', 'xops-', 'a root', 'roots'], [true, false, true, false]],
    ['(a+)+b', ['aab', 'b', 'c', ''], [true, false, false, false]],
    ['(?P<x>a)(?=b)', ['ab', 'ac', '', 'a'], [true, false, false, false]],
    ['[^@]*@{2,}', ['@@', '@', 'a@@', 'a@'], [true, false, true, false]],
    ['\\bada\\b', ['x ada', 'adam', 'ada', '-ada-'], [true, false, true, true]],
  ])('regex_match of %s', async (pattern, texts, expected) => {
    const source = `return [[regex_match(t, p), re.search(p, t) is not None] for t in texts]`;
    const both = await result(`import re\n${source}`, { texts, p: pattern });
    expect(both).toEqual(expected.map((found) => [found, found]));
  });

  it('ak_message collects texts in their order', async () => {
    const { messages } = await asked('ak_message("one")\nfor x in [2, 3]:\n    ak_message(f"{x}")');
    expect(messages).toEqual(['one', '2', '3']);
  });

  it.each([
    [
      'ak_user_by(username="x", email__iexact="y")',
      { name: 'ak_user_by', args: [], named: { username: 'x', email__iexact: 'y' } },
    ],
    ['ak_is_group_member(user, name="staff")', { name: 'ak_is_group_member', args: [user], named: { name: 'staff' } }],
    ['ak_call_policy("other", a=[1])', { name: 'ak_call_policy', args: ['other'], named: { a: [1] } }],
    ['ak_create_event("did", by={"x": 1})', { name: 'ak_create_event', args: ['did'], named: { by: { x: 1 } } }],
    ['ak_user_has_authenticator(user, "totp")', { name: 'ak_user_has_authenticator', args: [user, 'totp'], named: {} }],
    [
      'ak_logger.warning("hm", user=user.username)',
      { name: 'ak_logger', args: ['warning', 'hm'], named: { user: 'ada' } },
    ],
    ['requests.get("https://x", timeout=1)', { name: 'requests.get', args: ['https://x'], named: { timeout: 1 } }],
    [
      'requests.post("https://x", json={"a": 1})',
      { name: 'requests.post', args: ['https://x'], named: { json: { a: 1 } } },
    ],
    ['resolve_dns("x.example")', { name: 'resolve_dns', args: ['x.example'], named: {} }],
    ['reverse_dns("10.0.0.1")', { name: 'reverse_dns', args: ['10.0.0.1'], named: {} }],
    ['user.has_usable_password()', { name: 'user.has_usable_password', args: [user], named: {} }],
    ['user.ak_groups.all()', { name: 'user.ak_groups.all', args: [{ $object: 'user.ak_groups' }], named: {} }],
  ])('%s is answered by the server', async (call, expected) => {
    const { calls, result: answered } = await asked(`return ${call}`, ['fine'], { user });
    expect(calls).toEqual([expected]);
    expect(answered).toBe('fine');
  });

  it('what the server answers may be objects, with methods again', async () => {
    const source = 'return [g.name for g in user.ak_groups.all() if g.has("x")]';
    const groups: Json = [
      { $object: 'group', name: 'a' },
      { $object: 'group', name: 'b' },
    ];
    const { calls, result: answered } = await asked(source, [groups, true, false], { user });
    expect(answered).toEqual(['a']);
    expect(calls.map(({ name }) => name)).toEqual(['user.ak_groups.all', 'group.has', 'group.has']);
  });
});

describe('attributes that are None', () => {
  const nobody: Json = { $object: 'user', pk: 1, last_login: null, manager: { $object: 'user', last_login: null } };
  it.each<[string, string, Readonly<Record<string, Json>>]>([
    ['of a variable', 'return [who.last_login, who.manager.last_login, hasattr(who, "nothing")]', { who: nobody }],
    ['within data', 'return [data["a"][1].last_login, None, False]', { data: { a: [1, nobody] } }],
    ['of what a function returns', 'return [(lambda: ak_user_by(pk=1))().last_login, None, False]', {}],
    [
      'of what a method returns',
      'return [Q.filter(a=1).order_by("x").first().last_login, None, False]',
      { Q: { $object: 'Q', objects: null } },
    ],
    [
      'of what get returns',
      'x = Q.get(a=1)\nreturn [x.last_login if x else 0, f"{Q.get(a=2).last_login!r}" == "x", False]',
      { Q: { $object: 'Q' } },
    ],
  ])('%s', async (_, source, variables) => {
    const query: Json = { $object: 'Q' };
    const answers = source.includes('order_by') ? [query, query, nobody] : [nobody, nobody];
    const answered = (await asked(source, answers, variables)).result as Json[];
    expect(answered).toEqual([null, answered[1] === null ? null : false, false]);
  });

  it('and come back as they are', async () => {
    const context = { pending_user: nobody, a: { $$object: null } };
    const { variables: after } = await asked('context["b"] = 1', [], { context });
    expect(after).toEqual({ context: { ...context, b: 1 } });
  });
});

describe('imports', () => {
  it.each<Case>([
    [
      'modules of the interpreter',
      'import re, json, math\nfrom datetime import timedelta as d\nreturn [bool(re.match("a", "ab")), json.loads("[1]"), math.floor(1.5), d(days=1).days]',
      [true, [1], 1, 1],
    ],
    [
      'constants of the core, over several lines',
      'from authentik.core.models import (\n    USER_ATTRIBUTE_CHANGE_EMAIL,\n    USER_ATTRIBUTE_CHANGE_NAME as NAME, # why\n    USER_PATH_SERVICE_ACCOUNT,\n)\nreturn [USER_ATTRIBUTE_CHANGE_EMAIL, NAME, USER_PATH_SERVICE_ACCOUNT]',
      [
        'goauthentik.io/user/can-change-email',
        'goauthentik.io/user/can-change-name',
        'goauthentik.io/service-accounts',
      ],
    ],
    [
      'kinds of users',
      'from authentik.core.models import UserTypes\nreturn UserTypes.SERVICE_ACCOUNT',
      'service_account',
    ],
    [
      'requirements of flows',
      'from authentik.flows.models import FlowAuthenticationRequirement as F\nreturn F.REQUIRE_SUPERUSER',
      'require_superuser',
    ],
    ['modes of policies', 'from authentik.policies.models import PolicyEngineMode\nreturn PolicyEngineMode.ANY', 'any'],
    ['translations', 'from django.utils.translation import gettext as _\nreturn _("x")', 'x'],
    ['addresses', 'from ipaddress import ip_address as a\nreturn str(a("10.0.0.1"))', '10.0.0.1'],
    [
      'a password profile',
      'from msgraph.generated.models.password_profile import PasswordProfile\nreturn PasswordProfile(password="x")',
      { password: 'x' },
    ],
    [
      'within a function',
      'def f():\n    from authentik.core.models import UserTypes; return UserTypes.INTERNAL\nreturn f()',
      'internal',
    ],
    [
      'the clock',
      'from datetime import datetime, timedelta, timezone, date\nnow = datetime.now()\nreturn [now - timedelta(days=1) < datetime.utcnow(), datetime.now(timezone.utc).isoformat()[-6:], date.today() >= date(2024, 1, 1)]',
      [true, '+00:00', true],
    ],
    [
      'the clock by its module',
      'import datetime\nreturn datetime.datetime.now(tz=datetime.timezone.utc) > datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)',
      true,
    ],
  ])('%s', async (_, source, expected) => {
    expect(await check(source)).toBeNull();
    expect(await result(source)).toEqual(expected);
  });

  it('models: what may be asked of them, the server says', async () => {
    const source =
      'from authentik.flows.models import Flow\nreturn Flow.objects.filter(slug="s").update(authentication="none")';
    const { calls } = await asked(source, [{ $object: 'Flow.query', slug: 's' }, 1]);
    expect(calls).toEqual([
      { name: 'Flow.objects.filter', args: [{ $object: 'Flow.objects' }], named: { slug: 's' } },
      { name: 'Flow.query.update', args: [{ $object: 'Flow.query', slug: 's' }], named: { authentication: 'none' } },
    ]);
    const devices =
      'from authentik.stages.authenticator_totp.models import TOTPDevice\nTOTPDevice.objects.filter(user=1)';
    expect((await asked(devices)).calls).toMatchObject([{ name: 'TOTPDevice.objects.filter', named: { user: 1 } }]);
  });

  it.each([
    [
      'import os',
      'line 1: there is no module os here; there are datetime, json, math, re, typing, authentik.core.models',
    ],
    ['x = 1\nif x:\n    from urllib.parse import quote', 'line 3: there is no module urllib.parse here'],
    ['import re, ctypes', 'line 1: there is no module ctypes here'],
    ['from authentik.core.models import NO_SUCH', 'line 1: there is no NO_SUCH in authentik.core.models here'],
    ['import authentik.core.models', 'line 1: write "from authentik.core.models import …"'],
  ])('%s is refused, with its line', async (source, problem) => {
    expect(await check(source)).toContain(problem);
    expect(await failure(source)).toContain(problem);
  });
});

describe('what the interpreter lacks', () => {
  it.each<Case>([
    ['%', 'return "%s and %d" % ("a", 3)', 'a and 3'],
    ['% with one value', 'x = {"a": 1}\nreturn "x: %s" % x["a"]', 'x: 1'],
    ['% with names', 'return "%(a)s-%(b)05.1f{}" % {"a": 1, "b": 2.25}', '1-002.2{}'],
    ['% with widths', 'return "%5s|%-5s|%x|%+d|%r|100%%" % ("a", "b", 255, 3, "c")', "    a|b    |ff|+3|'c'|100%"],
    ['% of texts over lines', 'return ("a %s "\n  \'b %s\') % (1, 2)', 'a 1 b 2'],
    ['% of numbers', 'x = 7\nreturn x % 4', 3],
    [
      '.format',
      'return "{} {n} {0!r:>5} {{}} {a[k]} {u.name}".format("a", n=1, a={"k": 2}, u=user)',
      "a 1   'a' {} 2 Ada L",
    ],
    [
      'order in chains',
      'return [1 < 2 < 3, 1 < 3 < 2, not 1 > 2, [x for x, y in [(1, 2), (3, 1)] if x < y]]',
      [true, false, true, [1]],
    ],
  ])('%s', async (_, source, expected) => {
    expect(await result(source, { user })).toEqual(expected);
  });

  it.each([
    ['too few values', 'return "%s %s" % ("a",)', 'TypeError'],
    ['an order that there is not', 'return not (None > 5)', "'>' not supported between instances of"],
    ['an order of lists', 'return not ([1] < [2])', 'TypeError'],
  ])('%s is an error, as in Python', async (_, source, problem) => {
    expect(await failure(source)).toContain(problem);
  });

  it.each([
    ['x = 1\nclass A:\n    pass', 'line 2: class definitions cannot be used here'],
    ['a = {}\n\ndel a["x"]', "line 3: the 'del' statement cannot be used here"],
    ['x = (yield 1)', 'line 1: "yield" works as a statement outside of functions'],
    ['def f():\n    yield 1\nreturn f()', 'line 2: "yield" works as a statement outside of functions'],
    ['return "%*d" % (1, 2)', 'line 1: "%*d" in a text that is formatted'],
  ])('%s is refused, with its line', async (source, problem) => {
    expect(await check(source)).toContain(problem);
  });

  it('SkipObject leaves out', async () => {
    expect(await asked('if True:\n    raise SkipObject')).toMatchObject({ skipped: true, result: null });
    expect(await asked('raise SkipObject("why")')).toMatchObject({ skipped: true });
    expect(await result('try:\n    raise SkipObject\nexcept SkipObject:\n    return 1')).toBe(1);
  });
});

describe('what is wrong', () => {
  it.each([
    ['x = 1\ny = = 2', 'line 2: Expected an expression'],
    ['if True:\nreturn 1', 'line 2: '],
    ['x = (1,\n', 'line 1: '],
    ['  return 1\nreturn 2', 'line 2: '],
    ['x = """a\n', 'line 1: '],
  ])('%s', async (source, problem) => {
    expect(await check(source)).toContain(problem);
  });

  it('an error tells its line and what it is about, but not what somebody typed', async () => {
    expect(await failure('x = 1\n\nreturn nobody')).toBe("line 3: NameError: name 'nobody' is not defined");
    expect(await failure('return user.phone', { user })).toContain("has no attribute 'phone'");
    expect(await failure('x = 1\nreturn int(secret)', { secret: 'hunter2' })).toBe('line 2: ValueError');
    expect(await failure('raise TypeError(f"\'{secret}\'")', { secret: 'hunter2' })).toBe('line 1: TypeError');
  });
});

function request(context: Json): Readonly<Record<string, Json>> {
  return { request: { $object: 'request', user }, context };
}
