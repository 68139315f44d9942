import { counted } from '../../infra/values/counted.pure.ts';
import type { AttentionItem } from '../../readmodel/attention.pure.ts';
import type { HostCard } from '../../readmodel/hosts.pure.ts';
import type { Alarm } from './alarm.pure.ts';

/** The facts for the rules, read at one time. */
export interface AlarmFacts {
  attention: readonly AttentionItem[];
  hosts: readonly HostCard[];
  /** New runs. */
  untouched: readonly { run: number | null; start: Date | null; held: boolean }[];
  /** Runs that a host holds. */
  inWork: number;
  /** Attempts that ended within `nothingProcessedSeconds`. */
  ended: readonly { run: number; outcome: string; counted: boolean }[];
}

export interface AlarmLimits {
  /** A disk that is full sooner than this is an alarm. */
  diskFullHours: number;
  nothingProcessedSeconds: number;
}

/** Problems older than this raise no new alarm. */
const NEWS_HOURS = 24;
/** If this number of different runs fail and none succeeds, the runs are not at fault. */
const FAILING_RUNS = 3;
const MOST_NAMED = 10;
const MOST_LETTERS = 300;

/**
 * The alarms that should be open now. `open`: keys of those that are. A problem that is older than a day
 * or acknowledged raises no new alarm; an open one stays open.
 */
export function alarmsOf(
  facts: AlarmFacts,
  open: ReadonlySet<string>,
  limits: AlarmLimits,
  now: Date,
): Alarm[] {
  const oldest = now.getTime() - NEWS_HOURS * 3_600_000;
  const known = facts.attention.filter(
    ({ key, since }) => open.has(key) || since === null || Date.parse(since) >= oldest,
  );
  const found = [
    ...known.flatMap((item) => ofItem(item, facts.hosts, open)),
    ...missedPromises(known, open),
    ...facts.hosts.flatMap((host) => outputDisk(host, limits, open)),
    ...liveDisk(facts.hosts, limits, open),
    ...nothingProcessed(facts, limits, now),
  ];
  return found.map((alarm) => ({ ...alarm, what: plain(alarm.what), todo: plain(alarm.todo) }));
}

function ofItem(
  item: AttentionItem,
  hosts: readonly HostCard[],
  open: ReadonlySet<string>,
): Alarm[] {
  const { kind, run, host, what, todo, key } = item;
  if (!isAlarmKind(kind)) return [];
  if (item.acknowledged !== null && !open.has(key)) return [];
  const since = dateOf(item.since);
  if (kind !== 'host_silent') return [{ key, kind, run, host: null, what, todo, since }];
  // A drained host may have been switched off on purpose.
  const card = hosts.find((each) => each.host === host);
  if (card?.whyNotKind === 'drained') return [];
  return [{ key, kind, run: null, host, what, todo, since }];
}

type ItemAlarm = Extract<
  AttentionItem['kind'],
  'given_up' | 'host_silent' | 'not_handed_on' | 'run_stalled'
>;
const OF_ITEMS: ReadonlySet<string> = new Set<ItemAlarm>([
  ...(['given_up', 'host_silent', 'not_handed_on', 'run_stalled'] as const),
]);

function isAlarmKind(kind: AttentionItem['kind']): kind is ItemAlarm {
  return OF_ITEMS.has(kind);
}

/** One alarm for all missed promises: they probably have one cause. */
function missedPromises(attention: readonly AttentionItem[], open: ReadonlySet<string>): Alarm[] {
  const key = 'promise_missed';
  const missed = attention.filter(
    ({ kind, acknowledged }) =>
      (kind === 'promise_missed' || kind === 'run_silent') &&
      (acknowledged === null || open.has(key)),
  );
  const [first] = missed;
  if (first === undefined) return [];
  const since = missed.flatMap((item) => dateOf(item.since) ?? []).sort((a, b) => +a - +b)[0];
  return [
    {
      key,
      kind: 'promise_missed',
      run: missed.length === 1 ? first.run : null,
      host: null,
      what:
        missed.length === 1
          ? first.what
          : `${missed.length} runs are due, and no host has taken them: ${named(missed.map(({ run }) => run))}.`,
      todo: first.run === null ? 'bootstrax hosts' : `bootstrax explain ${first.run}`,
      since: since ?? null,
    },
  ];
}

/** An alarm that is open stays until the forecast is well above the limit. */
const RELIEF = 1.5;

