import type { StoreEvent } from '../store/types.ts';
import type { Environment } from './environment.ts';

/** The same trouble with the database is told again after so long, seconds. */
const SAME_AGAIN_SECONDS = 60;

/** Tells people how the databases are, once and not a hundred times. */
export class DatabaseNews {
  readonly #env: Environment;
  /** Databases known to be out of reach. */
  readonly #away = new Set<'runs' | 'daq'>();
  /** When a person was last told that a kind of call got no answer, by operation. */
  readonly #missedAt = new Map<string, number>();

  constructor(env: Environment) {
    this.#env = env;
  }

  tell(event: StoreEvent): void {
    switch (event.kind) {
      case 'called':
        return;
      case 'missed':
        return this.#tellMissed(event);
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
