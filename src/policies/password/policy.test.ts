import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BreachService, openBreachService } from '../../../test/support/breach-service.ts';
import { createOutbound } from '../../adapters/outbound.ts';
import { createStrengthMeter } from '../../adapters/password/strength.ts';
import { Secret } from '../../kernel/secrets.ts';
import { testUser } from '../../testing/desk.ts';
import { type PolicyDeskOptions, policyDeskFor } from '../../testing/policy-desk.ts';
import { password } from './policy.ts';

type Config = NonNullable<PolicyDeskOptions['config']>;

const meter = createStrengthMeter();
let service: BreachService;
beforeAll(async () => {
  service = await openBreachService({ 'stolen twice': 2, geknäckt: 7 });
});
beforeEach(() => {
  service.misbehave = null;
});
afterAll(() => Promise.all([service.close(), meter.close()]));

function deskOf(typed: unknown, config: Config = {}, more: PolicyDeskOptions = {}) {
  const value = typeof typed === 'string' ? new Secret(typed) : typed;
  const prompt_data = [...((more.context?.prompt_data as [string, string][] | undefined) ?? []), ['password', value]];
  return policyDeskFor(password, {
    ...{ outbound: createOutbound(), passwordScore: meter.score, ...more, config },
    context: { ...more.context, ...(value === undefined ? {} : { prompt_data }) } as never,
  });
}

/** `passes`, or what is said. */
async function judged(typed: unknown, config: Config = {}, more: PolicyDeskOptions = {}) {
  const { passing, messages } = await password.evaluate(deskOf(typed, config, more));
  const said = messages.map((message) =>
    typeof message === 'object' && '$text' in message
      ? [message.$text.replace('password_policy.', ''), ...Object.values(message.params ?? {})].join(' ')
      : message,
  );
  return passing ? ['passes', ...said] : said;
}

describe('static rules', () => {
  const strict = { length_min: 10, amount_uppercase: 1, amount_lowercase: 1, amount_digits: 1, amount_symbols: 1 };

  it.each([
    ['missing', undefined, ['missing']],
    ['empty', '', ['missing']],
    ['not a text', 12, ['missing']],
    ['length', 'aA1!', ['prompt.min_length 10']],
    ['lower', 'AAAAAAAA1!', ['lowercase 1']],
    ['upper', 'aaaaaaaa1!', ['uppercase 1']],
    ['symbols', 'aaaaaaaaA1', ['symbols 1']],
    ['digits', 'aaaaaaaaA!', ['digits 1']],
    ['ok', 'aaaaaaaA1!', ['passes']],
    ['several at once', 'a', ['prompt.min_length 10', 'uppercase 1', 'digits 1', 'symbols 1']],
    ['letters of any alphabet', 'ЖжÄßёёёё٣!', ['passes']],
    ['as many characters as are seen', '😀😀aA1!aa\u0308', ['prompt.min_length 10']],
  ])('%s', async (_, typed, said) => {
    expect(await judged(typed, strict)).toEqual(said);
  });

  it("the administrator's own words stand for all", async () => {
    expect(await judged('a', { ...strict, error_message: 'Not so.' })).toEqual(['Not so.']);
    expect(await judged('aaaaaaaA1!', { ...strict, error_message: 'Not so.' })).toEqual(['passes']);
  });

  it('by default anything is good, and switched off they do not count', async () => {
    expect(await judged('a')).toEqual(['passes']);
    expect(await judged('a', { ...strict, check_static_rules: false })).toEqual(['passes']);
  });

  it('takes another field, of prompt_data or of the plan context, and its own symbols', async () => {
    const context = { prompt_data: [['pin', 'a€']], other: 'b' };
    const config = { amount_symbols: 1, symbol_charset: '€' };
    expect(await judged('x', { ...config, password_field: 'pin' }, { context })).toEqual(['passes']);
    expect(await judged('x', { ...config, password_field: 'other' }, { context })).toEqual(['symbols 1']);
    expect(await judged('x', { password_field: 'nowhere' }, { context })).toEqual(['missing']);
  });

  it('a hash that a program brought is taken, as it was trusted; nobody else can bring one (W11b)', async () => {
    const prompt_data = [['password_hash', '$argon2id$…']];
    expect(
      await judged(undefined, strict, { context: { prompt_data, 'doorward/trusted_hashes': true } as never }),
    ).toEqual(['passes']);
    expect(await judged(undefined, strict, { context: { prompt_data } as never })).toEqual(['missing']);
  });
});

