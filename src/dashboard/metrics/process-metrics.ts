import type { Clock } from '../../infra/clock/clock.ts';
import { type Family, single } from '../../infra/metrics/exposition.pure.ts';

/** The dashboard's own process, mostly under the names that Prometheus has for that. */
export function processFamilies(
  version: string,
  streams: number,
  clock: Pick<Clock, 'now'>,
): Family[] {
  const { user, system } = process.cpuUsage();
  const started = clock.now().getTime() / 1000 - process.uptime();
  return [
    {
      name: 'bootstrax_build_info',
      type: 'gauge',
      help: 'Version of the dashboard; always 1.',
      samples: [{ labels: { version }, value: 1 }],
    },
    single(
      'gauge',
      'bootstrax_dashboard_streams',
      'Pages that are open and visible in a browser.',
      streams,
    ),
    single(
      'counter',
      'process_cpu_seconds_total',
      'Processor time of the dashboard’s process.',
      (user + system) / 1e6,
    ),
    single(
      'gauge',
      'process_resident_memory_bytes',
      'Memory of the dashboard’s process.',
      process.memoryUsage.rss(),
    ),
    single(
      'gauge',
      'process_start_time_seconds',
      'When the dashboard’s process was started, seconds since 1970.',
      started,
    ),
  ];
}
