import type { StoreEvent } from '../infra/mongo/connection.port.ts';
import type { Environment } from '../ports/environment.ts';
import { type DaqLogEnvironment, type LogLine, notifyDaq } from '../ports/notify.ts';

/** The same trouble with the database is logged again after this time. */
const SAME_AGAIN_SECONDS = 60;
/** The same for a refusal, which only a person corrects. */
const REFUSAL_AGAIN_SECONDS = 3600;
/** What was refused is tried again after this time: it may have been corrected. */
const REFUSED_SECONDS = 30;

/** Runs are noticed, indexes made without them: more slowly, but it goes. */
const SPARED = /^(opening a change stream|listing the indexes|creating |looking for collection)/;
/** Without them no run can be taken. */
const NEEDED_FOR_RUNS = /^(reading runs|updating runs|asking for the time|ping)$/;

type Refused = StoreEvent & { kind: 'refused' };

/** What a person has to do about a refusal: waiting does not help. */
export function refusalText({ reason, refusal }: Pick<Refused, 'reason' | 'refusal'>): string {
  const todo =
    refusal === 'unauthorized'
      ? "correct user and password (database.credentials_file), or have the server's administrator grant what 'bootstrax doctor' lists"
      : "the server is too old or of another make: MongoDB 4.4 or newer is needed, 'bootstrax doctor --contract URL' says what it lacks";
  return `${reason}. Waiting does not help: ${todo}`;
}

/** What it needs of the manager's surroundings. */
export interface NoticeEnvironment extends DaqLogEnvironment, Pick<Environment, 'tasks'> {
  clock: Pick<Environment['clock'], 'monotonicSeconds'>;
  log: Record<'debug' | 'info' | 'warn' | 'error', LogLine>;
}

/** Tells people how the databases are, once and not a hundred times. */
export class DatabaseNews {
  readonly #env: NoticeEnvironment;
  /** Databases known to be out of reach. */
  readonly #away = new Set<'runs' | 'daq'>();
  /** When a person was last told that a kind of call got no answer, by operation. */
  readonly #missedAt = new Map<string, number>();

  /** Refused calls, by operation: when last, and when people were last told. */
  readonly #refused = new Map<string, { text: string; at: number; toldAt: number }>();

  constructor(env: NoticeEnvironment) {
    this.#env = env;
  }

  /** Why no run can be taken while a person has not changed something; null: nothing is in the way. */
  get refusal(): string | null {
    const now = this.#env.clock.monotonicSeconds();
    for (const [operation, { text, at }] of this.#refused) {
      if (NEEDED_FOR_RUNS.test(operation) && now - at < REFUSED_SECONDS) return text;
    }
    return null;
  }

  tell(event: StoreEvent): void {
    switch (event.kind) {
      case 'called':
        return;
      case 'missed':
        return this.#tellMissed(event);
      case 'refused':
        return this.#tellRefused(event);
      case 'granted':
        return this.#tellGranted(event);
      case 'connection':
        return event.up ? this.#tellUp(event) : this.#tellDown(event);
    }
  }

  #tellMissed({ database, operation, reason }: StoreEvent & { kind: 'missed' }): void {
    const now = this.#env.clock.monotonicSeconds();
    const fields = { event: 'database.missed', database, operation };
    const text = `${reason}. What has to be written is tried again`;
    // One line tells as much as a hundred, and of an outage people have been told already.
    const told = now - (this.#missedAt.get(operation) ?? -Infinity) < SAME_AGAIN_SECONDS;
    if (told || this.#away.has(database)) {
      this.#env.log.debug(fields, text);
    } else {
      this.#missedAt.set(operation, now);
      this.#env.log.info(fields, text);
    }
  }

  #tellRefused(event: Refused): void {
    const { database, operation } = event;
    const now = this.#env.clock.monotonicSeconds();
    const text = refusalText(event);
    const known = this.#refused.get(operation);
    const isNews = known === undefined || now - known.toldAt >= REFUSAL_AGAIN_SECONDS;
    this.#refused.set(operation, { text, at: now, toldAt: isNews ? now : known.toldAt });
    const fields = { event: 'database.refused', database, operation };
    if (!isNews) return this.#env.log.debug(fields, text);
    if (SPARED.test(operation)) return this.#env.log.warn(fields, text);
    this.#env.log.error(fields, text);
    notifyDaq(this.#env, 'error', `${this.#env.host}: ${text}`);
  }

  #tellGranted({ database, operation }: StoreEvent & { kind: 'granted' }): void {
    this.#refused.delete(operation);
    this.#env.log.info(
      { event: 'database.granted', database, operation },
      `${operation} works now`,
    );
  }

  #tellUp({ database }: StoreEvent & { kind: 'connection' }): void {
    this.#away.delete(database);
    this.#env.log.info({ event: 'database.up' }, `the ${database} database answers`);
  }

  #tellDown({ database, reason }: StoreEvent & { kind: 'connection' }): void {
    this.#away.add(database);
    this.#env.log.warn(
      { event: 'database.down', reason },
      `the ${database} database does not answer (${reason ?? 'no reason given'}); children go on`,
    );
  }
}
