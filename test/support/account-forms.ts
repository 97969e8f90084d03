import type { JsonObject } from '../../src/kernel/json.ts';
import type { Visitor } from '../../src/testing/rig.ts';
import { hiddenFields } from './web-client.ts';

const origin = 'http://localhost:9000';

/** The account page as this browser sees it. */
export async function accountPageOf(visitor: Visitor): Promise<string> {
  return (await visitor.request('/if/user/')).text();
}

/** Sends one of the account page's forms, found by its action. */
export async function press(visitor: Visitor, action: RegExp, fields: Record<string, string> = {}): Promise<Response> {
  const page = await accountPageOf(visitor);
  const forms = [...page.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)];
  const [, path = '', form = ''] = forms.find(([, path = '']) => action.test(path)) ?? [];
  if (path === '') throw new Error(`no form to ${action} on ${page}`);
  return postForm(visitor, path, { ...hiddenFields(form), ...fields });
}

/** A form of another page, too. */
export function postForm(
  visitor: Visitor,
  path: string,
  fields: Record<string, string> = {},
  from = origin,
): Promise<Response> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: from };
  return visitor.request(path, { method: 'POST', body: new URLSearchParams(fields).toString(), headers });
}

/** Results of a list of the API. */
export async function listed(
  visitor: Visitor,
  path: string,
  headers: Record<string, string> = {},
): Promise<readonly JsonObject[]> {
  const answer = await visitor.request(path, { headers });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { results: readonly JsonObject[] }).results;
}

/** Deletes something over the API; its status. */
export async function deleted(
  visitor: Visitor,
  path: string,
  headers: Record<string, string> = { origin },
): Promise<number> {
  return (await visitor.request(path, { method: 'DELETE', headers })).status;
}
