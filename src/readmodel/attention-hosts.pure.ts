import { TWO_MANAGERS_TODO, twoManagersText } from '../exclusion/two-managers.pure.ts';
import { namedInWords } from '../host/host-document.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { clusterTrouble } from './attention-cluster.pure.ts';
import type { Trouble } from './attention-item.pure.ts';
import type { HostCard } from './hosts.pure.ts';

/** A disk that is full sooner than this needs attention. */
const DISK_FULL_HOURS = 6;
/** Packages whose versions go into the lineage of the data. */
const OF_LINEAGE = ['strax', 'straxen'] as const;

/** What is wrong with one host. */
export function hostTroubles(host: HostCard): Trouble[] {
  if (host.condition === 'silent') return stateOf(host);
  const about = { run: null, host: host.host, since: null };
  const ofCluster = clusterTrouble(host).map((trouble) => ({ ...about, ...trouble }));
  return [...stateOf(host), ...diskOf(host), ...leftBy(host), ...ofCluster];
}

/** One item for all runs of a host that the database refuses: they probably have the same cause. */
function leftBy({ host, leftRuns }: HostCard): Trouble[] {
  const [first] = leftRuns;
  if (first === undefined) return [];
  const runs = leftRuns.map(({ run }) => run);
  return [
    {
      ...{ kind: 'runs_left', run: null, host, since: null },
      what: `${host} does not process ${namedInWords(runs)}: the database refuses its writes.`,
      detail: `The database refuses its writes to ${first.run}: ${first.why.replace(/\.$/, '')}.`,
      todo: 'Correct the document, or the rights of the database user; then the host tries again by itself.',
      occurrence: [...runs].sort().join(' '),
    },
  ];
}

function stateOf(host: HostCard): Trouble[] {
  const about = { run: null, host: host.host };
  if (host.twoManagers !== null) {
    const [one, other] = host.twoManagers;
    return [
      {
        ...{ ...about, kind: 'two_managers', since: null },
        what: `Two managers write under the name ${host.host} at the same time.`,
        detail: `${twoManagersText(host.host, [one, other])}.`,
        occurrence: [one, other].sort().join(' '),
        todo: TWO_MANAGERS_TODO,
      },
    ];
  }
  if (host.condition === 'silent') {
    return [
      {
        ...{ ...about, kind: 'host_silent', since: host.lastSign },
        what: `${host.host} sends no heartbeat${host.runs.length > 0 ? `; it had run ${host.runs.join(', ')}` : ''}.`,
        // Not the time of its newest heartbeat: older ones are not always read.
        occurrence: `since ${host.time}`,
        todo: `Check the machine. Start its manager again, or mark the host as taken out of service.`,
      },
    ];
  }
  if (host.condition === 'quarantined') {
    return [
      {
        ...{ ...about, kind: 'host_quarantined', since: null },
        what: `${host.host} takes no runs: several runs in a row have failed on it.`,
        detail: host.whyNot,
        occurrence: host.whyNot ?? '',
        todo: `Compare its failures with those of other hosts. The host tries one run again by itself.`,
      },
    ];
  }
  return [];
}

function diskOf({
  host,
  diskFullInHours: hours,
  diskPercent,
  diskLimitPercent,
}: HostCard): Trouble[] {
  if (hours === null || hours >= DISK_FULL_HOURS) return [];
  return [
    {
      ...{ kind: 'output_disk', run: null, host, since: null },
      what: `The output disk of ${host} is ${fullText(hours)}.`,
      detail: `${Math.round(diskPercent ?? 0)} % are used; from ${diskLimitPercent} % on the host takes no run.`,
      todo: 'Check that data is moved away from this disk. Otherwise make room, or drain the host.',
      occurrence: 'full',
    },
  ];
}

function fullText(hours: number): string {
  if (hours === 0) return 'full';
  const minutes = Math.max(1, Math.round(hours * 60));
  return `full in ${hours < 2 ? `${minutes} min` : `${Math.round(hours)} h`}`;
}

/** What is wrong with several hosts together. */
export function fleetTroubles(hosts: readonly HostCard[]): Trouble[] {
  const heard = hosts.filter(({ condition }) => condition !== 'silent');
  return [...liveDiskOf(heard), ...OF_LINEAGE.flatMap((name) => versionsOf(heard, name))];
}

/** All hosts read the same live data: one item, of the host that sees it fill up first. */
function liveDiskOf(hosts: readonly HostCard[]): Trouble[] {
  const hours = Math.min(
    ...hosts.map(({ liveDiskFullInHours }) => liveDiskFullInHours ?? Infinity),
  );
  const first = hosts.find(({ liveDiskFullInHours }) => liveDiskFullInHours === hours);
  if (first === undefined || hours >= DISK_FULL_HOURS) return [];
  return [
    {
      ...{ kind: 'live_disk', run: null, host: null, since: null },
      what: `The disk of the live data is ${fullText(hours)}.`,
      detail: `${Math.round(first.liveDiskPercent ?? 0)} % are used, as measured by ${first.host}.`,
      todo: 'Check that the live data of done runs is deleted. The DAQ can take no run on a full disk.',
      occurrence: 'full',
    },
  ];
}

/** Hosts with different versions of a package make data of different lineages. */
function versionsOf(hosts: readonly HostCard[], name: string): Trouble[] {
  const byVersion = new Map<string, string[]>();
  for (const { host, versions } of hosts) {
    const version = versions[name];
    if (version !== undefined) byVersion.set(version, [...(byVersion.get(version) ?? []), host]);
  }
  if (byVersion.size < 2) return [];
  const said = [...byVersion]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([version, on]) => `${version} on ${namedInWords(on)}`);
  return [
    {
      ...{ kind: 'versions_differ', run: null, host: null, since: null },
      what: `The hosts have ${counted(byVersion.size, 'version')} of ${name}: ${said.join('; ')}.`,
      todo: 'Their data may have different lineages. Install the same version on all of them.',
      occurrence: said.join('; '),
    },
  ];
}
