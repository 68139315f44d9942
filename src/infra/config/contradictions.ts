import { isWithin } from '../values/within.pure.ts';
import type { Settings } from './entries.ts';
import { stagingDirectory } from './paths.ts';
import { problemOfExtra } from './sbatch-extra.pure.ts';

/** A setting that does not go with another one, and why. */
export interface Contradiction {
  setting: string;
  problem: string;
}

/** What settings say against each other, each of which is right by itself. */
export function contradictions(settings: Settings): Contradiction[] {
  const found: Contradiction[] = [...slurmContradictions(settings)];
  const wrong = (setting: string, problem: string): void => {
    found.push({ setting, problem });
  };
  const { host, paths, alarms, dashboard, rules } = settings;
  if (!Object.hasOwn(rules.resources.tables, host.resourceTable)) {
    const names = Object.keys(rules.resources.tables).join(', ');
    wrong(
      'host.resource_table',
      `found "${host.resourceTable}", expected a table of resources.tables: ${names}`,
    );
  }
  const staging = stagingDirectory(paths);
  if (isWithin(staging, paths.output)) {
    wrong(
      'paths.staging',
      `${staging} lies in paths.output, ${paths.output}, whose folders other programs take for runs: choose a folder beside it`,
    );
  }
  const ranges = {
    'resources.clips.cores': rules.resources.clips.cores,
    'resources.clips.max_messages': rules.resources.clips.maxMessages,
    'resources.clips.timeout_seconds': rules.resources.clips.timeoutSeconds,
    'retry.jitter': rules.retry.jitter,
  };
  for (const [path, { min, max }] of Object.entries(ranges)) {
    if (min > max) wrong(`${path}.min`, `${min} is above ${path}.max, ${max}`);
  }
  if (alarms.mailTo.length > 0 && (alarms.mailServer === null || alarms.mailFrom === null)) {
    wrong('alarms.mail_to', 'needs alarms.mail_server and alarms.mail_from as well');
  }
  if ((alarms.mailUser === null) !== (alarms.mailPassword === null)) {
    wrong('alarms.mail_user', 'needs alarms.mail_password, and the other way round');
  }
  const { addresses, operators, operatorGroups, viewers, viewerGroups } = dashboard.proxy;
  if (addresses.length > 0 && ![operators, operatorGroups, viewers, viewerGroups].flat().length) {
    wrong(
      'dashboard.proxy.addresses',
      'needs operators, operator_groups, viewers or viewer_groups as well: without them nobody may look or act',
    );
  }
  if (rules.targets.default.length === 0)
    wrong('targets.default', 'found an empty list, expected at least one data type');
  if (rules.limits.renewSeconds >= rules.limits.busyLeaseSeconds) {
    wrong(
      'limits.renew_seconds',
      `found ${rules.limits.renewSeconds}, expected less than limits.busy_lease_seconds, ${rules.limits.busyLeaseSeconds}`,
    );
  }
  if (rules.limits.renewSeconds >= rules.limits.consideringLeaseSeconds) {
    wrong(
      'limits.renew_seconds',
      `found ${rules.limits.renewSeconds}, expected less than limits.considering_lease_seconds, ${rules.limits.consideringLeaseSeconds}`,
    );
  }
  return found;
}

function slurmContradictions({ slurm, paths, host }: Settings): Contradiction[] {
  const found: Contradiction[] = [];
  const extra = problemOfExtra(slurm.extra);
  if (extra !== null) found.push({ setting: 'slurm.extra', problem: extra });
  if (slurm.maxPending > slurm.maxJobs) {
    const problem = `found ${slurm.maxPending}, expected at most slurm.max_jobs, ${slurm.maxJobs}`;
    found.push({ setting: 'slurm.max_pending', problem });
  }
  if (slurm.memoryGb > slurm.maxMemoryGb) {
    const problem = `found ${slurm.memoryGb}, expected at most slurm.max_memory_gb, ${slurm.maxMemoryGb}`;
    found.push({ setting: 'slurm.memory_gb', problem });
  }
  if (!slurm.enabled) return found;
  if (slurm.shared === null) {
    const problem = 'needs slurm.shared as well: a folder that this host and the nodes see';
    return [...found, { setting: 'slurm.enabled', problem }];
  }
  if (!/^[\w.-]+$/.test(host.name)) {
    const problem = `needs a host name of letters, digits, dots and hyphens, and found host.name "${host.name}"`;
    found.push({ setting: 'slurm.enabled', problem });
  }
  if (/[%\\\n]/.test(slurm.shared)) {
    const problem = `${slurm.shared} has a character in its name that Slurm takes for something else: %, a backslash or a line break`;
    found.push({ setting: 'slurm.shared', problem });
  }
  const within = [
    ['paths.output', paths.output],
    ['paths.staging', stagingDirectory(paths)],
    ['paths.live_data', paths.liveData],
  ].find(([, folder]) => folder !== undefined && isWithin(slurm.shared ?? '', folder));
  if (within !== undefined) {
    const problem = `${slurm.shared} lies in ${within[0]}, ${within[1]}, where other programs look: choose a folder beside it`;
    found.push({ setting: 'slurm.shared', problem });
  }
  return found;
}
