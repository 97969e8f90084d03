import { describe, expect, it } from 'vitest';
import { bodyLimits } from '../protocol/body-limits.ts';
import { fieldLimit, readBody } from './body.ts';

const formType = 'application/x-www-form-urlencoded';

function post(body: BodyInit | null, type: string | null, headers: Record<string, string> = {}): Request {
  const all = type === null ? headers : { 'content-type': type, ...headers };
  // A stream has no content type of its own, so that null means none.
  const sent = typeof body === 'string' ? new Blob([body]).stream() : body;
  const init = { method: 'POST', body: sent, headers: all, duplex: 'half' } as const;
  return new Request('http://localhost/', init);
}

const json = (value: string): Request => post(value, 'application/json');
const form = (value: string): Request => post(value, formType);
const codeOf = async (request: Request): Promise<unknown> =>
  readBody(request).then(
    () => 'read',
    (error: unknown) => Reflect.get(error as object, 'code'),
  );

describe('an answer in JSON', () => {
  it('is an object without prototype, whatever its members are called', async () => {
    const { body, kind } = await readBody(json('{"username":"ada","__proto__":{"x":1},"toString":"y"}'));
    expect(kind).toBe('json');
    expect(Object.getPrototypeOf(body)).toBeNull();
    expect(Object.entries(body)).toEqual([
      ['username', 'ada'],
      ['__proto__', { x: 1 }],
      ['toString', 'y'],
    ]);
    expect(Object.keys({})).toEqual([]);
  });

  it('says which step it answers in a header, and may be empty', async () => {
    const request = post('', 'application/json; charset=utf-8', { 'doorward-step': 'token' });
    expect(await readBody(request)).toEqual({ body: {}, stepToken: 'token', kind: 'json' });
  });

  it.each([
    ['broken', '{'],
    ['a list', '[]'],
    ['a text', '"text"'],
    ['null', 'null'],
    ['a number', '1'],
    ['a form', 'a=b'],
    ['NUL', '{"a":"\\u0000"}'],
    ['NUL in a name', '{"\\u0000":"a"}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a lone surrogate deep inside', '{"a":[{"b":["\\udfff"]}]}'],
    ['a number that JSON cannot keep', '{"a":1e999}'],
    ['endless nesting', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
    ['more nesting than the parser bears', '['.repeat(500_000)],
    ['too many fields', JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`f${at}`, ''])))],
  ])('is refused when it is %s', async (_, text) => {
    expect(await codeOf(json(text))).toBe('unreadable_body');
  });

  it('is refused when it is not UTF-8', async () => {
    const latin1 = new Uint8Array([0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d]);
    expect(await codeOf(post(latin1, 'application/json'))).toBe('unreadable_body');
  });
});

describe('an answer as a form', () => {
  it('keeps one value as a text and several as a list, and takes the step out', async () => {
    const { body, stepToken, kind } = await readBody(form('a=1&b=x+y&b=%C3%A4&step=token&__proto__=p'));
    expect([stepToken, kind]).toEqual(['token', 'form']);
    expect(Object.entries(body)).toEqual([
      ['a', '1'],
      ['b', ['x y', 'ä']],
      ['__proto__', 'p'],
    ]);
  });

  it('carries a file as a data URI, and no chosen file as nothing', async () => {
    const data = new FormData();
    data.set('name', 'Ada');
    data.set('photo', new Blob(['hello'], { type: 'text/plain' }), 'photo.txt');
    data.set('none', new Blob([]), '');
    const request = new Request('http://localhost/', { method: 'POST', body: data });
    const { body } = await readBody(request);
    expect({ ...body }).toEqual({ name: 'Ada', photo: 'data:text/plain;base64,aGVsbG8=', none: '' });
  });

  it.each([
    ['NUL', 'a=%00'],
    ['a lone surrogate', 'a=%ED%A0%80'],
    ['half an escape', 'a=%4'],
    ['no UTF-8', 'a=%ff'],
    ['too many fields', Array.from({ length: fieldLimit + 1 }, (_, at) => `f${at}=`).join('&')],
    ['one field a million times', 'a&'.repeat(1_000_000)],
  ])('is refused for %s', async (_, text) => {
    expect(await codeOf(form(text))).toBe('unreadable_body');
  });

  it.each(['multipart/form-data', 'multipart/form-data; boundary=x'])('is refused when %s is broken', async (type) => {
    expect(await codeOf(post('--y\r\nnonsense', type))).toBe('unreadable_body');
  });
});

describe('limits and types', () => {
  it.each([
    ['JSON', 'application/json', bodyLimits.json],
    ['a form', formType, bodyLimits.form],
    ['a form with files', 'multipart/form-data; boundary=x', bodyLimits.form],
  ])('%s is counted while it is read, whatever its length is said to be', async (_, type, limit) => {
    const long = 'x'.repeat(limit + 1);
    expect(await codeOf(post(long, type))).toBe('body_too_large');
    expect(await codeOf(post(long, type, { 'content-length': '5' }))).toBe('body_too_large');
    expect(await codeOf(post('{}', type, { 'content-length': String(limit + 1) }))).toBe('body_too_large');
  });

  it.each(['text/plain', 'application/xml', 'application/jsonp', 'image/png', 'x'])('%s is not read', async (type) => {
    expect(await codeOf(post('{}', type))).toBe('unsupported_media_type');
    expect(await codeOf(post(null, type))).toBe('unsupported_media_type');
  });

  it('a body without a type is not read, and a compressed one neither', async () => {
    expect(await codeOf(post('{}', null))).toBe('unsupported_media_type');
    expect(await codeOf(post('{}', 'application/json', { 'content-encoding': 'gzip' }))).toBe('unsupported_media_type');
  });

  it('nothing at all is an empty answer, which any site can send', async () => {
    expect(await readBody(post(null, null))).toEqual({ body: {}, stepToken: null, kind: 'form' });
  });

  it('a body that breaks off is unreadable', async () => {
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error('gone')),
    });
    expect(await codeOf(post(broken, 'application/json'))).toBe('unreadable_body');
  });
});
