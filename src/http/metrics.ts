import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { App } from '../app/app.ts';

/** What is counted, for Prometheus. Labels never hold anything that a visitor sent. */
export interface Metrics {
  /** @param seconds how long the answer took */
  answered(route: string, method: string, status: number, seconds: number): void;
  render(): Promise<{ readonly body: string; readonly type: string }>;
}

/** An embedding application may let any word through. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function createMetrics(app: Pick<App, 'hashLoad' | 'store'>): Metrics {
  const registers = [new Registry()];
  const requests = new Counter({
    name: 'doorward_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['route', 'method', 'status'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'doorward_http_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['route'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  for (const state of ['running', 'waiting'] as const)
    new Gauge({
      name: `doorward_password_hashes_${state}`,
      help: `Password hashes ${state} in the pool.`,
      registers,
      collect() {
        this.set(app.hashLoad()?.[state] ?? 0);
      },
    });
  new Gauge({
    name: 'doorward_outbox_messages',
    help: 'Webhooks and mail that were not delivered yet.',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      // While the database is away the other numbers are told all the same.
      const counts = await app.store.outbox.counts().catch(() => null);
      this.reset();
      if (counts === null) return;
      this.set({ state: 'waiting' }, counts.waiting);
      this.set({ state: 'set_aside' }, counts.setAside);
    },
  });
  new Gauge({
    name: 'doorward_resident_memory_bytes',
    help: 'Memory that the process holds.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  return {
    answered(route, method, status, seconds) {
      requests.inc({ route, method: methods.has(method) ? method : 'other', status });
      duration.observe({ route }, seconds);
    },
    async render() {
      const [registry] = registers;
      return { body: (await registry?.metrics()) ?? '', type: registry?.contentType ?? 'text/plain' };
    },
  };
}
