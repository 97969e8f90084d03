/**
 * The room `http`: Request → Response. It gets requests, gives the app what it understood of them, and puts the app's
 * replies into headers, JSON and pages. It knows nothing of SQL and decides nothing about accounts.
 */
import { Hono } from 'hono';
import type { App } from '../app/app.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { newUuid } from '../kernel/ids.ts';
import { assets } from '../pages/assets.ts';
import { brandStylesheet, parseBrand } from '../pages/brand.ts';
import { trustedNetworks } from './address.ts';
import { errorAnswer, jsonAnswer, redirectAnswer } from './answers.ts';
import { type Handler, type Site, type Visit, visitOf } from './exchange.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { checkBasePath, mounted } from './mount.ts';
import { type RouteHandler, routes } from './routes.ts';

interface Env {
  readonly Bindings: { readonly address?: string };
}

/** @throws DoorwardError `configuration` for a wrong brand or trusted network */
export function createHandler(app: App): Handler {
  const site: Site = { app, brand: parseBrand(app.brand ?? {}), trusted: trustedNetworks(app.trustedProxies) };
  const metrics = createMetrics(app);
  const hono = new Hono<Env>();
  const serve = new Server(site, metrics);
  const table = [...routes, ...systemRoutes(metrics), ...assetRoutes(site)];
  for (const [methods, path, handler] of table) {
    const allowed = methods.split(' ');
    hono.on(allowed, path, (c) => serve.answer(path, handler, c.req.raw, c.env, c.req.param()));
    if (path.length > 1 && path.endsWith('/'))
      hono.on(allowed, path.slice(0, -1), (c) => redirectAnswer(withSlash(c.req.url), 308));
  }
  for (const path of new Set(table.map(([, path]) => path))) {
    const methods = table.flatMap(([methods, other]) => (other === path ? methods.split(' ') : []));
    const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    hono.all(path, async (c) => {
      const answer = await serve.answer(path, wrongMethod, c.req.raw, c.env, {});
      answer.headers.set('allow', allow);
      return answer;
    });
  }
  hono.notFound((c) => serve.answer('other', unknownAddress, c.req.raw, c.env, {}));
  return mounted(async (request, info = {}) => hono.fetch(request, info), checkBasePath(app.basePath));
}

/** One request: who asks, the handler, and an answer whatever happens. */
class Server {
  readonly #site: Site;
  readonly #metrics: Metrics;

  constructor(site: Site, metrics: Metrics) {
    this.#site = site;
    this.#metrics = metrics;
  }

  async answer(
    route: string,
    handler: RouteHandler,
    request: Request,
    info: Env['Bindings'],
    params: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const began = performance.now();
    const requestId = newUuid();
    const visit = visitOf(this.#site, request, { requestId, socket: info?.address, params });
    const response = await handler(this.#site, visit).catch((error: unknown) => errorAnswer(this.#site, visit, error));
    response.headers.set('x-request-id', requestId);
    const seconds = (performance.now() - began) / 1000;
    this.#metrics.answered(route, request.method, response.status, seconds);
    this.#site.app.log('debug', 'answered', {
      ...{ method: request.method, route, status: response.status, ms: Math.round(seconds * 1000), requestId },
    });
    return response;
  }
}

/** Health and metrics. */
function systemRoutes(metrics: Metrics): readonly (readonly [string, string, RouteHandler])[] {
  const render: RouteHandler = async () => {
    const { body, type } = await metrics.render();
    return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
  };
  return [
    ['GET', '/-/health/live/', async () => jsonAnswer({ status: 'ok' })],
    ['GET', '/-/health/ready/', ready],
    ['GET', '/-/metrics', render],
    ['GET', '/-/metrics/', render],
  ];
}

const ready: RouteHandler = async ({ app }) => {
  await app.store.ready();
  return jsonAnswer({ status: 'ok' });
};

/** Style sheets, scripts and pictures; a hash in the name lets browsers keep them for ever. */
function assetRoutes({ brand }: Site): readonly (readonly [string, string, RouteHandler])[] {
  const { path, body } = brandStylesheet(brand);
  const all = { ...assets, [path]: { body, type: 'text/css; charset=utf-8', immutable: true } };
  return Object.entries(all).map(([name, asset]) => [
    'GET',
    name,
    async () =>
      new Response(asset.body, {
        headers: {
          'content-type': asset.type,
          'x-content-type-options': 'nosniff',
          'cache-control': asset.immutable ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
        },
      }),
  ]);
}

const wrongMethod: RouteHandler = async (_, { request }: Visit) => {
  throw new DoorwardError('method_not_allowed', `${request.method} is not allowed here`);
};

const unknownAddress: RouteHandler = async () => {
  throw new DoorwardError('not_found', 'no such address');
};

function withSlash(address: string): string {
  const url = new URL(address);
  return `${url.pathname}/${url.search}`;
}
