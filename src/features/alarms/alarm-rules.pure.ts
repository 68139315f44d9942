import type { AttentionItem } from '../../readmodel/attention.pure.ts';
import type { HostCard } from '../../readmodel/hosts.pure.ts';
import type { Alarm } from './alarm.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';

/** What the rules look at, as it was read at one time. */
export interface AlarmFacts {
  attention: readonly AttentionItem[];
  hosts: readonly HostCard[];
  /** Untouched runs. */
  untouched: readonly { run: number | null; start: Date | null; held: boolean }[];
  /** Runs that a host has in its hands. */
  inWork: number;
  /** Attempts that ended within `nothingProcessedSeconds`. */
  ended: readonly { run: number; outcome: string; counted: boolean }[];
}

export interface AlarmLimits {
  /** A disk that is full sooner than this, hours. */
  diskFullHours: number;
  nothingProcessedSeconds: number;
}

/** Older than this it is no news, and nobody is woken by it. */
const NEWS_HOURS = 24;
/** So many different runs that fail, and none that succeeds, are not those runs' fault. */
const FAILING_RUNS = 3;
const MOST_NAMED = 10;
const MOST_LETTERS = 300;

/**
 * Everything that is to be told now. `open`: keys of alarms that are open already. What is older than
 * a day, or acknowledged, is told no more, but goes on if it is open.
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
  if (kind !== 'given_up' && kind !== 'host_silent' && kind !== 'not_handed_on') return [];
  if (item.acknowledged !== null && !open.has(key)) return [];
  const since = dateOf(item.since);
  if (kind !== 'host_silent') return [{ key, kind, run, host: null, what, todo, since }];
  // A host that a person has taken out may well be switched off.
  const card = hosts.find((each) => each.host === host);
  if (card?.whyNotKind === 'drained') return [];
  return [{ key, kind, run: null, host, what, todo, since }];
}

/** One alarm for all of them: what keeps one run from its promise keeps the others as well. */
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
          : `${missed.length} runs were to go on, and no host has taken them: ${named(missed.map(({ run }) => run))}.`,
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
  const used = `${(diskPercent ?? 0).toFixed(0)} % used, no run is taken from ${diskLimitPercent} % on`;
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
      todo: 'Is the data taken away from there? Otherwise make room, or drain the host.',
      since: null,
    },
  ];
}

/** All hosts read the same live data: one alarm, whoever sees it. */
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
  const used = `${(first.liveDiskPercent ?? 0).toFixed(0)} % used, as ${first.host} sees it`;
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
      todo: 'The data acquisition stops when it is full: is live data of processed runs deleted?',
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
  const failing = new Set(facts.ended.filter(({ counted }) => counted).map(({ run }) => run));
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
      what: `No run has been processed for ${minutes} min, though runs are taken: ${waiting.length === 1 ? 'one waits' : `${waiting.length} wait`}, ${named(waiting.map(({ run }) => run))}.`,
      todo: 'Is any manager running, and does it take runs? bootstrax hosts',
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

/** What comes from documents is one line of limited length without control characters. */
function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return line.length <= MOST_LETTERS ? line : `${line.slice(0, MOST_LETTERS - 1)}…`;
}
