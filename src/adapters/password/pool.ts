import { DoorwardError } from '../../kernel/errors.ts';

/** A bounded first-in-first-out job pool. */
export interface JobPool {
  /**
   * Runs the job when a slot is free.
   *
   * @throws DoorwardError `too_busy` at once, without running the job, when the queue is full.
   */
  run<T>(job: () => Promise<T>): Promise<T>;
  /** Jobs running and jobs waiting, now. */
  readonly load: { running: number; waiting: number };
}

/**
 * At most `concurrency` jobs run at once and at most `queue` wait. A full queue is refused instead of grown: a visitor
 * who waits for minutes has left, and his work would only keep the next one waiting.
 */
export function createJobPool(concurrency: number, queue: number): JobPool {
  let running = 0;
  const waiting: (() => void)[] = [];

  return {
    async run(job) {
      if (running < concurrency) running += 1;
      else if (waiting.length < queue) await new Promise<void>((resolve) => waiting.push(resolve));
      else {
        throw new DoorwardError('too_busy', `the password pool has ${running} running and ${waiting.length} waiting`, {
          retryAfter: 1,
        });
      }
      try {
        return await job();
      } finally {
        // The slot goes straight to the next in line, so that a caller who arrives now cannot overtake it.
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
    get load() {
      return { running, waiting: waiting.length };
    },
  };
}
