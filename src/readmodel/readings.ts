import { handOnGraceSeconds, whyNotHandedOn } from '../attempt/certification.pure.ts';
import { writerOf } from '../exclusion/two-managers.pure.ts';
import type { Standing, Standings } from '../features/actions/acknowledgement.pure.ts';
import { runSeen } from '../features/actions/seen.pure.ts';
import { type HostView, hostView } from '../host/host-document.pure.ts';
import { type Clock, monotonicMs, systemClock } from '../infra/clock/clock.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { Store } from '../ports/store.ts';
import { idText } from '../run/document-id.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { HOLD_TAG } from '../run/run-tags.pure.ts';
import { runView } from '../run/run-view.pure.ts';
import type { StripCell } from './api.ts';
import { attention, type AttentionItem, type RunToLookAt } from './attention.pure.ts';
import { type HostCard, hostCard, hostScores, type Sign } from './hosts.pure.ts';
import { latencyPlot, outcomePlot, type TakenRun, throughputPlot } from './hours.pure.ts';
import type { StoredSign } from './overview.port.ts';
import { type Queue, queueOf, type Waiting } from './queue.pure.ts';
import { type RunRow, runRow } from './run-row.pure.ts';

const STRIP_CELLS = 100;
/** More waiting runs than this are shown as "at least". */
const MOST_WAITING = 1000;
/** Failed runs that began before this age are on the page of runs alone. */
const FAILED_DAYS = 30;
const MOST_FAILED = 1000;
/** Runs whose cause is read from the history; of more nobody reads the headlines. */
const MOST_CAUSES = 500;
/** Done runs that began before this age are not handed on by themselves; other programs may have gone on with them. */
const UNFINISHED_DAYS = 7;
const MOST_UNFINISHED = 200;
const PLOT_HOURS = 24;
const MOST_PLOTTED = 5000;
/** A run that began before this age and has no end is not being taken: its end was never written. */
const LONGEST_RUN_HOURS = 24;
/** A promised retry may be late by the poll interval; a silent host is an item of its own. */
const PROMISE_GRACE_SECONDS = 60;
/** Heartbeats come at least every 10 s. */
const SIGN_SECONDS = 30;
const SIGNS_EVERY_MS = 5000;
/** Ages of the heartbeats that serve the disk forecast, minutes. */
const DISK_LOOKS_MINUTES = [60, 45, 30, 15];
const DISK_LOOK_SECONDS = 40;
const DISK_LOOK_EVERY_MS = 300_000;
/** Thinned heartbeats, one per five minutes, for ages that `eb_monitor` does not reach. */
const THINNED = { fromMinutes: 62, toMinutes: 5, most: 15 };

type Source = Pick<Store, 'runs' | 'hosts' | 'overview' | 'actions'>;

interface Waits {
  queue: Queue;
  attention: AttentionItem[];
}

/** A run's row from its document. */
export function rowOf(document: RunDocument, now: Date, rules: Rules): RunRow {
  const stored = readRun(document);
  return runRow(
    idText(document._id),
    runView(stored, now, rules.limits),
    rules.retry.maxFailures,
    runSeen(stored),
  );
}

/** The runs being taken or processed, and the strip. */
export async function readRuns(
  { overview }: Source,
  rules: Rules,
  now: Date,
): Promise<{ working: RunRow[]; strip: StripCell[] }> {
  const [recent, inWork] = await Promise.all([overview.recent(STRIP_CELLS), overview.working()]);
  const rows = recent.map((document) => rowOf(document, now, rules));
  const taken = rows.filter(
    ({ end, start, seconds }) =>
      end === null && start !== null && (seconds ?? 0) < LONGEST_RUN_HOURS * 3600,
  );
  const inWorkRows = inWork.map((document) => rowOf(document, now, rules));
  const byId = new Map([...taken, ...inWorkRows].map((row) => [row.id, row]));
  return {
    working: [...byId.values()].sort((a, b) => (b.run ?? 0) - (a.run ?? 0)),
    strip: rows
      .flatMap(({ run, condition, start }) => (run === null ? [] : [{ run, condition, start }]))
      .reverse(),
  };
}