function isShort(hours: number | null, limit: number, isOpen: boolean): hours is number {
  return hours !== null && hours < limit * (isOpen ? RELIEF : 1);
}

function outputDisk(host: HostCard, limits: AlarmLimits, open: ReadonlySet<string>): Alarm[] {
  const key = `output_disk:${host.host}`;
  const { diskFullInHours: hours, diskPercent, diskLimitPercent } = host;
  if (host.condition === 'silent') return [];
  if (!isShort(hours, limits.diskFullHours, open.has(key))) return [];
  const used = `${(diskPercent ?? 0).toFixed(0)} % used, and from ${diskLimitPercent} % on the host takes no run`;
  return [
    {
      key,
      kind: 'output_disk',
      run: null,
      host: host.host,
      what:
        hours === 0
          ? `The output disk of ${host.host} is full: ${used}.`
          : `The output disk of ${host.host} is full in ${inWords(hours)}: ${used}.`,
      todo: 'Check that data is moved away from this disk. Otherwise make room, or drain the host.',
      since: null,
    },
  ];
}

/** All hosts read the same live data: one alarm, whichever host reports it. */
function liveDisk(
  hosts: readonly HostCard[],
  limits: AlarmLimits,
  open: ReadonlySet<string>,
): Alarm[] {
  const key = 'live_disk';
  const short = hosts
    .filter(({ condition }) => condition !== 'silent')
    .filter((host) => isShort(host.liveDiskFullInHours, limits.diskFullHours, open.has(key)))
    .sort((a, b) => (a.liveDiskFullInHours ?? 0) - (b.liveDiskFullInHours ?? 0));
  const [first] = short;
  if (first === undefined) return [];
  const hours = first.liveDiskFullInHours ?? 0;
  const used = `${(first.liveDiskPercent ?? 0).toFixed(0)} % used, as measured by ${first.host}`;
  return [
    {
      key,
      kind: 'live_disk',
      run: null,
      host: null,
      what:
        hours === 0
          ? `The disk of the live data is full: ${used}.`
          : `The disk of the live data is full in ${inWords(hours)}: ${used}.`,
      todo: 'The DAQ stops when this disk is full. Check that live data of processed runs is deleted.',
      since: null,
    },
  ];
}

function nothingProcessed(facts: AlarmFacts, limits: AlarmLimits, now: Date): Alarm[] {
  const { nothingProcessedSeconds: seconds } = limits;
  if (facts.ended.some(({ outcome }) => outcome === 'done')) return [];
  const about = {
    key: 'nothing_processed',
    kind: 'nothing_processed',
    run: null,
    host: null,
  } as const;
  const minutes = Math.round(seconds / 60);
  const failing = new Set(facts.ended.filter((attempt) => attempt.counted).map(({ run }) => run));
  if (failing.size >= FAILING_RUNS) {
    return [
      {
        ...about,
        what: `Every attempt of the last ${minutes} min has failed, at ${counted(failing.size, 'run')}: ${named([...failing])}.`,
        todo: 'bootstrax failures',
        since: null,
      },
    ];
  }
  const begun = (before: number) => now.getTime() - before * 1000;
  const waiting = facts.untouched.filter(
    ({ start, held }) =>
      !held &&
      start !== null &&
      start.getTime() <= begun(seconds) &&
      start.getTime() >= begun(Math.max(NEWS_HOURS * 3600, 2 * seconds)),
  );
  if (waiting.length === 0 || facts.inWork > 0) return [];
  return [
    {
      ...about,
      what: `No run has been processed for ${minutes} min, although the DAQ takes runs. ${waiting.length === 1 ? 'One run waits' : `${waiting.length} runs wait`}: ${named(waiting.map(({ run }) => run))}.`,
      todo: 'Check that managers run and take runs: bootstrax hosts',
      since: null,
    },
  ];
}

function named(runs: readonly (number | null)[]): string {
  const numbers = runs.flatMap((run) => run ?? []).sort((a, b) => a - b);
  const more = runs.length - Math.min(numbers.length, MOST_NAMED);
  const list = numbers.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${list}${list === '' ? '' : ' and '}${more} more` : list;
}

function inWords(hours: number): string {
  return hours < 2 ? `${Math.max(1, Math.round(hours * 60))} min` : `${Math.round(hours)} h`;
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** A text from a document as one line of limited length, without control characters. */
function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return line.length <= MOST_LETTERS ? line : `${line.slice(0, MOST_LETTERS - 1)}…`;
}
