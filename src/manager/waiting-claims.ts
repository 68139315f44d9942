import type { ObjectId } from 'mongodb';

import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { Runner } from '../attempt/runner.ts';
import type { PlacesHere } from '../claim/places-here.ts';
import { whereText } from '../executors/where-text.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase } from '../ports/persist.ts';
import { idText } from '../run/document-id.ts';
import type { RunDocument } from '../run/run-document.port.ts';

export interface WaitingParts {
  book: AttemptBook;
  places: Pick<PlacesHere, 'isBetterHere'>;
  /** Why nothing more is begun here; null: it is. */
  drained: () => string | null;
}

/** A run that was taken back has its place here after this time at the latest. */
const TAKE_BACK_SECONDS = 60;

/**
 * Renews all runs at once whose attempts wait for a place in a cluster, and reads their documents at
 * once: their number does not matter to the database.
 */
export class WaitingClaims {
  readonly #env: Environment;
  readonly #parts: WaitingParts;
  /** Since when each attempt has waited, monotonic seconds. */
  #since = new Map<string, number>();
  /** When a run was last taken back to a place here, monotonic seconds. */
  #takenBackAt = -Infinity;

  constructor(env: Environment, parts: WaitingParts) {
    this.#env = env;
    this.#parts = parts;
  }

  begin(): void {
    const { tasks, rules } = this.#env;
    const every = { name: 'the heartbeat of waiting runs', seconds: rules.limits.renewSeconds };
    tasks.every(every, () => this.#renewUnlessOutage());
  }

  async #renewUnlessOutage(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  async #renew(): Promise<void> {
    const all = this.#parts.book
      .all()
      .filter(({ phase, ending }) => phase === 'waiting_for_place' && !ending);
    this.#endUnwanted(all);
    const waiting = all.filter(({ ending }) => !ending);
    await this.#renewRuns(waiting.filter(({ ofDebt }) => !ofDebt));
    await this.#renewDebts(waiting.filter(({ ofDebt }) => ofDebt));
  }

  async #renewRuns(waiting: readonly Runner[]): Promise<void> {
    if (waiting.length === 0) return;
    const { runs } = this.#env.store;
    for (const [waitsFor, together] of byText(waiting)) {
      await runs.renewWaiting(
        together.map(({ fence }) => fence),
        waitsFor,
      );
    }
    await readAll(waiting, (ids) => runs.byIds(ids));
  }

  async #renewDebts(waiting: readonly Runner[]): Promise<void> {
    if (waiting.length === 0) return;
    const { debts } = this.#env.store;
    await debts.renewWaiting(waiting.map(({ fence }) => fence));
    await readAll(waiting, (ids) => debts.byIds(ids));
  }

  /** Jobs of a drained host; one job for which there is a place here. */
  #endUnwanted(waiting: readonly Runner[]): void {
    const { places, drained } = this.#parts;
    const { clock, host } = this.#env;
    const now = clock.monotonicSeconds();
    this.#since = new Map(
      waiting.map(({ fence: { attempt } }) => [attempt, this.#since.get(attempt) ?? now]),
    );
    const why = drained();
    for (const runner of waiting) {
      const waited = now - (this.#since.get(runner.fence.attempt) ?? now);
      if (why !== null) {
        runner.end({ kind: 'manager', reason: `${host} begins nothing more: ${why}` });
      } else if (
        now - this.#takenBackAt >= TAKE_BACK_SECONDS &&
        places.isBetterHere(runner.run, waited, runner.plan?.job?.neededBytes ?? null)
      ) {
        this.#takenBackAt = now;
        runner.end({ kind: 'manager', reason: `a place on ${host} is free` });
      }
    }
  }
}

/** Reads the documents of all with one query. */
async function readAll(
  waiting: readonly Runner[],
  read: (ids: ObjectId[]) => Promise<RunDocument[]>,
): Promise<void> {
  const readings = waiting.map((runner) => ({ runner, noted: runner.reading() }));
  const documents = await read(waiting.map(({ fence }) => fence.id));
  const byId = new Map(documents.map((document) => [idText(document._id), document]));
  for (const { runner, noted } of readings) noted(byId.get(idText(runner.fence.id)) ?? null);
}

/** The number of texts is small: it is the job's state and reason. */
function byText(waiting: readonly Runner[]): Map<string, Runner[]> {
  const grouped = new Map<string, Runner[]>();
  for (const runner of waiting) {
    const { reach } = runner;
    const text = reach === null ? '' : whereText(reach.where, { withJob: false });
    grouped.set(text, [...(grouped.get(text) ?? []), runner]);
  }
  return grouped;
}
