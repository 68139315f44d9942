import type { ManagerProcess } from '../support/lab.ts';
import { type Changes, smallMachine } from '../support/small-machine.ts';
import type { ReferenceTimes, Site } from './site.ts';

/** Time constants of both programs, in the same proportions, for a test of seconds. */
export const HASTE: {
  busyLeaseSeconds: number;
  consideringLeaseSeconds: number;
  reference: ReferenceTimes;
} = {
  busyLeaseSeconds: 6,
  consideringLeaseSeconds: 5,
  reference: {
    check_on_strax: 0.4,
    max_busy_time: 6,
    max_considering_time: 5,
    cleanup_spacing: 2,
    idle_nap: 0.4,
    retry_run: 0.02,
    min_data_rate_infer_time: 0,
    max_data_rate_infer_time: 1,
  },
};

/** The same for ours, on a small machine. */
const LIMITS: Changes = {
  // As in the nursery of the reference.
  worker: { contextOptions: { sleep_seconds: 0.12 } },
  retry: {
    baseSeconds: 0.02,
    growth: undefined,
    uncounted: { firstSeconds: 0.1, maxSeconds: 1 },
  },
  quarantine: { firstSeconds: 1, maxSeconds: 2 },
  limits: {
    renewSeconds: 0.5,
    quietSeconds: 2,
    busyLeaseSeconds: HASTE.busyLeaseSeconds,
    consideringLeaseSeconds: HASTE.consideringLeaseSeconds,
    housekeepingSeconds: 2,
    idlePollSeconds: 0.5,
  },
};

export const OURS_LIMITS = smallMachine(LIMITS);

/** Its databases are found in the site's utilix file. */
export const OURS_CONFIG = smallMachine(LIMITS, { database: { credentialsFile: 'utilix' } });

/** Starts one of our managers as a site would: it finds its databases in the site's utilix file. */
export function ours(
  site: Site,
  host: string,
  env: Record<string, string> = {},
): Promise<ManagerProcess> {
  return site.lab.manager({
    host,
    config: OURS_CONFIG,
    env: {
      BOOTSTRAX_MONGO_URL: '',
      BOOTSTRAX_RUNS_DB: '',
      XENON_CONFIG: site.configuration,
      BOOTSTRAX_OUTPUT: site.output(host),
      ...env,
    },
  });
}
