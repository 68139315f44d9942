import {
  itemMarks,
  type Acknowledged,
  type Standings,
} from '../features/actions/acknowledgement.pure.ts';
import { boundedLine } from '../infra/values/bounded.pure.ts';
import { namedInWords } from '../host/host-document.pure.ts';
import { slotsNow, type SlotsNow } from '../claim/slots.pure.ts';
import { TWO_MANAGERS_TODO, twoManagersText } from '../exclusion/two-managers.pure.ts';
import { clusterTrouble, type ClusterTrouble } from './attention-cluster.pure.ts';
import type { HostCard } from './hosts.pure.ts';
import type { RunRow } from './run-row.pure.ts';
import { stallText } from '../run/stall.pure.ts';
import { takenTogether, type TakenTogether } from './taken-together.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { ABANDON_TAG } from '../run/run-tags.pure.ts';

/** One problem that does not go away by itself. */
export interface AttentionItem {
  kind:
    | 'given_up'
    | 'set_aside'
    | 'promise_missed'
    | 'run_silent'
    | 'run_stalled'
    | 'taken_together'
    | 'host_silent'
    | 'host_quarantined'
    | 'two_managers'
    | 'same_number'
    | 'runs_left'
    | ClusterTrouble['kind']
    | 'incomplete'
    | 'not_handed_on';
  /** The host or run whose page the item opens. */
  run: number | null;
  host: string | null;
  /** One sentence: what is wrong. */
  what: string;
  /** Since when, if known; ISO 8601, UTC. */
  since: string | null;
  /** What a person can do, as a command or a sentence. */
  todo: string;
  /** For actions. */
  key: string;
  seen: string;
  acknowledged: Acknowledged | null;
}

type Bare = Omit<AttentionItem, 'key' | 'seen' | 'acknowledged'> & {
  /** Differs between two occurrences of the same kind. */
  occurrence: string;
};

export interface AttentionLimits {
  /** Time by which a promised retry may be late. */
  promiseGraceSeconds: number;
  /** Age that the heartbeat of a busy run may reach. */
  busyLeaseSeconds: number;
  consideringLeaseSeconds: number;
  /** A stalled run is an item after this time without progress. */
  stalledAttentionSeconds: number;
  /** A retry that has waited for this time goes before new runs. */
  overdueSeconds: number;
}

/** `notHandedOn`: why a done run has no status that hands it on, where it should have one. */
export type RunToLookAt = RunRow & { notHandedOn?: string | null };

/** What the fleet is judged by. */
interface LookedAt {
  runs: readonly RunToLookAt[];
  hosts: readonly HostCard[];
  /** When each run changed last, by the id of its document. */
  changedAt: ReadonlyMap<string, Date | null>;
  standings?: Standings;
}

/** What needs attention, most urgent first; normally nothing. */
export function attention(
  { runs, hosts, changedAt, standings = new Map() }: LookedAt,
  limits: AttentionLimits,
  now: Date,
): AttentionItem[] {
  const places = slotsNow(hosts);
  const items = [
    ...hosts.flatMap(ofHost),
    ...takenTogether(runs, now).map(ofTogether),
    ...onceEachNumber(runs).flatMap((run) =>
      ofRun(run, changedAt.get(run.id) ?? null, { limits, now, places }).map((item) => ({
        ...item,
        occurrence: run.seen,
      })),
    ),
  ].map(({ occurrence, ...item }): AttentionItem => {
    const key = `${item.kind}:${item.run ?? item.host ?? '?'}`;
    return { ...item, ...itemMarks(key, occurrence, standings, now) };
  });
  return items.sort((a, b) => URGENCY[a.kind] - URGENCY[b.kind] || (b.run ?? 0) - (a.run ?? 0));
}

function ofTogether({ detector, runs, since }: TakenTogether): Bare {
  const numbers = runs.map(({ run }) => String(run ?? '?'));
  return {
    ...{ kind: 'taken_together', run: runs[0]?.run ?? null, host: null, since },
    what: `${counted(runs.length, 'run')} of ${detector} are being taken at once: ${namedInWords(numbers)}.`,
    todo: 'A detector takes one run at a time: the end of the earlier ones was never written. Call the DAQ expert.',
    occurrence: numbers.join(' '),
  };
}