/**
 * All hosts with their newest heartbeats. The documents of hosts are read each time, heartbeats and disks
 * less often.
 */
export class HostReader {
  readonly #past = new Map<string, Sign[]>();
  #pastReadAtMs = -Infinity;
  /** Heartbeats by host, oldest first. */
  #newest = new Map<string, Sign[]>();
  #newestReadAtMs = -Infinity;
  #cards: HostCard[] = [];
  #said = '';
  readonly #clock: Pick<Clock, 'monotonicSeconds'>;

  constructor(clock: Pick<Clock, 'monotonicSeconds'>) {
    this.#clock = clock;
  }

  async read(
    { hosts, overview }: Source,
    rules: Rules,
    now: Date,
  ): Promise<{ views: HostView[]; cards: HostCard[] }> {
    const { presumedDeadSeconds } = rules.limits;
    const documents = await hosts.all();
    const names = documents.map(({ host }) => host);
    const hasSigns = await this.#readSigns(overview, names, now);
    const views = documents
      .map((document) => {
        const newest = this.#newest.get(document.host)?.at(-1);
        const heard = newest === undefined ? null : new Date(newest.atMs);
        return hostView(document, now, presumedDeadSeconds, heard);
      })
      .sort((a, b) => a.host.localeCompare(b.host));
    const said = JSON.stringify(views.map(whatItSays));
    if (hasSigns || said !== this.#said) {
      const limits = { diskPercent: rules.disk.maxUsedPercent, presumedDeadSeconds };
      this.#cards = views.map((view) => hostCard(view, this.#signsOf(view.host), limits, now));
      this.#said = said;
    }
    return { views, cards: this.#cards };
  }

  /** False: the next reading is not due yet. */
  async #readSigns(
    overview: Source['overview'],
    names: readonly string[],
    now: Date,
  ): Promise<boolean> {
    const atMs = monotonicMs(this.#clock);
    if (atMs - this.#newestReadAtMs < SIGNS_EVERY_MS) return false;
    const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
    // Not the first time: hosts are to be shown quickly, the forecast can wait.
    if (this.#newestReadAtMs > -Infinity && atMs - this.#pastReadAtMs > DISK_LOOK_EVERY_MS) {
      const { fromMinutes, toMinutes, most } = THINNED;
      const looks = await Promise.all([
        overview.thinnedSigns(names, ago(fromMinutes * 60), ago(toMinutes * 60), most),
        ...DISK_LOOKS_MINUTES.map((minutes) =>
          overview.signs(names, ago(minutes * 60), ago(minutes * 60 - DISK_LOOK_SECONDS), 8),
        ),
      ]);
      this.#past.clear();
      for (const sign of looks.flat().map(signOf)) {
        this.#past.set(sign.host, [...(this.#past.get(sign.host) ?? []), sign]);
      }
      this.#pastReadAtMs = atMs;
    }
    const stored = await overview.signs(names, ago(SIGN_SECONDS), ago(-SIGN_SECONDS), 20);
    const oldestFirst = stored.map(signOf).sort((a, b) => a.atMs - b.atMs);
    this.#newest = new Map();
    for (const sign of oldestFirst) {
      this.#newest.set(sign.host, [...(this.#newest.get(sign.host) ?? []), sign]);
    }
    this.#newestReadAtMs = atMs;
    return true;
  }

  #signsOf(host: string): Sign[] {
    return [...(this.#past.get(host) ?? []), ...(this.#newest.get(host) ?? [])];
  }
}

/** The document without fields that differ although nothing has happened. */
function whatItSays({ time: _time, ageSeconds: _age, freeSince: _free, ...said }: HostView) {
  return said;
}

/** A heartbeat as it is shown; a value that is not a number counts as unknown. */
export function signOf(stored: StoredSign): Sign {
  const { host, time, targets } = stored;
  const number = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;
  return {
    host,
    atMs: time.getTime(),
    cpuPercent: number(stored['cpu_percent']),
    memoryPercent: number(stored['memory_percent']),
    swapPercent: number(stored['swap_percent']),
    // A manager that has not measured its disk yet writes 0.
    diskPercent: number(stored['disk_used']) || null,
    liveDiskPercent: number(stored['live_disk_used']),
    load: number(stored['load']),
    clockSkewSeconds: number(stored['clock_skew']),
    targets: Array.isArray(targets) ? targets.filter((type) => typeof type === 'string') : [],
    cores: number(stored['cores']),
    writer: writerOf(stored),
  };
}

/** The queue, and what needs attention. */
export async function readWaiting(
  store: Source,
  cards: HostCard[],
  rules: Rules,
  now: Date,
): Promise<Waits> {
  const waiting = await readWaitingRuns(store, cards, rules, now);
  return { queue: waiting.queue, attention: waiting.attention };
}

/** The same, with the new runs and the rows of failed and busy runs behind it. */
export async function readWaitingRuns(
  { overview, actions }: Source,
  cards: HostCard[],
  rules: Rules,
  now: Date,
): Promise<Waits & { untouched: Waiting[]; rows: RunRow[] }> {
  const ago = (days: number) => new Date(now.getTime() - days * 86_400_000);
  const [untouched, failed, withoutRetry, inWork, recent, unfinished, standings] =
    await Promise.all([
      overview.untouched(MOST_WAITING),
      overview.failedSince(ago(FAILED_DAYS), MOST_FAILED),
      overview.withoutRetry(MOST_WAITING),
      overview.working(),
      // Only the newest done runs are checked.
      overview.recent(STRIP_CELLS),
      overview.doneWithoutStatus(ago(UNFINISHED_DAYS), MOST_UNFINISHED),
      actions.standing(),
    ]);
  const stuck = [...failed, ...withoutRetry];
  const causes = await overview.causes(stuck.flatMap(lastAttemptOf).slice(0, MOST_CAUSES));
  const all = new Map(
    [...failed, ...withoutRetry, ...inWork].map((document) => [idText(document._id), document]),
  );
  const rows = [...all.values()].map((document): RunToLookAt => {
    const [attempt] = lastAttemptOf(document);
    const lastCause = attempt === undefined ? null : (causes.get(attempt) ?? null);
    return { ...rowOf(document, now, rules), lastCause };
  });
  const retried = rows.filter(({ condition }) =>
    ['retrying', 'requeued', 'held'].includes(condition),
  );
  const waiting = untouched.map(waitingOf);
  const done = doneToLookAt(recent, unfinished, now, rules).filter(({ id }) => !all.has(id));
  const known = new Set([...all.keys(), ...done.map(({ id }) => id)]);
  const documents = [...all.values(), ...recent, ...unfinished];
  const changedAt = new Map(documents.map((each) => [idText(each._id), timeOf(each)]));
  return {
    untouched: waiting,
    rows,
    queue: queueOf(
      waiting,
      retried.map(({ run, nextRetry, condition }) => ({
        run,
        start: null,
        held: condition === 'held',
        nextRetry: nextRetry === null ? null : new Date(nextRetry),
      })),
      untouched.length === MOST_WAITING || failed.length === MOST_FAILED,
      now,
    ),
    attention: attention(
      {
        runs: [...rows, ...done, ...othersOf(recent, known, now, rules)],
        hosts: cards,
        changedAt,
        standings: standingsOf(standings),
      },
      {
        promiseGraceSeconds: PROMISE_GRACE_SECONDS,
        busyLeaseSeconds: rules.limits.busyLeaseSeconds,
        consideringLeaseSeconds: rules.limits.consideringLeaseSeconds,
        overdueSeconds: rules.claim.overdueSeconds,
        stalledAttentionSeconds: rules.limits.stalledAttentionSeconds,
      },
      now,
    ),
  };
}

/** Done runs that need attention, each once. */
function doneToLookAt(
  recent: readonly RunDocument[],
  unfinished: readonly RunDocument[],
  now: Date,
  rules: Rules,
): RunToLookAt[] {
  const grace = handOnGraceSeconds(rules);
  const reasons = new Map(
    unfinished.map((each) => [idText(each._id), whyNotHandedOn(readRun(each), now, grace)]),
  );
  const byId = new Map([...recent, ...unfinished].map((each) => [idText(each._id), each]));
  return [...byId].flatMap(([id, document]) => {
    const notHandedOn = reasons.get(id) ?? null;
    if (notHandedOn === null && readRun(document).own.incomplete === null) return [];
    return [{ ...rowOf(document, now, rules), notHandedOn }];
  });
}

/** The newest runs beside those: some may be taken at once, or share a number. */
function othersOf(
  recent: readonly RunDocument[],
  known: ReadonlySet<string>,
  now: Date,
  rules: Rules,
): RunToLookAt[] {
  return recent
    .filter(({ _id }) => !known.has(idText(_id)))
    .map((document) => rowOf(document, now, rules));
}

/** What needs attention, read in one call. */
export async function attentionNow(
  store: Source & Pick<Store, 'serverTime'>,
  rules: Rules,
): Promise<AttentionItem[]> {
  const now = await store.serverTime();
  const { cards } = await new HostReader(systemClock).read(store, rules, now);
  return (await readWaiting(store, cards, rules, now)).attention;
}

/** Acknowledgements by item. */
export function standingsOf(standings: readonly Standing[]): Standings {
  return new Map(standings.map((standing) => [standing.item, standing]));
}

function lastAttemptOf(document: RunDocument): string[] {
  const { lastAttempt } = readRun(document).own;
  return lastAttempt === null ? [] : [lastAttempt];
}

const timeOf = (document: RunDocument): Date | null => readRun(document).bootstrax.time;

/** A new run as the queue uses it. */
function waitingOf(document: RunDocument): Waiting {
  const { number, start, tags } = readRun(document);
  return { run: number, start, held: tags.includes(HOLD_TAG), nextRetry: null };
}

/** The plots of the last day, and how each host did against the others. */
export async function readDay({ overview }: Source, now: Date) {
  const since = new Date(now.getTime() - PLOT_HOURS * 3_600_000);
  const [runs, ended] = await Promise.all([
    overview.begunSince(since, MOST_PLOTTED),
    overview.endedSince(since, MOST_PLOTTED),
  ]);
  const outputs = new Map(
    ended.flatMap(({ run, outcome, firstOutput }) =>
      outcome === 'done' && firstOutput !== null ? [[run, firstOutput] as const] : [],
    ),
  );
  const taken = runs.flatMap((document) => takenOf(document, outputs));
  return {
    plots: {
      latency: latencyPlot(taken, now, PLOT_HOURS),
      outcomes: outcomePlot(ended, now, PLOT_HOURS),
      throughput: throughputPlot(taken, now, PLOT_HOURS),
    },
    scores: hostScores(ended),
  };
}

/** `outputs`: first output of the attempt that made a run done, by its number. */
function takenOf(document: RunDocument, outputs: ReadonlyMap<number, Date>): TakenRun[] {
  const { number, start, end, mode, bootstrax, own, averageRateMBps } = readRun(document);
  if (start === null) return [];
  const { state, time, startedProcessing } = bootstrax;
  const made = number === null ? null : outputs.get(number);
  return [
    {
      ...{ start, end, mode },
      firstOutput: own.progress?.firstOutput ?? made ?? null,
      done: state === 'done' ? time : null,
      began: startedProcessing,
      coveredSeconds: state === 'busy' ? (own.progress?.coveredSeconds ?? null) : null,
      rateMBps: averageRateMBps,
    },
  ];
}
