import { describe, expect, it } from 'vitest';
import type { OutboundReply, OutboundRequest } from '../../engine/outbound.ts';
import type { Outcome } from '../../engine/stage.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { type DeskOptions, deskFor } from '../../testing/desk.ts';
import { captcha } from './stage.ts';

const keys = { public_key: 'site key', private_key: 'the private key' };

interface Asked {
  readonly url: string;
  readonly request: OutboundRequest;
}

/** A visit with an answer of the provider: JSON, or whatever else comes back. */
async function judged(
  reply: JsonObject | Partial<OutboundReply> | Error,
  { config = {}, response = { token: 'typed' }, ...options }: DeskOptions & { readonly response?: JsonObject } = {},
) {
  const asked: Asked[] = [];
  const desk = deskFor(captcha, {
    ...options,
    config: { ...keys, ...config },
    outbound: {
      async send(url, request) {
        asked.push({ url, request });
        if (reply instanceof Error) throw reply;
        return { status: 200, headers: {}, text: JSON.stringify(reply), ...('text' in reply ? reply : {}) };
      },
    },
  });
  const outcome = (await captcha.answer?.(desk, response)) as Outcome;
  const told = JSON.stringify([outcome, desk.logged]);
  expect(told).not.toContain('the private key');
  expect(told).not.toContain('typed');
  return { outcome, asked, logged: desk.logged };
}

function textOf(outcome: Outcome): unknown {
  const [problem] = outcome.kind === 'retry' ? (outcome.problems.token ?? []) : [];
  expect(problem?.code).toBe('invalid');
  return problem?.text;
}

describe('a captcha', () => {
  it('shows what the browser needs, and keeps its private key', async () => {
    expect(await captcha.enter(deskFor(captcha, { config: { ...keys, interactive: true } }))).toEqual({
      kind: 'ask',
      challenge: {
        ...{ component: 'ak-stage-captcha', site_key: 'site key', interactive: true },
        js_url: 'https://www.recaptcha.net/recaptcha/api.js',
      },
    });
  });

  it('CA-1: asks the provider with key, answer and address, within a time', async () => {
    const { asked } = await judged({ success: true });
    expect(asked).toEqual([
      {
        url: 'https://www.recaptcha.net/recaptcha/api/siteverify',
        request: {
          method: 'POST',
          body: 'secret=the+private+key&response=typed&remoteip=192.0.2.1',
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          timeoutMs: 5_000,
        },
      },
    ]);
  });

  it('CA-4: passes, and policies see what the provider said', async () => {
    const { outcome } = await judged({ success: true, score: 0.9, hostname: 'id.example' });
    const response = { success: true, score: 0.9, hostname: 'id.example' };
    expect(outcome).toEqual({
      kind: 'pass',
      context: { captcha: { response, stage: { pk: 'stage-pk', name: 'captcha' } } },
    });
  });

  it.each([
    ['does not answer', new Error('captcha.test gave no whole answer within 5 seconds')],
    ['is broken', { status: 503, text: '{"success":true}' }],
    ['leads elsewhere', { status: 302, text: '{"success":true}' }],
    ['says something else', { text: '<h1>Hello</h1>' }],
    ['says nothing of success', { text: '{"score":1}' }],
    ['says yes in its own way', { text: '{"success":"true"}' }],
    ['says too much', { text: `{"success":true,"more":"${'x'.repeat(20_000)}"}` }],
  ])('CA-1: nobody passes where the provider %s, whatever the stage enforces', async (_, reply) => {
    for (const error_on_invalid_score of [true, false]) {
      const { outcome, logged } = await judged(reply, { config: { error_on_invalid_score } });
      expect(textOf(outcome)).toEqual({ $text: 'captcha.unknown' });
      expect(logged).toHaveLength(1);
    }
  });

  it.each([[{}], [{ token: '' }], [{ token: null }], [{ token: ['typed'] }], [{ token: 'x'.repeat(9_000) }]])(
    'an answer that is none is not asked about',
    async (response) => {
      const { outcome, asked } = await judged({ success: true }, { response });
      expect(textOf(outcome)).toEqual({ $text: 'captcha.missing' });
      expect(asked).toEqual([]);
    },
  );

  it.each(['cf-turnstile-response', 'h-captcha-response', 'g-recaptcha-response'])(
    "takes an answer as a provider's own script calls it: %s",
    async (name) => {
      const { asked } = await judged({ success: true }, { response: { token: '', [name]: 'typed' } });
      expect(asked[0]?.request.body).toContain('response=typed');
    },
  );

  it.each([
    [{ success: false }, 'captcha.refused'],
    [{ success: false, 'error-codes': ['invalid-input-secret'] }, 'captcha.refused'],
    [{ success: false, 'error-codes': ['timeout-or-duplicate', 'bad-request'] }, 'captcha.refused'],
    [{ success: false, 'error-codes': ['timeout-or-duplicate'] }, 'captcha.refused_retry'],
    [{ success: true, score: 0.4 }, 'captcha.refused'],
    [{ success: true, score: 1.1 }, 'captcha.refused'],
    [{ success: true, score: 'high' }, 'captcha.refused'],
  ] as const)('CA-2: %j is refused', async (reply, key) => {
    expect(textOf((await judged(reply)).outcome)).toEqual({ $text: key });
  });

  it('CA-2: a threshold of -1 bounds nothing; a provider without scores is believed', async () => {
    const open = { score_min_threshold: -1, score_max_threshold: -1 };
    for (const score of [-5, 0, 7])
      expect((await judged({ success: true, score }, { config: open })).outcome.kind).toBe('pass');
    expect((await judged({ success: true })).outcome.kind).toBe('pass');
  });

  it('CA-3: where nothing is enforced policies decide by what the provider said', async () => {
    const config = { error_on_invalid_score: false };
    const { outcome } = await judged({ success: false, score: 0.1 }, { config });
    expect(outcome).toMatchObject({ kind: 'pass', context: { captcha: { response: { success: false, score: 0.1 } } } });
  });

  it.each([
    [{ js_url: 'javascript:alert(1)' }],
    [{ js_url: '/api.js' }],
    [{ js_url: "https://a;script-src'*'/x" }],
    [{ api_url: 'ftp://captcha.test/' }],
    [{ private_key: '' }],
    [{ public_key: '' }],
  ])('the configuration %j is refused', (wrong) => {
    expect(captcha.config.safeParse({ ...keys, ...wrong }).success).toBe(false);
  });
});
