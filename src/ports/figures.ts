import { CallCounter } from '../infra/metrics/call-metrics.pure.ts';
import type { StoreEvent } from '../infra/mongo/connection.port.ts';
import type { Fenced, RunStore } from '../run/run.port.ts';
import type { Store } from './store.ts';

/** What this manager counts since its start; told in the host's document. */
export class ManagerFigures {
  readonly #calls = new CallCounter();
  #refusedWrites = 0;

  onStoreEvent(event: StoreEvent): void {
    if (event.kind === 'called') this.#calls.add(event);
  }

  /** The same store, whose refusals of what is no longer this host's are counted. */
  counting<S extends Pick<Store, 'runs'>>(store: S): S {
    const { runs: own } = store;
    const runs: RunStore = {
      ...own,
      markBusy: (...given) => this.#counted(own.markBusy(...given)),
      heartbeat: (...given) => this.#counted(own.heartbeat(...given)),
      unregisterData: (...given) => this.#counted(own.unregisterData(...given)),
      conclude: (...given) => this.#counted(own.conclude(...given)),
    };
    return { ...store, runs };
  }

  /** Fields of the host's document. */
  told(): Record<string, unknown> {
    return { refused_writes: this.#refusedWrites, database: this.#calls.sums() };
  }

  async #counted<Answer extends Fenced | { kind: string }>(
    writing: Promise<Answer>,
  ): Promise<Answer> {
    const answer = await writing;
    const said = typeof answer === 'string' ? answer : answer.kind;
    if (said === 'superseded') this.#refusedWrites++;
    return answer;
  }
}
