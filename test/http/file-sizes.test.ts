import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileLimits } from '../../src/protocol/body-limits.ts';
import { promptFor } from '../support/engine-rig.ts';
import { flowYaml } from '../support/flow-yaml.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hiddenFields, WebClient } from '../support/web-client.ts';

const file = (key: string, max_size: number) => ({ field_key: key, type: 'file', max_size, required: false });
const asking = (slug: string, ...fields: readonly Readonly<Record<string, unknown>>[]) =>
  flowYaml({ slug, stages: [promptFor(...fields), { kind: 'dummy' }] });

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ blueprints: [asking('photo', file('attributes.photo', fileLimits.form))] });
});
afterAll(() => server.close());

it('a file that no form could bring is refused when its prompt is applied, with the numbers', async () => {
  const { flows } = server.auth;
  await expect(flows.apply([asking('large', file('attributes.x', fileLimits.form + 1))])).rejects.toMatchObject({
    ...{ code: 'blueprint', detail: expect.stringMatching(/max_size: at most 4128768, .* 4194304 bytes/) },
  });
  const half = fileLimits.form / 2;
  const two = await flows.plan([asking('two', file('attributes.a', half), file('attributes.b', half + 1))]);
  expect(two.warnings.map(({ message }) => message).join()).toMatch(/4128769 bytes together.* 4128768.*413/);
  const one = await flows.plan([asking('one', file('attributes.a', fileLimits.json + 1))]);
  expect(one.warnings.map(({ message }) => message).join()).toMatch(/737281 bytes together.*JSON brings 737280/);
  const fits = await flows.plan([asking('fits', file('attributes.a', fileLimits.json))]);
  expect(fits.warnings).toEqual([]);
});

async function send(client: WebClient, bytes: number): Promise<{ status: number; text: string }> {
  const page = await client.request('/if/flow/photo/');
  const fields = Object.entries(hiddenFields(page.text)).map(([name, value]) => part(name, value));
  const photo = part('attributes.photo', 'x'.repeat(bytes), '; filename="photo.png"\r\ncontent-type: image/png');
  return client.request('/if/flow/photo/', {
    ...{ method: 'POST', body: `${[...fields, photo].join('')}--edge--\r\n` },
    headers: { 'content-type': 'multipart/form-data; boundary=edge', origin: server.origin },
  });
}

function part(name: string, value: string, more = ''): string {
  return `--edge\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

it('the largest file gets through a form; what is too large is told what to do, and nothing is lost', async () => {
  const client = new WebClient(server.origin);
  const refused = await send(client, 5 * 1024 * 1024);
  expect(refused.status).toBe(413);
  expect(refused.text).toContain('a form may have 4 MiB with its files, JSON 1 MiB. Go back and choose smaller files.');
  expect((await client.request('/if/flow/photo/')).text).toContain('attributes.photo');
  expect((await send(client, fileLimits.form)).status).toBe(303);
  const body = JSON.stringify({ 'attributes.photo': 'x'.repeat(1 << 20) });
  const api = await fetch(`${server.origin}/api/v3/flows/executor/photo/?query=`, {
    ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
  });
  expect([api.status, await api.json()]).toEqual([
    413,
    { code: 'body_too_large', detail: expect.stringContaining('JSON 1 MiB') },
  ]);
});
