/** Where the time comes from; tests and drills give their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is moved, for tests. */
export class ManualClock implements Clock {
  #now: number;
  constructor(now: number) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  /** @param milliseconds how far to move on */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
