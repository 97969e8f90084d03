/**
 * Doorward below a path of an application (`basePath`). Inside, its addresses are what they always are; here the path
 * is taken off requests, and put before Doorward's own addresses in what goes out.
 */
import { DoorwardError } from '../kernel/errors.ts';
import type { Handler } from './exchange.ts';

/** How Doorward's own addresses begin. `/` is the application's. */
const own = /^\/(?:if\/|flows\/-\/|static\/|api\/v3\/|-\/)/;
const attributes = /(\s(?:href|src|action)=")(\/(?:if\/|flows\/-\/|static\/|api\/v3\/)[^"]*")/g;
/** Members of the wire that hold addresses; what a visitor typed stays as it is. */
const addressMembers: ReadonlySet<string> = new Set([
  ...['to', 'enroll_url', 'recovery_url', 'passwordless_url', 'cancel_url', 'background', 'pending_user_avatar'],
  ...['avatar', 'branding_logo', 'branding_favicon'],
]);

/**
 * @param path as given in the options; '' for none
 * @throws DoorwardError `configuration`
 */
export function checkBasePath(path: string): string {
  if (path === '' || /^(?:\/[\w.~-]+)+$/.test(path)) return path;
  throw new DoorwardError('configuration', `basePath: "${path}" is not a path such as /auth (no slash at its end)`);
}

/** The handler below `basePath`. A request for another path is not ours, and gets 404. */
export function mounted(handler: Handler, basePath: string): Handler {
  if (basePath === '') return handler;
  return async (request, info) => {
    const url = new URL(request.url);
    const within = url.pathname === basePath || url.pathname.startsWith(`${basePath}/`);
    if (!within) return new Response(null, { status: 404 });
    url.pathname = url.pathname.slice(basePath.length) || '/';
    return outward(await handler(below(request, url), info), basePath);
  };
}

/** The same request for another address; made anew, since a server's request may be one in name only. */
function below(request: Request, url: URL): Request {
  const { method, headers, signal } = request;
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal });
  return new Request(url, { method, headers, signal, body: request.body, duplex: 'half' } as RequestInit);
}

async function outward(response: Response, basePath: string): Promise<Response> {
  const headers = new Headers(response.headers);
  const location = headers.get('location');
  if (location !== null) headers.set('location', prefixed(location, basePath));
  const type = headers.get('content-type') ?? '';
  const { status } = response;
  if (type.startsWith('text/html'))
    return new Response((await response.text()).replace(attributes, `$1${basePath}$2`), { status, headers });
  if (type.startsWith('application/json')) {
    const value: unknown = JSON.parse(await response.text(), (key, member: unknown) =>
      typeof member === 'string' && addressMembers.has(key) ? prefixed(member, basePath) : member,
    );
    return new Response(JSON.stringify(value), { status, headers });
  }
  return new Response(response.body, { status, headers });
}

function prefixed(address: string, basePath: string): string {
  return own.test(address) ? `${basePath}${address}` : address;
}
