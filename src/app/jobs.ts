import type { Log } from './options.ts';

/** Work that is done now and then: expiry and retention. */
export interface Jobs {
  /** Works now, or once more after the run under way. */
  poke(): void;
  /** Stops; a run under way is waited for. */
  stop(): Promise<void>;
}

/**
 * Runs `work` every `everyMs`, never twice at once. The timer does not keep the process alive; a failure is logged and
 * tried again next time.
 */
export function startJob(name: string, everyMs: number, work: () => Promise<unknown>, log: Log): Jobs {
  let running: Promise<unknown> = Promise.resolve();
  let busy = false;
  let again = false;
  const run = (): void => {
    busy = true;
    again = false;
    running = work()
      .catch((error: unknown) => log('warn', `job ${name} failed`, { error: String(error) }))
      .finally(() => {
        busy = false;
        if (again) run();
      });
  };
  const timer = setInterval(() => {
    if (!busy) run();
  }, everyMs);
  timer.unref();
  let stopped = false;
  return {
    poke() {
      if (busy) again = !stopped;
      else if (!stopped) run();
    },
    async stop() {
      stopped = true;
      again = false;
      clearInterval(timer);
      await running;
    },
  };
}
