import { byLabel, type Family } from './exposition.pure.ts';
import { Histogram } from './histogram.pure.ts';

export type DatabaseName = 'runs' | 'daq';

/** A database call as it ended. */
export interface CallEnd {
  database: DatabaseName;
  seconds: number;
  /** Whether the server answered. */
  answered: boolean;
}

const DATABASES: readonly DatabaseName[] = ['runs', 'daq'];
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Sums of the calls of one database by this process, since its start. */
export interface CallSums {
  calls: number;
  /** All of them together. */
  seconds: number;
  unanswered: number;
}

/** Sums for the host's document. */
export class CallCounter {
  readonly #sums = new Map(
    DATABASES.map((name): [DatabaseName, CallSums] => [
      name,
      { calls: 0, seconds: 0, unanswered: 0 },
    ]),
  );

  add({ database, seconds, answered }: CallEnd): void {
    const sums = this.#sums.get(database)!;
    sums.calls++;
    sums.seconds += seconds;
    if (!answered) sums.unanswered++;
  }

  /** Milliseconds are enough. */
  sums(): Record<DatabaseName, CallSums> {
    const rounded = [...this.#sums].map(([name, { seconds, ...counts }]) => [
      name,
      { ...counts, seconds: Math.round(seconds * 1000) / 1000 },
    ]);
    return Object.fromEntries(rounded) as Record<DatabaseName, CallSums>;
  }
}

/** Histograms of the dashboard’s own calls since its start. */
export class CallHistograms {
  readonly #histograms = new Map(DATABASES.map((name) => [name, new Histogram(BOUNDS)]));
  readonly #unanswered = new Map<DatabaseName, number>(DATABASES.map((name) => [name, 0]));

  add({ database, seconds, answered }: CallEnd): void {
    this.#histograms.get(database)!.observe(seconds);
    if (!answered) this.#unanswered.set(database, this.#unanswered.get(database)! + 1);
  }

  families(): Family[] {
    return [
      {
        name: 'bootstrax_dashboard_database_call_seconds',
        type: 'histogram',
        help: 'How long the dashboard’s own calls of the databases took, since it was started.',
        samples: [...this.#histograms].flatMap(([database, histogram]) =>
          histogram.samples({ database }),
        ),
      },
      byLabel(
        'counter',
        'bootstrax_dashboard_database_unanswered_total',
        'The dashboard’s own calls of the databases that got no answer, since it was started.',
        { label: 'database', values: this.#unanswered },
      ),
    ];
  }
}
