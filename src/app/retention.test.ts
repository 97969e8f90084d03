import { describe, expect, it } from 'vitest';
import { createApp } from './create.ts';
import { retentionOf } from './retention.ts';

const hour = 3_600_000;

describe('retention (CONTRACT: Store)', () => {
  it('is a year for the audit record unless told otherwise, in the reference’s durations', () => {
    expect(retentionOf()).toEqual({ events: 365 * 24 * hour, runs: hour, outbox: 24 * hour });
    expect(retentionOf({ events: 'weeks=1;hours=1', runs: 'minutes=10', outbox: 'seconds=0' })).toEqual({
      ...{ events: 169 * hour, runs: hour / 6, outbox: 0 },
    });
    expect(retentionOf({ events: 'never' }).events).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['events', { events: 'a year' }],
    ['events', { events: 'days=-1' }],
    ['runs', { runs: 'minutes=9' }],
    ['outbox', { outbox: '' }],
  ])('what cannot be is refused at start, by name: %s in %j', async (name, retention) => {
    const options = { database: { sqlite: '/dev/null/x' }, secretKey: 'x'.repeat(32), publicUrl: 'http://localhost' };
    await expect(createApp({ ...options, retention })).rejects.toMatchObject({
      ...{ code: 'configuration', detail: expect.stringContaining(`retention.${name}: `) },
    });
  });
});
