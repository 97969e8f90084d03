/** Reads an answer: JSON or a form, bounded, as an object without prototype. */
import type { Response as Answer } from '../engine/stage.ts';
import { DoorwardError } from '../kernel/errors.ts';
import type { Json } from '../kernel/json.ts';
import { isStorable } from '../kernel/text.ts';
import { bodyLimits } from '../protocol/body-limits.ts';

/** More fields than any form has. */
export const fieldLimit = 5_000;

/** An answer, and the step that it says it answers. */
export interface ReadBody {
  readonly body: Answer;
  readonly stepToken: string | null;
  readonly kind: 'json' | 'form';
}

/**
 * @throws DoorwardError `unsupported_media_type`, `body_too_large`, `unreadable_body`
 */
export async function readBody(request: Request): Promise<ReadBody> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    throw new DoorwardError('unsupported_media_type', `content encoding "${encoding.slice(0, 100)}"`);
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return readJson(request);
  if (type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data') return readForm(request, type);
  // A POST that says nothing has no content type either; it answers stages that need no answer. Any site can send it.
  if (type === '' && (await readBytes(request, bodyLimits.json)).length === 0)
    return { body: emptyAnswer(), stepToken: request.headers.get('doorward-step'), kind: 'form' };
  throw new DoorwardError('unsupported_media_type', `content type "${type.slice(0, 100)}"`);
}

async function readJson(request: Request): Promise<ReadBody> {
  const bytes = await readBytes(request, bodyLimits.json);
  let value: unknown = {};
  try {
    if (bytes.length > 0) value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new DoorwardError('unreadable_body', 'not valid JSON in UTF-8');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new DoorwardError('unreadable_body', 'the JSON is not an object');
  checkTexts(value);
  return { body: answerOf(Object.entries(value)), stepToken: request.headers.get('doorward-step'), kind: 'json' };
}

async function readForm(request: Request, type: string): Promise<ReadBody> {
  const bytes = await readBytes(request, bodyLimits.form);
  const entries = type === 'multipart/form-data' ? await multipart(request, bytes) : urlencoded(bytes);
  // Before anything is done with them: a body of a's alone has a million fields.
  if (entries.length > fieldLimit) throw tooManyFields();
  const fields = new Map<string, Json[]>();
  for (const [name, value] of entries) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  const [stepToken] = fields.get('step') ?? [];
  fields.delete('step');
  const body = answerOf([...fields].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
  checkTexts(body);
  return { body, stepToken: typeof stepToken === 'string' ? stepToken : null, kind: 'form' };
}

function urlencoded(bytes: Uint8Array): readonly [string, Json][] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // URLSearchParams turns broken escapes into replacement characters; this says so instead.
    decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new DoorwardError('unreadable_body', 'the form is not valid UTF-8');
  }
  return [...new URLSearchParams(text)];
}

async function multipart(request: Request, bytes: Uint8Array<ArrayBuffer>): Promise<readonly [string, Json][]> {
  let form: FormData;
  try {
    const headers = { 'content-type': request.headers.get('content-type') ?? '' };
    form = await new Response(bytes, { headers }).formData();
  } catch {
    throw new DoorwardError('unreadable_body', 'the form is not valid multipart/form-data');
  }
  return Promise.all([...form].map(async ([name, part]): Promise<[string, Json]> => [name, await partValue(part)]));
}

/** A file becomes a data URI, as the reference's clients send it; no file chosen is an empty text. */
async function partValue(part: File | string): Promise<Json> {
  if (typeof part === 'string') return part;
  if (part.size === 0) return '';
  const type = part.type === '' ? 'application/octet-stream' : part.type;
  return `data:${type};base64,${Buffer.from(await part.arrayBuffer()).toString('base64')}`;
}

/** Counts while reading, since Content-Length is only what the sender says. */
async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): DoorwardError => new DoorwardError('body_too_large', `more than ${limit} bytes`);
  if (Number(request.headers.get('content-length') ?? '0') > limit) throw tooLarge();
  // With a length the server reads so many bytes and no more, which needs no stream.
  if (request.headers.has('content-length')) {
    const bytes = new Uint8Array(await whole(request));
    if (bytes.length > limit) throw tooLarge();
    return bytes;
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenOff(error);
  }
  if (size > limit) throw tooLarge();
  return new Uint8Array(Buffer.concat(chunks));
}

function whole(request: Request): Promise<ArrayBuffer> {
  return request.arrayBuffer().catch((error: unknown) => {
    throw brokenOff(error);
  });
}

function brokenOff(error: unknown): DoorwardError {
  return new DoorwardError('unreadable_body', `the body broke off: ${String(error)}`);
}

/** Own members only, whatever they are called: `__proto__` is a name like any other here. */
function answerOf(entries: readonly (readonly [string, unknown])[]): Answer {
  if (entries.length > fieldLimit) throw tooManyFields();
  const answer = emptyAnswer();
  for (const [name, value] of entries)
    Object.defineProperty(answer, name, { value, enumerable: true, configurable: true, writable: true });
  return answer;
}

function tooManyFields(): DoorwardError {
  return new DoorwardError('unreadable_body', `more than ${fieldLimit} fields`);
}

function emptyAnswer(): Answer {
  return Object.create(null) as Answer;
}

/**
 * NUL and lone surrogates are refused at the door: one database truncates them, the other refuses. A number such as
 * 1e999 is read as infinity, which JSON cannot keep.
 */
function checkTexts(value: unknown, depth = 0): void {
  if (depth > 100) throw new DoorwardError('unreadable_body', 'nested too deeply');
  if (typeof value === 'string') {
    if (!isStorable(value)) throw new DoorwardError('unreadable_body', 'a text holds NUL or a broken character');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new DoorwardError('unreadable_body', 'a number is too large');
  } else if (Array.isArray(value)) {
    for (const item of value) checkTexts(item, depth + 1);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) {
      checkTexts(name, depth + 1);
      checkTexts(item, depth + 1);
    }
  }
}
