import type { Log } from './options.ts';

/** Work that is done now and then: expiry and retention. */
export interface Jobs {
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
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = work()
      .catch((error: unknown) => log('warn', `job ${name} failed`, { error: String(error) }))
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
