import type { HostDocument } from '../host/host.port.ts';
import { utcToTheSecond } from '../infra/values/utc.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { unlessOutage } from '../ports/persist.ts';
import type { AttemptDocument } from './attempt-history.port.ts';
import { isCleared, type PastFailure } from './blame.pure.ts';
import { causeText } from './causes.pure.ts';
import { isAboutHost } from './failure.ts';
import {
  type HostTrust,
  hostTrust,
  type OtherHost,
  type RecentAttempt,
} from './quarantine.pure.ts';

/** Number of attempts that count: the newest on this host. */
const ATTEMPTS_LOOKED_AT = 50;
/** Older attempts do not count. */
const LOOKED_BACK_SECONDS = 7 * 24 * 3600;

/**
 * Whether this host is trusted with runs, from the outcomes of the last attempts here and elsewhere. The
 * databases are read only after an attempt here has ended, and while the host is not trusted.
 */
export class Quarantine {
  readonly #env: Environment;
  #standing: HostTrust = { kind: 'trusted' };
  #askedAt = -Infinity;

  constructor(env: Environment) {
    this.#env = env;
  }

  get onProbation(): boolean {
    return this.#standing.kind === 'on_probation';
  }

  /** An attempt here has ended: its outcome counts from now on. */
  attemptEnded(): void {
    this.#askedAt = -Infinity;
  }

  /** Keeps what was known while the database is away. */
  async standing(): Promise<HostTrust> {
    const now = this.#env.clock.monotonicSeconds();
    const askAgain =
      this.#standing.kind === 'trusted' ? Infinity : this.#env.rules.limits.housekeepingSeconds;
    if (now - this.#askedAt < askAgain && this.#askedAt !== -Infinity) return this.#standing;
    const standing = await unlessOutage(this.#env, 'the record of this host', () => this.#ask());
    if (standing === null) return this.#standing;
    this.#askedAt = now;
    const before = this.#standing;
    this.#standing = standing;
    await this.#tellChange(before, standing);
    return standing;
  }

  async #ask(): Promise<HostTrust> {
    const { store, host, rules } = this.#env;
    const now = await store.serverTime();
    const since = new Date(now.getTime() - LOOKED_BACK_SECONDS * 1000);
    const history = await store.attempts.endedOn(host, since, ATTEMPTS_LOOKED_AT);
    const standing = (elsewhere: readonly PastFailure[], others: readonly OtherHost[]) => {
      const attempts = history.map((attempt) => ended(attempt, elsewhere));
      return hostTrust(attempts, others, now.getTime(), rules.quarantine);
    };
    // The usual case needs no second query.
    if (standing([], ANYBODY).kind === 'trusted') return { kind: 'trusted' };
    const fingerprints = history.flatMap(({ result }) => result?.fingerprint ?? []);
    const [hosts, successes, elsewhere] = await Promise.all([
      store.hosts.all(),
      store.attempts.successesElsewhere(host, since),
      store.attempts.failures({ since, fingerprints: [...new Set(fingerprints)], notOn: host }),
    ]);
    const alive = hosts.filter((other) => other.host !== host && this.#takesRuns(other, now));
    const others = alive.map((other) => ({
      host: other.host,
      lastSuccessMs:
        successes.find(({ host: name }) => name === other.host)?.last.getTime() ?? null,
    }));
    return standing(elsewhere, others);
  }

  #takesRuns({ time, extras }: HostDocument, now: Date): boolean {
    const ageSeconds = (now.getTime() - time.getTime()) / 1000;
    return extras['accepting'] === true && ageSeconds < this.#env.rules.limits.presumedDeadSeconds;
  }

  async #tellChange(before: HostTrust, after: HostTrust): Promise<void> {
    if (before.kind === after.kind) return;
    const { log, host } = this.#env;
    const [event, message] = announcement(host, after);
    const loud = after.kind === 'quarantined';
    log[loud ? 'error' : 'warn']({ event }, message);
    await tellDaq(this.#env, loud ? 'error' : 'warning', message);
  }
}

/** Stands for a host that always succeeds. */
const ANYBODY = [{ host: 'anybody', lastSuccessMs: Infinity }];

function announcement(host: string, standing: HostTrust): [event: string, message: string] {
  switch (standing.kind) {
    case 'quarantined':
      return [
        'host.quarantined',
        `${host} takes no runs until ${at(standing.untilMs)}: ${standing.why}. Look at this machine`,
      ];
    case 'on_probation':
      return ['host.on_probation', `${host} tries one run again: ${standing.why}`];
    case 'trusted':
      return ['host.trusted', `${host} is trusted with runs again`];
  }
}

/** For people: UTC, to the second. */
export function at(ms: number): string {
  return `${utcToTheSecond(new Date(ms))} UTC`;
}

/** One attempt for the decision. A failure that other hosts had in the same way does not count. */
function ended(attempt: AttemptDocument, elsewhere: readonly PastFailure[]): RecentAttempt {
  const { run, host, ended: time, result } = attempt;
  const { fingerprint = null, meaning = null } = result ?? {};
  const failure = { run, host, fingerprint, class: meaning?.class ?? null };
  const verdict = verdictOf(result);
  // An attempt at a debt is no measure for a host.
  const isNoMeasure = attempt.ofDebt === true || isCleared(failure, elsewhere);
  return {
    run,
    endedMs: time?.getTime() ?? 0,
    verdict: verdict === 'failed' && isNoMeasure ? 'neither' : verdict,
    what: meaning === null ? null : causeText(meaning),
  };
}

function verdictOf(result: AttemptDocument['result']): RecentAttempt['verdict'] {
  if (result === null) return 'neither';
  if (result.outcome === 'done') return 'succeeded';
  const failed = ['failed', 'given_up', 'requeued'].includes(result.outcome);
  return failed && isAboutHost(result.cause ?? null) ? 'failed' : 'neither';
}
