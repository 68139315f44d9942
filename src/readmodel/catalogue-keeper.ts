import type { Logger } from 'pino';

import { type Clock, monotonicMs } from '../infra/clock/clock.ts';
import type { Background, Tasks } from '../infra/concurrency/tasks.ts';
import { Wake } from '../infra/concurrency/wake.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { Store } from '../ports/store.ts';
import { idText } from '../run/document-id.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { Catalogue, type CatalogueQuery, fits } from './catalogue.pure.ts';
import { rowOf } from './readings.ts';
import type { RunRow } from './run-row.pure.ts';

/** Documents read at a time. */
const WINDOW = { least: 250, most: 500, widest: 8000 };
/** Intervals at which runs are read again, in case the change stream has missed something. */
const RECENT_MS = 30_000;
const EVERYTHING_MS = 3_600_000;
/** Without a change stream all runs are polled, and more often those in work or just ended. */
const POLL = { everythingMs: 15_000, touchedMs: 5000, overlapMs: 60_000, most: 1000 };
/** Fraction of the time in which the database may be busy with this polling. */
const POLL_SHARE = 0.1;
/** How many of the newest runs, and of runs that may change at any moment, are read again. */
const RECENT = { numbers: 300, unsettled: 500 };
/** Changes are gathered for this time before they are read. */
const GATHER_SECONDS = 0.1;
const MOST_CHANGED = 200;
const MOST_REMEMBERED = 20_000;
const FAILURE_PAUSE_SECONDS = 2;
/** Interval of checks of what is due. */
const TICK_SECONDS = 1;
/** As long as fewer numbers have been read, the database is asked instead. */
const LEAST_KNOWN = 2000;
/** A page is searched again if its rows have changed since they were stored here; at most this often. */
const PAGE_TRIES = 4;

type Id = RunDocument['_id'];

/** One page of a listing, with the number of all runs that fit. */
export interface CountedPage {
  rows: RunRow[];
  /** Null until all runs have been read. */
  total: number | null;
  before: number | null;
}

/** What it is made of. */
export interface CatalogueParts extends Background {
  store: Pick<Store, 'overview' | 'serverTime'>;
  rules: Rules;
  log: Logger;
  /** Somebody looks. */
  isWanted: () => boolean;
}

/**
 * Keeps the catalogue of all runs: reads everything once in small pieces, then each run that the change
 * stream names, and at intervals again what the stream may have missed. While no browser is connected it
 * only collects the names.
 */
export class CatalogueKeeper {
  readonly #store: Pick<Store, 'overview' | 'serverTime'>;
  readonly #rules: Rules;
  readonly #log: Logger;
  readonly #isWanted: () => boolean;
  readonly #catalogue = new Catalogue();
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #wake: Wake;
  readonly #changed = new Map<string, Id>();
  /** Highest number that is still to be read; null: nothing is. */
  #next: number | null = null;
  #top = 0;
  #width = WINDOW.most;
  /** All runs have been read at least once. */
  #complete = false;
  #everythingDue = true;
  #everythingAtMs = -Infinity;
  #recentAtMs = -Infinity;
  /** There is no change stream. */
  #isPolling = false;
  #touchedAtMs = -Infinity;
  #endedUpTo: Date | null = null;

  constructor({ store, rules, log, isWanted, clock, tasks }: CatalogueParts) {
    this.#store = store;
    this.#rules = rules;
    this.#log = log;
    this.#isWanted = isWanted;
    this.#clock = clock;
    this.#tasks = tasks;
    this.#wake = new Wake(clock);
  }

  /** Runs until the tasks are told to end. */
  start(): void {
    this.#tasks.start('reading the catalogue', () => this.#loop());
  }

  /** Polls for changes from now on, because there is no change stream. */
  poll(): void {
    this.#isPolling = true;
    this.#wake.notify();
  }

  /** A run has changed; null: any may have. */
  onChange(id: Id | null): void {
    if (id === null) {
      // Before the first reading nothing can have been missed.
      this.#everythingDue ||= this.#everythingAtMs > -Infinity;
      this.#recentAtMs = -Infinity;
    } else {
      this.#changed.set(idText(id), id);
      // After a long time without browsers, reading everything costs less than remembering each change.
      if (this.#changed.size > MOST_REMEMBERED) {
        this.#changed.clear();
        this.#everythingDue = true;
      }
    }
    this.#wake.notify();
  }

  /** The number of all runs; null while they are being counted. */
  get size(): number | null {
    return this.#complete ? this.#catalogue.size : null;
  }

