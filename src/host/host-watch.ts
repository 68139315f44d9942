import type { Environment } from '../ports/environment.ts';
import { at, Quarantine } from '../retry/quarantine.ts';
import { DiskAlarm } from './disk-alarm.ts';
import { type HostHealth, hostHealth } from './host-health.ts';

/** A check of the host counts for this time when it decides on a claim, or when something was wrong. */
const HEALTH_SECONDS = 5;

/** Whether this host would take a run now: by its own condition, and by how its last runs ended. */
export class HostWatch {
  readonly #env: Environment;
  readonly #attemptsHere: () => number;
  readonly #onCheck: () => void;
  readonly #refusal: () => string | null;
  readonly #quarantine: Quarantine;
  readonly #diskAlarm: DiskAlarm;
  #latest: HostHealth | null = null;
  #checkedAt = -Infinity;
  #drained: string | null = null;

  /** `onCheck` is called after each check; `refusal`: what a database refuses until a person corrects it. */
  constructor(
    env: Environment,
    attemptsHere: () => number,
    onCheck: () => void,
    refusal: () => string | null = () => null,
  ) {
    this.#env = env;
    this.#refusal = refusal;
    this.#attemptsHere = attemptsHere;
    this.#onCheck = onCheck;
    this.#quarantine = new Quarantine(env);
    this.#diskAlarm = new DiskAlarm(env);
  }

  /** Null before the first check. */
  get latest(): HostHealth | null {
    return this.#latest;
  }

  /** Attempts at the same time: a host that has to show that it is well tries one run. */
  get slots(): number {
    return this.#quarantine.onProbation ? 1 : this.#env.executor.places(0).total;
  }

  /** Something has changed that a check would find. */
  changed(): void {
    this.#checkedAt = -Infinity;
  }

  /** Takes no runs for this reason, however well the host is; null ends that. */
  drain(reason: string | null): void {
    this.#drained = reason;
    this.changed();
  }

  attemptEnded(): void {
    this.#quarantine.attemptEnded();
    this.changed();
  }

  /** How the host is. If it was well, the check may be `maxAgeSeconds` old. */
  async check(maxAgeSeconds = HEALTH_SECONDS): Promise<HostHealth> {
    const now = this.#env.clock.monotonicSeconds();
    const limit = this.#latest?.accepting.ok === true ? maxAgeSeconds : HEALTH_SECONDS;
    if (this.#latest !== null && now - this.#checkedAt < limit) return this.#latest;
    const before = this.#latest?.accepting;
    const health = await this.#ifWanted(this.#ifGranted(await hostHealth(this.#env)));
    this.#latest = health;
    this.#checkedAt = now;
    const { accepting } = health;
    if (!accepting.ok && isNews(accepting, before)) {
      this.#env.log.warn(
        { event: 'host.not_accepting', kind: accepting.kind },
        `taking no new run: ${accepting.reason}`,
      );
    } else if (accepting.ok && before?.ok === false) {
      this.#env.log.info({ event: 'host.accepting' }, 'taking runs again');
    }
    this.#diskAlarm.seen(health);
    this.#onCheck();
    return health;
  }

  #ifGranted(health: HostHealth): HostHealth {
    const reason = this.#refusal();
    return reason === null
      ? health
      : { ...health, accepting: { ok: false, kind: 'database', reason } };
  }

  /** What a person has decided comes before the condition of the host. */
  async #ifWanted(health: HostHealth): Promise<HostHealth> {
    if (this.#drained === null) return this.#ifTrusted(health);
    return { ...health, accepting: { ok: false, kind: 'drained', reason: this.#drained } };
  }

  /** A host on which run after run fails takes none for a while, however well it looks. */
  async #ifTrusted(health: HostHealth): Promise<HostHealth> {
    if (!health.accepting.ok) return health;
    const standing = await this.#quarantine.standing();
    const no = (reason: string): HostHealth => ({
      ...health,
      accepting: { ok: false, kind: 'quarantine', reason },
    });
    switch (standing.kind) {
      case 'trusted':
        return health;
      case 'quarantined':
        return no(`not before ${at(standing.untilMs)}, because ${standing.why}`);
      case 'on_probation':
        return this.#attemptsHere() === 0 ? health : no(`one at a time, because ${standing.why}`);
    }
  }
}

type NotAccepting = Exclude<HostHealth['accepting'], { ok: true }>;

/** Figures in a reason change all the time; of a context each reason is another one. */
function isNews(now: NotAccepting, before: HostHealth['accepting'] | undefined): boolean {
  if (before?.ok !== false || before.kind !== now.kind) return true;
  return now.kind === 'context' && before.reason !== now.reason;
}