/** Documents that are set aside for the same run number are one problem, and one item. */
function onceEachNumber(runs: readonly RunToLookAt[]): RunToLookAt[] {
  const told = new Set<number | null>();
  return runs.filter(({ run, condition, setAsideFor }) => {
    if (condition !== 'set_aside' || setAsideFor.length === 0) return true;
    const isFirst = !told.has(run);
    told.add(run);
    return isFirst;
  });
}

const URGENCY: Record<AttentionItem['kind'], number> = {
  two_managers: 0,
  host_silent: 1,
  host_quarantined: 2,
  run_silent: 3,
  run_stalled: 4,
  promise_missed: 5,
  given_up: 6,
  taken_together: 7,
  runs_left: 8,
  cluster_blocked: 8,
  node_excluded: 8,
  job_waits: 8,
  same_number: 9,
  set_aside: 10,
  not_handed_on: 11,
  incomplete: 12,
};

function ofHost(host: HostCard): Bare[] {
  if (host.condition === 'silent') return stateOf(host);
  const about = { run: null, host: host.host, since: null };
  const ofCluster = clusterTrouble(host).map((trouble) => ({ ...about, ...trouble }));
  return [...stateOf(host), ...leftBy(host), ...ofCluster];
}

/** One item for all runs of a host that the database refuses: they probably have the same cause. */
function leftBy({ host, leftRuns }: HostCard): Bare[] {
  const [first] = leftRuns;
  if (first === undefined) return [];
  const runs = leftRuns.map(({ run }) => run);
  return [
    {
      ...{
        run: null,
        host,
        kind: 'runs_left',
        since: null,
        occurrence: [...runs].sort().join(' '),
      },
      what: `${host} does not process ${namedInWords(runs)}, because the database refuses its writes to ${first.run}: ${first.why.replace(/\.$/, '')}.`,
      todo: 'Correct the document, or the rights of the database user; then the host tries again by itself.',
    },
  ];
}

function stateOf(host: HostCard): Bare[] {
  const about = { run: null, host: host.host };
  if (host.twoManagers !== null) {
    const [one, other] = host.twoManagers;
    return [
      {
        ...about,
        kind: 'two_managers',
        what: `${twoManagersText(host.host, [one, other])}.`,
        since: null,
        occurrence: [one, other].sort().join(' '),
        todo: TWO_MANAGERS_TODO,
      },
    ];
  }
  if (host.condition === 'silent') {
    return [
      {
        ...about,
        kind: 'host_silent',
        what: `${host.host} sends no heartbeat${host.runs.length > 0 ? `; it had run ${host.runs.join(', ')}` : ''}.`,
        since: host.lastSign,
        // Not the time of its newest heartbeat: older ones are not always read.
        occurrence: `since ${host.time}`,
        todo: `Check the machine. Start its manager again, or mark the host as taken out of service.`,
      },
    ];
  }
  if (host.condition === 'quarantined') {
    return [
      {
        ...about,
        kind: 'host_quarantined',
        what: `${host.host} takes no runs: ${host.whyNot ?? 'several runs in a row have failed on it'}.`,
        since: null,
        occurrence: host.whyNot ?? '',
        todo: `Compare its failures with those of other hosts. The host tries one run again by itself.`,
      },
    ];
  }
  return [];
}

function ofRun(
  run: RunToLookAt,
  changed: Date | null,
  { limits, now, places }: { limits: AttentionLimits; now: Date; places: SlotsNow },
): Omit<Bare, 'occurrence'>[] {
  const about = { run: run.run, host: run.host };
  const name = `Run ${run.run ?? 'without a number'}`;
  const because = run.why === null ? '' : `: ${run.why}`;
  const since = changed?.toISOString() ?? null;
  switch (run.condition) {
    case 'given_up':
      return [
        {
          ...about,
          kind: 'given_up',
          what: `${name} is given up after ${counted(run.failures, 'failure')}${because}`,
          since,
          todo: `bootstrax retry ${run.run ?? '?'} --from-start`,
        },
      ];
    case 'set_aside':
      return [ofSetAside(run, name, since)];
    case 'retrying':
    case 'requeued': {
      // Tagged to be abandoned, it is not tried again.
      if (run.nextRetry === null || run.tags.includes(ABANDON_TAG)) return [];
      if (!isLate(new Date(run.nextRetry), limits, now, places)) return [];
      return [
        {
          ...about,
          kind: 'promise_missed',
          what: `${name} is due for a retry, and no host has taken it${because}`,
          since: run.nextRetry,
          todo: `bootstrax explain ${run.run ?? '?'}`,
        },
      ];
    }
    case 'considering':
    case 'busy':
    case 'stalled': {
      const age = changed === null ? 0 : (now.getTime() - changed.getTime()) / 1000;
      return isSilent(run, age, limits) ? [ofSilent(run, name, since)] : ofStall(run, name, limits);
    }
    case 'done':
    case 'debt':
      return [...ofProducts(run, name, since), ...ofData(run, name, since)];
    default:
      return [];
  }
}

