import type { ManagerProcess } from '../support/lab.ts';
import { SMALL_MACHINE } from '../support/lab.ts';
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
export const OURS_LIMITS = `
${SMALL_MACHINE.replace(/\[retry\][^]*?\[limits\]/, '[limits]').replace('renew_seconds = 1', '')}

# As in the nursery of the reference.
[worker.context_options]
sleep_seconds = 0.12

[retry]
base_seconds = 0.02

[retry.uncounted]
first_seconds = 0.1
max_seconds = 1

[quarantine]
first_seconds = 1
max_seconds = 2
`.replace(
  '[limits]',
  `[limits]
renew_seconds = 0.5
quiet_seconds = 2
busy_lease_seconds = ${HASTE.busyLeaseSeconds}
considering_lease_seconds = ${HASTE.consideringLeaseSeconds}
clean_up_seconds = 2
idle_poll_seconds = 0.5
`,
);

/** Its databases are found in the site's utilix file. */
export const OURS_CONFIG = `
[database]
credentials_file = "utilix"
${OURS_LIMITS}`;

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
