import type { ObjectId } from 'mongodb';

import type { ExecutorName } from '../executors/executor-name.pure.ts';
import { assertThat } from '../infra/values/assertion.pure.ts';
import { idText } from '../run/document-id.ts';
import type { Runner } from './runner.ts';

/** The attempts that this manager works on now. */
export class AttemptBook {
  readonly #runners = new Map<string, Runner>();

  get size(): number {
    return this.#runners.size;
  }

  sizeOn(executor: ExecutorName): number {
    return this.all().filter(({ on }) => on === executor).length;
  }

  all(): Runner[] {
    return [...this.#runners.values()];
  }

  add(runner: Runner): void {
    const { attempt } = runner.fence;
    assertThat(!this.#runners.has(attempt), () => `attempt ${attempt} has begun twice`);
    this.#runners.set(attempt, runner);
  }

  remove(runner: Runner): void {
    this.#runners.delete(runner.fence.attempt);
  }

  has(attempt: string): boolean {
    return this.#runners.has(attempt);
  }

  /** By the run's document; several attempts at one run are possible while an old one is cleaned up. */
  ofRun(id: ObjectId): Runner | null {
    return this.all().find((runner) => idText(runner.fence.id) === idText(id)) ?? null;
  }
}
