import { setTimeout as delay } from 'node:timers/promises';

import type { Lab } from '../../support/lab.ts';
import type { FaultKind } from './schedule.ts';
import type { Strike } from './strikes.ts';

const LOOK_MS = 200;

export interface Recovery {
  kind: FaultKind;
  run: number;
  seconds: number;
}

interface Hit {
  kind: FaultKind;
  run: number;
  attempt: string;
  atMs: number;
  lost: boolean;
}

/**
 * Watches in the database how long runs that a fault has hit stay without anybody: until the run's
 * time is renewed again, by the same attempt or, if that was lost, by another, or until it is done.
 */
export class Recoveries {
  readonly done: Recovery[] = [];
  #open: Hit[] = [];
  #watching = true;
  readonly #watch: Promise<void>;

  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#watch = this.#look();
  }

  add({ kind, attempts, atMs, lost }: Strike): void {
    for (const { run, attempt } of attempts) {
      if (run !== null) this.#open.push({ kind, run, attempt, atMs, lost });
    }
  }

  async end(): Promise<void> {
    this.#watching = false;
    await this.#watch;
  }

  async #look(): Promise<void> {
    while (this.#watching) {
      await delay(LOOK_MS);
      if (this.#open.length === 0) continue;
      const numbers = [...new Set(this.#open.map(({ run }) => run))];
      // While the database is away nobody can be seen to go on.
      const runs = await this.#lab.runs
        .find({ number: { $in: numbers } }, { projection: { number: 1, bootstrax: 1 } })
        .toArray()
        .catch(() => []);
      const now = Date.now();
      const byNumber = new Map(runs.map((run) => [run.number, run.bootstrax]));
      this.#open = this.#open.filter((hit) => {
        const fields = byNumber.get(hit.run);
        if (fields === undefined) return true;
        const { state, attempt, time } = fields;
        const claimed = state === 'busy' || state === 'considering';
        const renewed = !hit.lost && time !== undefined && time.getTime() > hit.atMs;
        const goesOn = state === 'done' || (claimed && (attempt !== hit.attempt || renewed));
        if (!goesOn) return true;
        this.done.push({ kind: hit.kind, run: hit.run, seconds: (now - hit.atMs) / 1000 });
        return false;
      });
    }
  }
}
