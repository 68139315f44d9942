import type { QuarantineRules } from '../infra/config/rules.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** One ended attempt on this host, with what matters for the trust in the host. */
export interface RecentAttempt {
  run: number;
  /** `neither`: a person, a manager or another host stopped it. */
  verdict: 'succeeded' | 'failed' | 'neither';
  /** Cause of a failure in words; null if it is not known. */
  what?: string | null;
  /** Ms since 1970 by the database's clock. */
  endedMs: number;
}

/** Another host that takes runs now. */
export interface OtherHost {
  host: string;
  /** When it last finished a run, ms since 1970; null if not lately. */
  lastSuccessMs: number | null;
}

export type HostTrust =
  | { kind: 'trusted' }
  /** Claims nothing until then, ms since 1970. */
  | { kind: 'quarantined'; untilMs: number; why: string }
  /** Tries one run at a time. */
  | { kind: 'on_probation'; why: string };

/**
 * Whether this host is trusted with runs. If several different runs in a row failed here since its last
 * success, while another host finished some, the fault is taken to be this host's. The host then pauses,
 * tries one run, and pauses longer if that fails too. Without another healthy host it goes on.
 * `attempts`: newest first.
 */
export function hostTrust(
  attempts: readonly RecentAttempt[],
  others: readonly OtherHost[],
  nowMs: number,
  rules: QuarantineRules,
): HostTrust {
  const failures = sinceLastSuccess(attempts);
  const needed = new Set<number>();
  let further = 0;
  for (const { run } of [...failures].reverse()) {
    if (needed.size < rules.runs) needed.add(run);
    else further++;
  }
  const last = failures[0];
  const first = failures.at(-1);
  if (needed.size < rules.runs || last === undefined || first === undefined) {
    return { kind: 'trusted' };
  }
  const healthy = others.filter(
    ({ lastSuccessMs }) => lastSuccessMs !== null && lastSuccessMs >= first.endedMs,
  );
  if (healthy.length === 0) return { kind: 'trusted' };
  const pauseSeconds = Math.min(rules.maxSeconds, rules.firstSeconds * 2 ** further);
  const untilMs = last.endedMs + pauseSeconds * 1000;
  const [what = null, ...otherKinds] = new Set(failures.map((failure) => failure.what ?? null));
  const alike = what === null || otherKinds.length > 0 ? '' : `, all of ${what}`;
  const why =
    `the last ${counted(failures.length, 'attempt')} here failed (runs ${[...new Set(failures.map(({ run }) => run))].join(', ')}${alike}), ` +
    `while ${healthy.map(({ host }) => host).join(', ')} finished runs`;
  return nowMs < untilMs ? { kind: 'quarantined', untilMs, why } : { kind: 'on_probation', why };
}

/** Newest first. */
function sinceLastSuccess(attempts: readonly RecentAttempt[]): RecentAttempt[] {
  const telling = attempts.filter(({ verdict }) => verdict !== 'neither');
  const success = telling.findIndex(({ verdict }) => verdict === 'succeeded');
  return success === -1 ? telling : telling.slice(0, success);
}