  /** Runs that fit, newest first; null until those below `before` have been read. */
  async page(
    query: CatalogueQuery,
    limit: number,
    before: number | null,
  ): Promise<CountedPage | null> {
    const known = this.#knownFrom();
    if (known === null || (before !== null && before <= known)) return null;
    let page = this.#catalogue.find(query, limit, before);
    let rows: RunRow[] = [];
    for (let tries = 0; tries < PAGE_TRIES; tries++) {
      const seen = await this.#read(() => this.#store.overview.ofNumbers(page.runs));
      const ids = new Set(seen.map(({ id }) => id));
      for (const run of page.runs) this.#catalogue.keepOnly(run, run, ids);
      rows = seen.filter((row) => fits(row, query)).sort((a, b) => (b.run ?? 0) - (a.run ?? 0));
      const again = this.#catalogue.find(query, limit, before);
      const same = again.runs.join() === page.runs.join();
      page = again;
      if (same) break;
    }
    if (this.#complete) return { rows, total: page.total, before: page.before };
    const end = known > (query.from ?? 0) ? known : null;
    return { rows, total: null, before: page.before ?? end };
  }

  /** The run number from which on all runs have been read; null: too few have. */
  #knownFrom(): number | null {
    if (this.#complete) return 0;
    return this.#next === null || this.#top - this.#next < LEAST_KNOWN ? null : this.#next + 1;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#tasks;
    while (!signal.aborted) {
      const begun = monotonicMs(this.#clock);
      try {
        const busy = this.#isWanted() && (await this.#step(begun));
        if (!busy) await this.#wake.wait(TICK_SECONDS, signal);
        else {
          // The database serves others too: it is busy with this at most half of the time.
          const rest = this.#isPolling && this.#complete ? 1 / POLL_SHARE - 1 : 1;
          const pauseMs = (monotonicMs(this.#clock) - begun) * rest;
          await this.#clock.sleep(pauseMs / 1000, signal);
        }
      } catch (error) {
        this.#log.debug({ event: 'dashboard.uncatalogued', err: error }, String(error));
        await this.#clock.sleep(FAILURE_PAUSE_SECONDS, signal);
      }
    }
  }

  /** Reads what is most urgent; false: there is nothing to read. */
  async #step(at: number): Promise<boolean> {
    if (this.#changed.size > 0) {
      await this.#clock.sleep(GATHER_SECONDS, this.#tasks.signal);
      await this.#readChanged();
      return true;
    }
    if (this.#complete && at - this.#recentAtMs > RECENT_MS) {
      this.#recentAtMs = at;
      await this.#readRecent();
      return true;
    }
    if (this.#isPolling && this.#complete && at - this.#touchedAtMs > POLL.touchedMs) {
      this.#touchedAtMs = at;
      await this.#readTouched();
      return true;
    }
    const everyMs = this.#isPolling ? POLL.everythingMs : EVERYTHING_MS;
    const due = this.#everythingDue || at - this.#everythingAtMs > everyMs;
    if (this.#next === null && due) {
      this.#next = this.#top = await this.#store.overview.highest();
      this.#everythingDue = false;
      this.#everythingAtMs = at;
      this.#width = WINDOW.most;
    }
    if (this.#next === null) return false;
    await this.#readWindow(this.#next);
    return true;
  }

  async #readChanged(): Promise<void> {
    const some = [...this.#changed].slice(0, MOST_CHANGED);
    for (const [text] of some) this.#changed.delete(text);
    try {
      const seen = await this.#read(() => this.#store.overview.byIds(some.map(([, id]) => id)));
      const ids = new Set(seen.map(({ id }) => id));
      for (const [text] of some) if (!ids.has(text)) this.#catalogue.remove(text);
    } catch (error) {
      for (const [text, id] of some) this.#changed.set(text, id);
      throw error;
    }
  }

  /** Reads the runs in work, and those whose attempts have ended since the last reading. */
  async #readTouched(): Promise<void> {
    const { overview } = this.#store;
    const now = await this.#store.serverTime();
    const since = new Date((this.#endedUpTo ?? now).getTime() - POLL.overlapMs);
    const ended = await overview.endedSince(since, POLL.most);
    await this.#read(() => overview.working());
    await this.#read(() => overview.ofNumbers([...new Set(ended.map(({ run }) => run))]));
    this.#endedUpTo = now;
  }

  async #readRecent(): Promise<void> {
    const highest = await this.#store.overview.highest();
    await this.#readNumbers(Math.max(0, highest - RECENT.numbers), highest);
    const unsettled = this.#catalogue.unsettled(RECENT.unsettled);
    await this.#read(() => this.#store.overview.ofNumbers(unsettled));
  }

  /** Reads a piece of run numbers that ends with `top`; the piece grows where numbers are sparse. */
  async #readWindow(top: number): Promise<void> {
    const low = Math.max(0, top - this.#width + 1);
    const found = top < 0 ? 0 : await this.#readNumbers(low, top);
    this.#width = found < WINDOW.least ? Math.min(this.#width * 2, WINDOW.widest) : WINDOW.most;
    this.#next = low > 0 ? low - 1 : null;
    if (this.#next === null) this.#complete = true;
  }

  async #readNumbers(from: number, to: number): Promise<number> {
    const seen = await this.#read(() => this.#store.overview.numbered(from, to));
    this.#catalogue.keepOnly(from, to, new Set(seen.map(({ id }) => id)));
    return seen.length;
  }

  async #read(ask: () => Promise<RunDocument[]>): Promise<RunRow[]> {
    const [now, documents] = await Promise.all([this.#store.serverTime(), ask()]);
    const rows = documents.map((document) => rowOf(document, now, this.#rules));
    for (const row of rows) this.#catalogue.put(row);
    return rows;
  }
}
