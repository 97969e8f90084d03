/** The audit record for administrators and their programs. */
import { DoorwardError } from '../kernel/errors.ts';
import type { EventFilter, StoredEvent } from '../store/events.ts';
import { jsonAnswer } from './answers.ts';
import { administratorOf } from './caller.ts';
import type { Site, Visit } from './exchange.ts';
import { readQuery } from './guards.ts';
import { paginated, pagingOf } from './pagination.ts';

/** `GET /api/v3/events/events/`, the newest first. */
export async function events(site: Site, visit: Visit): Promise<Response> {
  await administratorOf(site, visit);
  const query = readQuery(visit.url.search.slice(1));
  const paging = pagingOf(query);
  const filter = filterOf(query);
  const { accounts } = site.app.store;
  const [count, found] = await Promise.all([
    accounts.countEvents(filter),
    accounts.listEvents({ ...filter, limit: paging.pageSize, offset: (paging.page - 1) * paging.pageSize }),
  ]);
  return jsonAnswer(paginated(found.map(wireEvent), count, paging));
}

function filterOf(query: Readonly<Record<string, string>>): EventFilter {
  const { action, user } = query;
  const since = timeOf(query, 'created__gte') ?? timeOf(query, 'since');
  const until = timeOf(query, 'created__lt');
  if (user !== undefined && !/^\d{1,15}$/.test(user))
    throw new DoorwardError('invalid_request', 'user: the pk of a user');
  return {
    ...(action === undefined ? {} : { action }),
    ...(user === undefined ? {} : { userId: Number(user) }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  };
}

/** A date, or a time with its zone (UTC where none is given), as ISO 8601 writes it. */
function timeOf(query: Readonly<Record<string, string>>, name: string): number | null {
  const written = query[name];
  if (written === undefined) return null;
  const [, date, time = 'T00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/i.exec(written) ?? [];
  const at = Date.parse(`${date}${time.replace(' ', 'T')}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2').toUpperCase()}`);
  if (Number.isNaN(at)) throw new DoorwardError('invalid_request', `${name}: a time such as 2025-12-31T18:00:00Z`);
  return at;
}

/** As the reference writes it: on whose behalf stands within the user. */
function wireEvent({ id, action, user, onBehalfOf, context, address, requestId, flow, at }: StoredEvent): object {
  return {
    pk: String(id),
    user: user === null ? {} : { ...user, ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }) },
    ...{ action, app: 'doorward', context, client_ip: address === '' ? null : address },
    ...{ created: new Date(at).toISOString(), expires: null, brand: {}, flow, request_id: requestId },
  };
}
