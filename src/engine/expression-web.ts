/** `requests` and the look-ups of names, for those servers that the administrator allows. */
import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import type { HostFunction } from './expression-accounts.ts';
import type { ExpressionHosts } from './expression-hosts.ts';

type Method = 'GET' | 'POST';

/** The functions about other servers, by the name that they are called by. */
export function webFunctions(hosts: ExpressionHosts): Readonly<Record<string, HostFunction>> {
  const asked =
    (method: Method): HostFunction =>
    async ([url, ...unnamed], named) => {
      if (typeof url !== 'string' || !URL.canParse(url)) throw new Error('requests: the first argument is an address');
      const [first = null] = unnamed;
      const data = named.data ?? (method === 'POST' ? first : null);
      const params = named.params ?? (method === 'GET' ? first : null);
      return respond(hosts, withParams(url, params), { method, data, json: named.json, headers: named.headers });
    };
  return {
    'requests.get': asked('GET'),
    'requests.post': asked('POST'),
    'response.json': ([response]) => JSON.parse(textOf(response)) as Json,
    'response.raise_for_status': ([response]) => {
      const status = isPlainObject(response) ? response.status_code : null;
      if (typeof status !== 'number' || status >= 400) throw new Error(`the server answered with status ${status}`);
      return null;
    },
    resolve_dns: ([name]) => hosts.resolve(String(name)),
    reverse_dns: ([address]) => hosts.reverse(String(address)),
  };
}

interface Asked {
  readonly method: Method;
  readonly data: Json;
  readonly json: Json | undefined;
  readonly headers: Json | undefined;
}

async function respond(hosts: ExpressionHosts, url: string, asked: Asked): Promise<Json> {
  const { body, type } = bodyOf(asked);
  const headers = { ...(type === null ? {} : { 'content-type': type }), ...texts(asked.headers) };
  const {
    status,
    headers: answered,
    text,
  } = await hosts.send(url, {
    ...{ method: asked.method, headers },
    ...(body === null ? {} : { body }),
  });
  return { $object: 'response', status_code: status, ok: status < 400, text, headers: answered };
}

function bodyOf({ data, json }: Asked): { readonly body: string | null; readonly type: string | null } {
  if (json !== undefined && json !== null) return { body: JSON.stringify(json), type: 'application/json' };
  if (isPlainObject(data))
    return {
      body: new URLSearchParams(texts(data as JsonObject)).toString(),
      type: 'application/x-www-form-urlencoded',
    };
  return { body: typeof data === 'string' ? data : null, type: null };
}

function withParams(url: string, params: Json): string {
  const asked = new URL(url);
  for (const [name, value] of Object.entries(texts(params))) asked.searchParams.append(name, value);
  return asked.href;
}

function texts(members: Json | undefined): Record<string, string> {
  if (!isPlainObject(members)) return {};
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));
}

function textOf(response: Json | undefined): string {
  return isPlainObject(response) && typeof response.text === 'string' ? response.text : '';
}
