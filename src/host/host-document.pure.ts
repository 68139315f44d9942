import { type ClusterFacts, clusterFactsOf } from '../executors/cluster-facts.pure.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';

/** A host's document as it is stored: what it says of itself. */
interface HostSaid {
  host: string;
  state: string;
  time: Date;
  extras: Record<string, unknown>;
}

/** For people: the run, or the document of one without a number. */
export interface LeftRun {
  run: string;
  why: string;
}

/** One host as `status`, `hosts` and the dashboard show it. */
export interface HostView {
  host: string;
  /** `dead`: no heartbeat for longer than the limit. */
  state: 'idle' | 'busy' | 'dead';
  /** ISO 8601, UTC. */
  time: string;
  /** Of its newest heartbeat. */
  ageSeconds: number;
  /** Of its manager. */
  pid: number | null;
  role: string | null;
  slots: number | null;
  runs: number[];
  /** Since when it has had a free slot and taken runs; ISO 8601, UTC, null: it has none, or does not say. */
  freeSince: string | null;
  /** Would it take a run? */
  accepting: boolean;
  /** Why not. */
  whyNot: string | null;
  /** What kind of thing keeps it: `disk`, `quarantine`, ...; null where its release does not say. */
  whyNotKind: string | null;
  /** A person wants no new run there; `expires` ISO 8601, UTC, null: until that is taken back. */
  drained: { reason: string; expires: string | null } | null;
  worker: string | null;
  /** Its worker is warm, or will never be: a run starts without waiting for it. */
  workerReady: boolean;
  /** Above this an attempt is ended; bytes, null where its release does not say. */
  memoryLimitBytes: number | null;
  /** Of its program and of Python packages, as far as they are known. */
  versions: Record<string, string>;
  /** Runs that it leaves alone for a while: the database refuses what has to be written. */
  leftRuns: readonly LeftRun[];
  /** How its cluster is; absent: it has none. */
  cluster?: ClusterFacts;
  /** What it says it is doing. */
  thinking: string | null;
}

/** A host's document, judged by the server's clock; `heard`: of a heartbeat of another kind, if any. */
export function hostView(
  { host, state, time, extras }: HostSaid,
  now: Date,
  deadAfterSeconds: number,
  heard: Date | null = null,
): HostView {
  const cluster = clusterFactsOf(extras['cluster_facts']);
  const lastMs = Math.max(time.getTime(), heard?.getTime() ?? 0);
  const ageSeconds = Math.max(0, (now.getTime() - lastMs) / 1000);
  const dead = ageSeconds > deadAfterSeconds;
  const {
    pid,
    role,
    slots,
    runs,
    accepting,
    why_not: whyNot,
    why_not_kind: whyNotKind,
    drained,
    worker,
    worker_ready: workerReady,
    memory_limit_bytes: memoryLimitBytes,
    free_for_seconds: freeForSeconds,
    versions,
    left_runs: leftRuns,
    thinking,
  } = extras;
  return {
    host,
    state: shownState(dead, state),
    time: time.toISOString(),
    ageSeconds,
    pid: typeof pid === 'number' ? pid : null,
    role: textOf(role),
    slots: typeof slots === 'number' ? slots : null,
    runs: Array.isArray(runs) ? runs.filter((run) => typeof run === 'number') : [],
    freeSince: before(time, freeForSeconds),
    accepting: !dead && accepting === true,
    whyNot: textOf(whyNot),
    whyNotKind: textOf(whyNotKind),
    drained: drainedOf(drained),
    worker: textOf(worker),
    workerReady: workerReady === true,
    memoryLimitBytes: typeof memoryLimitBytes === 'number' ? memoryLimitBytes : null,
    versions: versionsOf(versions),
    leftRuns: leftRunsOf(leftRuns),
    ...(cluster === null ? {} : { cluster }),
    thinking: textOf(thinking),
  };
}

function shownState(dead: boolean, state: unknown): HostView['state'] {
  if (dead) return 'dead';
  return state === 'idle' ? 'idle' : 'busy';
}

/** Null unless it is a time that there is. */
function before(time: Date, seconds: unknown): string | null {
  if (typeof seconds !== 'number') return null;
  const date = new Date(time.getTime() - seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** So many are named. */
const MOST_NAMED = 5;

/** The first of them, and how many more there are. */
export function namedInWords(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** For people: the runs that a host leaves alone; null: none. */
export function leftRunsText({ leftRuns }: Pick<HostView, 'leftRuns'>): string | null {
  if (leftRuns.length === 0) return null;
  const named = namedInWords(leftRuns.map(({ run }) => run));
  return `leaves ${leftRuns.length} alone (${named}): the database refuses what it writes of them`;
}

const MOST_LEFT = 20;
const LONGEST_LEFT = 300;

function leftRunsOf(value: unknown): LeftRun[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_LEFT).flatMap((each) => {
    const { run, why } = fieldsOf(each);
    const label = textOf(run);
    if (label === null) return [];
    const cut = (text: string) => text.slice(0, LONGEST_LEFT);
    return [{ run: cut(label), why: cut(textOf(why) ?? 'no reason is known') }];
  });
}

function versionsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

function drainedOf(value: unknown): HostView['drained'] {
  if (typeof value !== 'object' || value === null) return null;
  const { reason, expires } = value as { reason?: unknown; expires?: unknown };
  return {
    reason: textOf(reason) ?? 'no reason is known',
    expires: expires instanceof Date ? expires.toISOString() : null,
  };
}
