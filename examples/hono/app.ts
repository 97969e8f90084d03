import type { Doorward } from 'doorward';
import { Hono } from 'hono';

/**
 * An application of one's own with Doorward mounted: its pages and API under `/if/`, `/flows/`, `/api/v3/` and `/static/`, and a page that
 * greets whoever is signed in.
 */
export function createExample(
  auth: Doorward,
): Hono<{ Bindings: { incoming?: { socket: { remoteAddress?: string } } } }> {
  const app = new Hono<{ Bindings: { incoming?: { socket: { remoteAddress?: string } } } }>();
  app.get('/hello', async (c) => {
    const signedIn = await auth.session(c.req.raw);
    if (signedIn === null) return c.redirect('/if/flow/default-authentication-flow/?next=/hello');
    return c.text(`Hello, ${signedIn.user.name || signedIn.user.username}!`);
  });
  app.all('*', (c) => {
    const address = c.env?.incoming?.socket.remoteAddress;
    return auth.fetch(c.req.raw, address === undefined ? {} : { address });
  });
  return app;
}
