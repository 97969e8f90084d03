/** Lists as the reference's API gives them (stages.md 8). */
import { DoorwardError } from '../kernel/errors.ts';

/** Which part of a list; pages count from 1. */
export interface Paging {
  readonly page: number;
  readonly pageSize: number;
}

const pageSizes = { usual: 100, most: 500 } as const;

/** @throws DoorwardError `not_found` for what is no page */
export function pagingOf(query: Readonly<Record<string, string>>): Paging {
  const page = query.page === undefined ? 1 : whole(query.page);
  if (page === null) throw new DoorwardError('not_found', 'page: a whole number from 1');
  const pageSize = query.page_size === undefined ? null : whole(query.page_size);
  return { page, pageSize: Math.min(pageSize ?? pageSizes.usual, pageSizes.most) };
}

/** @throws DoorwardError `not_found` for a page behind the last one */
export function paginated(results: readonly object[], count: number, { page, pageSize }: Paging): object {
  const pages = Math.max(1, Math.ceil(count / pageSize));
  if (page > pages) throw new DoorwardError('not_found', `there are ${pages} pages`);
  const start = (page - 1) * pageSize;
  return {
    pagination: {
      ...{ next: page < pages ? page + 1 : 0, previous: page - 1, count, current: page, total_pages: pages },
      ...{ start_index: count === 0 ? 0 : start + 1, end_index: start + results.length },
    },
    results,
  };
}

function whole(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}