type OfRun = Omit<Bare, 'occurrence'>[];

function isSilent({ condition }: RunToLookAt, age: number, limits: AttentionLimits): boolean {
  const lease =
    condition === 'considering' ? limits.consideringLeaseSeconds : limits.busyLeaseSeconds;
  return age > lease + limits.promiseGraceSeconds;
}

function ofSilent(run: RunToLookAt, name: string, since: string | null): OfRun[number] {
  return {
    ...{ run: run.run, host: run.host, kind: 'run_silent', since },
    what: `${name} is ${run.condition} on ${run.host ?? 'an unknown host'} without a heartbeat, and no host has taken it over.`,
    todo: 'Check that managers run: bootstrax hosts',
  };
}

function ofSetAside(run: RunToLookAt, name: string, since: string | null): OfRun[number] {
  const about = { run: run.run, host: run.host, since };
  if (run.setAsideFor.length > 0) {
    return {
      ...about,
      kind: 'same_number',
      what: `${name} has ${counted(run.setAsideFor.length + 1, 'document')}. ${run.id} is set aside, because ${namedInWords(run.setAsideFor)} has the same number.`,
      todo: `bootstrax renumber ${run.id} NUMBER --reason TEXT, or remove the wrong document`,
    };
  }
  const again = run.run === null ? '.' : `, then bootstrax retry ${run.run}`;
  return {
    ...about,
    kind: 'set_aside',
    what: `${name} is set aside${run.why === null ? '' : `: ${run.why}`}`,
    todo: `Correct the document${again}`,
  };
}

/** A run that has failed before has waited for the same thing before, probably. */
function ofStall(run: RunToLookAt, name: string, limits: AttentionLimits): OfRun {
  const { progress, failures } = run;
  if (progress === null || !progress.isStalled) return [];
  const isItem = failures > 0 || (progress.stillSeconds ?? 0) >= limits.stalledAttentionSeconds;
  if (!isItem) return [];
  return [
    {
      ...{ run: run.run, host: run.host, kind: 'run_stalled', since: progress.movedAt },
      what: `${name} is stalled: ${stallText(progress)}.`,
      todo:
        progress.waitsFor === null
          ? `Read its log and its stacks: bootstrax logs ${run.run ?? '?'}`
          : 'Check the reader and the disk of the live data, and call the DAQ expert.',
    },
  ];
}

function ofProducts(run: RunToLookAt, name: string, since: string | null): OfRun {
  if (run.notHandedOn == null) return [];
  return [
    {
      ...{ run: run.run, host: run.host, kind: 'not_handed_on', since },
      what: `${name} is done on ${run.host ?? 'an unknown host'}, but not handed on: ${run.notHandedOn}.`,
      todo: `Check its data: the DAQ's log says what is missing. Restore it, or have it made again: bootstrax retry ${run.run ?? run.id} --even-done --reason TEXT`,
    },
  ];
}

function ofData(run: RunToLookAt, name: string, since: string | null): OfRun {
  if (run.incomplete.length === 0) return [];
  return [
    {
      ...{ run: run.run, host: run.host, kind: 'incomplete', since },
      what: `${name} is done, but live data was missing: ${boundedLine(run.incomplete.join(' '), LONGEST_LACK)}`,
      todo: `Once the files are whole: bootstrax retry ${run.run ?? run.id} --even-done --reason TEXT`,
    },
  ];
}

/** Characters. */
const LONGEST_LACK = 500;

/**
 * Whether a retry is late. New runs go first, so a due retry is late only if a host had a free slot and
 * did not take it, or if it has waited for the time after which it goes before new runs.
 */
function isLate(due: Date, limits: AttentionLimits, now: Date, places: SlotsNow): boolean {
  const grace = limits.promiseGraceSeconds;
  const waited = (from: Date) => (now.getTime() - from.getTime()) / 1000;
  if (places.kind === 'none' || waited(due) > limits.overdueSeconds + grace) {
    return waited(due) > grace;
  }
  if (places.kind === 'full') return false;
  const free = places.since;
  return waited(free !== null && free > due ? free : due) > grace;
}