describe('stolen passwords', () => {
  const check = () => ({ check_have_i_been_pwned: true, breach_check_url: service.url });

  it('off by default; on, five digits of a digest leave and nothing else, with padding', async () => {
    const before = service.asked.length;
    expect(await judged('stolen twice')).toEqual(['passes']);
    expect(service.asked).toHaveLength(before);
    expect(await judged('stolen twice', check())).toEqual(['stolen 2']);
    expect(service.asked.slice(before)).toEqual([[expect.stringMatching(/^\/range\/[0-9A-F]{5}$/), 'true']]);
    expect(await judged('not stolen yet', check())).toEqual(['passes']);
    expect(await judged('gekna\u0308ckt', check())).toEqual(['stolen 7']);
  });

  it('so many times are allowed', async () => {
    expect(await judged('stolen twice', { ...check(), hibp_allowed_count: 1 })).toEqual(['stolen 2']);
    expect(await judged('stolen twice', { ...check(), hibp_allowed_count: 2 })).toEqual(['passes']);
  });

  it.each([
    ['an error', 503, 'down'],
    ['a login page', 200, '<html>Welcome to the hotel</html>'],
    ['a list that is none', 200, 'A:1'],
    ['a redirect elsewhere', 302, ''],
  ])('the service answers with %s: that is no answer, and fails as configured', async (_, status, body) => {
    service.misbehave = (response) => void response.writeHead(status, { location: 'http://127.0.0.2:1/' }).end(body);
    const desk = deskOf('stolen twice', check());
    expect(await password.evaluate(desk)).toMatchObject({
      ...{ passing: false, failed: true, messages: [{ $text: 'password_policy.stolen_unknown' }] },
    });
    expect(desk.logged).toMatchObject([{ level: 'warn', fields: { policy: 'password' } }]);
    expect(JSON.stringify(desk.logged)).not.toContain('stolen twice');
    expect(await judged('stolen twice', { ...check(), breach_check_failure: 'allow' })).toEqual(['passes']);
  });

  it('a service that is not there fails as configured; what comes later is still asked', async () => {
    const away = { ...check(), breach_check_url: 'http://127.0.0.1:1/range/' };
    expect(await judged('a', away)).toEqual(['stolen_unknown']);
    const allowing = { ...away, breach_check_failure: 'allow', check_zxcvbn: true };
    expect(await judged('password1', allowing)).toEqual(['weak']);
  });

  it('without an address of its own it asks the one that the server has', async () => {
    const hosts: string[] = [];
    const outbound = {
      async send(url: string) {
        hosts.push(url);
        return { status: 200, headers: {}, text: '' };
      },
    };
    expect(await judged('anything', { check_have_i_been_pwned: true }, { outbound })).toEqual(['passes']);
    expect(hosts).toEqual([expect.stringMatching(/^http:\/\/breaches\.invalid\/range\/[0-9A-F]{5}$/)]);
  });
});

describe('strength', () => {
  const check = { check_zxcvbn: true };

  it.each([
    ['password1', 2, ['weak']],
    ['1234567890', 0, ['weak']],
    ['quartz tundra velvet osprey', 3, ['passes']],
  ])('%s with threshold %i: %j', async (typed, zxcvbn_score_threshold, said) => {
    expect(await judged(typed, { ...check, zxcvbn_score_threshold })).toEqual(said);
  });

  it("the visitor's own name is no secret, be it typed in the same form or known of the user", async () => {
    const typed = 'Zvorplumquix';
    expect(await judged(typed, check)).toEqual(['passes']);
    const prompt_data = [['name', 'Ada Zvorplumquix']];
    expect(await judged(typed, check, { context: { prompt_data } })).toEqual(['weak']);
    const user = testUser({ id: 7, username: 'ada', email: 'zvorplumquix@example.com' });
    expect(await judged(typed, check, { users: [user], userId: 7 })).toEqual(['weak']);
  });

  it('the first failure is what is said: rules, then theft, then strength', async () => {
    const all = { ...check, check_have_i_been_pwned: true, breach_check_url: service.url };
    expect(await judged('stolen twice', { ...all, length_min: 20 })).toEqual(['prompt.min_length 20']);
    expect(await judged('stolen twice', all)).toEqual(['stolen 2']);
    expect(await judged('password1', all)).toEqual(['weak']);
  });

  it('what cannot tell throws, and so denies', async () => {
    const passwordScore = async (): Promise<number> => {
      throw new Error('no time left');
    };
    await expect(judged('a', check, { passwordScore })).rejects.toThrow('no time left');
  });
});
