import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { openServer } from './local-servers.ts';

/** A service that knows stolen passwords, as Have I Been Pwned does: a real server, which notes what it is asked. */
export interface BreachService {
  /** What the five digits are put after. */
  readonly url: string;
  /** Path and `Add-Padding` of each request. */
  readonly asked: readonly (readonly [path: string, padding: unknown])[];
  /** Answers otherwise than such a service does; null: as it does. */
  misbehave: ((response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

/** @param stolen how often a password is on record */
export async function openBreachService(stolen: Readonly<Record<string, number>>): Promise<BreachService> {
  const digests = Object.entries(stolen).map(([password, count]) => {
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase();
    return { prefix: digest.slice(0, 5), line: `${digest.slice(5)}:${count}` };
  });
  const asked: (readonly [string, unknown])[] = [];
  const { origin, close } = await openServer((request, response) => {
    const path = String(request.url);
    asked.push([path, request.headers['add-padding']]);
    if (service.misbehave !== null) return service.misbehave(response);
    const found = digests.filter(({ prefix }) => path === `/range/${prefix}`).map(({ line }) => line);
    const padding = Array.from({ length: 20 }, (_, index) => `${String(index).padStart(35, '0')}:0`);
    response.end([...padding, ...found].join('\r\n'));
  });
  const service: BreachService = {
    url: `${origin}/range/`,
    asked,
    misbehave: null,
    close,
  };
  return service;
}
