interface WatchOptions {
  readonly ownMs: number;
  readonly hostMs: number;
  ownOver(): void;
  hostOver(): void;
}

/** Counts a job's own time and the time that the server takes for its calls, each against its own limit. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #left: { own: number; host: number };
  #counting: 'own' | 'host' | null = null;
  #since = 0;
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#left = { own: options.ownMs, host: options.hostMs };
  }

  start(): void {
    this.#count('own');
  }

  hostBegins(): void {
    this.#calls += 1;
    if (this.#calls === 1) this.#count('host');
  }

  hostEnds(): void {
    this.#calls -= 1;
    if (this.#calls === 0) this.#count('own');
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#counting = null;
  }

  #count(what: 'own' | 'host'): void {
    const now = performance.now();
    if (this.#counting !== null) this.#left[this.#counting] -= now - this.#since;
    // Stopped while a call was under way.
    else if (this.#since !== 0) return;
    clearTimeout(this.#timer);
    this.#counting = what;
    this.#since = now;
    this.#timer = setTimeout(() => this.#over(what), Math.max(0, this.#left[what]));
  }

  /** Timers come before messages: an answer that arrived while this process was busy counts, so it is heard first. */
  #over(what: 'own' | 'host'): void {
    const timer = this.#timer;
    setImmediate(() => {
      if (this.#counting !== what || this.#timer !== timer) return;
      if (what === 'own') this.#options.ownOver();
      else this.#options.hostOver();
    });
  }
}
