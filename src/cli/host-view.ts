import type { Settings } from '../config/entries.ts';
import type { HostFacts } from '../domain/claim.ts';
import type { HostDocument, Store } from '../store/types.ts';

/** One host as `status` and `hosts` show it. */
export interface HostView {
  host: string;
  /** `dead`: no sign for longer than the limit. */
  state: 'idle' | 'busy' | 'dead';
  /** ISO 8601, UTC. */
  time: string;
  ageSeconds: number;
  /** Of its manager. */
  pid: number | null;
  role: string | null;
  slots: number | null;
  runs: number[];
  /** Would it take a run? */
  accepting: boolean;
  /** Why not. */
  whyNot: string | null;
  worker: string | null;
  /** Its worker is warm, or will never be: a run starts without waiting for it. */
  workerReady: boolean;
  /** What it says it is doing. */
  thinking: string | null;
}

/** A host's document, judged by the server's clock. */
export function hostView(
  { host, state, time, extras }: HostDocument,
  now: Date,
  deadAfterSeconds: number,
): HostView {
  const ageSeconds = Math.max(0, (now.getTime() - time.getTime()) / 1000);
  const dead = ageSeconds > deadAfterSeconds;
  const {
    pid,
    role,
    slots,
    runs,
    accepting,
    why_not: whyNot,
    worker,
    worker_ready: workerReady,
    thinking,
  } = extras;
  return {
    host,
    state: dead ? 'dead' : state === 'idle' ? 'idle' : 'busy',
    time: time.toISOString(),
    ageSeconds,
    pid: typeof pid === 'number' ? pid : null,
    role: textOf(role),
    slots: typeof slots === 'number' ? slots : null,
    runs: Array.isArray(runs) ? runs.filter((run) => typeof run === 'number') : [],
    accepting: !dead && accepting === true,
    whyNot: textOf(whyNot),
    worker: textOf(worker),
    workerReady: workerReady === true,
    thinking: textOf(thinking),
  };
}

/** All hosts that ever wrote a document, by name. */
export async function hostViews(store: Store, settings: Settings, now: Date): Promise<HostView[]> {
  const { presumedDeadSeconds } = settings.rules.limits;
  const documents = await store.hosts.all();
  return documents
    .map((document) => hostView(document, now, presumedDeadSeconds))
    .sort((a, b) => a.host.localeCompare(b.host));
}

/**
 * This host for the decisions. Whether it takes runs is what its manager says; a host without a
 * manager is looked at as if it had one, since the question is what would happen to the run.
 */
export function hostFacts(settings: Settings, views: readonly HostView[]): HostFacts {
  const { name, role } = settings.host;
  const own = views.find((view) => view.host === name && view.state !== 'dead');
  const accepting: HostFacts['accepting'] =
    own === undefined || own.accepting || own.whyNot === null
      ? { ok: true }
      : { ok: false, reason: own.whyNot };
  return { host: name, role, accepting };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
