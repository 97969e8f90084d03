import { serve } from '@hono/node-server';
import { createDoorward } from 'doorward';
import { createExample } from './app.ts';

const auth = await createDoorward({
  database: { sqlite: './example.sqlite' },
  // In earnest: at least 32 random bytes, kept secret, the same at every start.
  secretKey: process.env.EXAMPLE_SECRET ?? 'an example secret that is not secret at all',
  publicUrl: 'http://localhost:3000',
});
serve({ fetch: createExample(auth).fetch, hostname: '127.0.0.1', port: 3000 });
console.log('http://localhost:3000/hello');
