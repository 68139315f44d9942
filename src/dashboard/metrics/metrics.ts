import { type Clock, monotonicMs } from '../../infra/clock/clock.ts';
import { TOO_LATE, within } from '../../infra/concurrency/deadline.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import { versionOfThis } from '../../infra/config/version.ts';
import { CallHistograms, type DatabaseName } from '../../infra/metrics/call-metrics.pure.ts';
import { byLabel, exposition, type Family, single } from '../../infra/metrics/exposition.pure.ts';
import type { StoreEvent } from '../../infra/mongo/connection.port.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import { withFormerNames } from '../../infra/renamed/renamed-metrics.pure.ts';
import type { Store } from '../../ports/store.ts';
import { HostReader } from '../../readmodel/readings.ts';
import { CountedHistory } from './attempt-metrics.ts';
import { readFleet } from './fleet-metrics.ts';
import { processFamilies } from './process-metrics.ts';

/** Requests within this time get the same answer. */
const KEPT_MS = 4000;
/** An answer waits this time for the count of the past, and is then sent without it. */
const PATIENCE_SECONDS = 3;
/** Prometheus waits for 10 s: a database that has not answered by then counts as unreachable. */
const READING_SECONDS = 6;
const PING_SECONDS = 3;
/** Shortest interval of checks that the databases answer. */
const PING_MS = 2000;

/** What it is made of. */
export interface MetricsParts {
  store: Store;
  rules: Rules;
  /** How many browsers follow the dashboard. */
  streams: () => number;
  clock: Clock;
}

/** What `/metrics` and `/healthz` answer; asks the databases only when somebody asks it. */
export class Metrics {
  readonly #store: Store;
  readonly #rules: Rules;
  readonly #streams: () => number;
  readonly #calls = new CallHistograms();
  readonly #history: CountedHistory;
  readonly #clock: Clock;
  readonly #hostReader: HostReader;
  readonly #up = new Map<DatabaseName, boolean>();
  #reading: Promise<string> | null = null;
  #readAtMs = -Infinity;
  #pinged: { answer: Promise<boolean>; atMs: number } | null = null;

  constructor({ store, rules, streams, clock }: MetricsParts) {
    this.#store = store;
    this.#rules = rules;
    this.#streams = streams;
    this.#clock = clock;
    this.#hostReader = new HostReader(clock);
    this.#history = new CountedHistory(store.attempts, clock);
  }

  onStoreEvent(event: StoreEvent): void {
    switch (event.kind) {
      case 'called':
        this.#calls.add(event);
        this.#up.set(event.database, event.answered);
        break;
      case 'connection':
        this.#up.set(event.database, event.up);
        break;
      case 'missed':
      case 'refused':
      case 'granted':
        break;
    }
  }

  /** The text for Prometheus; never fails: what cannot be read is left out, and that is told. */
  text(): Promise<string> {
    const at = monotonicMs(this.#clock);
    if (this.#reading === null || at - this.#readAtMs > KEPT_MS) {
      this.#readAtMs = at;
      this.#reading = this.#read();
    }
    return this.#reading;
  }

  /** Whether both databases answer. */
  isWell(): Promise<boolean> {
    const atMs = monotonicMs(this.#clock);
    if (this.#pinged === null || atMs - this.#pinged.atMs > PING_MS) {
      const answer = within(this.#clock, PING_SECONDS, this.#store.ping()).then(
        (answered) => answered !== TOO_LATE,
        () => false,
      );
      this.#pinged = { answer, atMs };
    }
    return this.#pinged.answer;
  }

  async #readAll(): Promise<Family[]> {
    const now = await this.#store.serverTime();
    const [fleet] = await Promise.all([
      readFleet(this.#store, this.#hostReader, this.#rules, now),
      this.#history.read(now, PATIENCE_SECONDS),
    ]);
    return fleet;
  }

  async #read(): Promise<string> {
    const begun = monotonicMs(this.#clock);
    let fleet: Family[] = [];
    let complete = true;
    try {
      const read = await within(this.#clock, READING_SECONDS, this.#readAll());
      if (read === TOO_LATE) complete = false;
      else fleet = read;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      complete = false;
    }
    return exposition([
      single(
        'gauge',
        'bootstrax_reading_complete',
        'Whether all databases could be read for this answer: 1, or 0 where figures are missing.',
        complete ? 1 : 0,
      ),
      single(
        'gauge',
        'bootstrax_reading_duration_seconds',
        'How long it took to read the databases for this answer.',
        (monotonicMs(this.#clock) - begun) / 1000,
      ),
      byLabel(
        'gauge',
        'bootstrax_database_up',
        'Whether the newest call of a database was answered: 1 or 0.',
        {
          label: 'database',
          values: [...this.#up].map(([database, up]) => [database, up ? 1 : 0] as const),
        },
      ),
      ...this.#calls.families(),
      ...this.#history.families(),
      ...withFormerNames(fleet),
      ...processFamilies(versionOfThis(), this.#streams(), this.#clock),
    ]);
  }
}
