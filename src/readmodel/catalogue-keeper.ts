import type { Logger } from 'pino';

import { Catalogue, fits, type CatalogueQuery } from './catalogue.pure.ts';
import type { RunRow } from './run-row.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Store } from '../ports/store.ts';
import { idText } from '../run/document-id.ts';
import { rowOf } from './readings.ts';
import { monotonicMs, type Clock } from '../infra/clock/clock.ts';
import type { Background, Tasks } from '../infra/concurrency/tasks.ts';
import { Wake } from '../infra/concurrency/wake.ts';

/** Documents read at a time. */
const WINDOW = { least: 250, most: 500, widest: 8000 };
/** Whatever the stream of changes may have missed is read again so often, ms. */
const RECENT_MS = 30_000;
const EVERYTHING_MS = 3_600_000;
/** Where nothing tells of changes: all runs over and over, and more often what hosts work at or ended. */
const POLL = { everythingMs: 15_000, touchedMs: 5000, overlapMs: 60_000, most: 1000 };
/** Share of the time for which the database is asked, of those who are polled for changes. */
const POLL_SHARE = 0.1;
/** Of these: the newest numbers, and runs that may change at any moment. */
const RECENT = { numbers: 300, unsettled: 500 };
/** Changes are gathered for so long, ms. */
const GATHER_SECONDS = 0.1;
const MOST_CHANGED = 200;
const MOST_REMEMBERED = 20_000;
const FAILURE_PAUSE_SECONDS = 2;
/** Between two looks at what is due, seconds. */
const TICK_SECONDS = 1;
/** As long as fewer numbers have been read, the database is asked instead. */
const LEAST_KNOWN = 2000;
/** A row of a page may have changed since it was noted: then the page is filled up. */
const PAGE_TRIES = 4;

type Id = RunDocument['_id'];

/** One page of a listing, and how many runs fit in all. */
export interface CountedPage {
  rows: RunRow[];
  /** Null as long as not all runs are known. */
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
 * Keeps the catalogue of all runs: reads everything once in small pieces, then what the stream of changes
 * tells of, and from time to time again what it may not have told of. While nobody looks it only notes.
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
  /** Everything has been read at least once. */
  #complete = false;
  #everythingDue = true;
  #everythingAtMs = -Infinity;
  #recentAtMs = -Infinity;
  /** There is no stream of changes. */
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

  /** Nothing will tell of changes: they are looked for from now on. */
  poll(): void {
    this.#isPolling = true;
    this.#wake.notify();
  }

  /** A run has changed; null: any may have. */
  onChange(id: Id | null): void {
    if (id === null) {
      // Before the first look there is nothing that could have been missed.
      this.#everythingDue ||= this.#everythingAtMs > -Infinity;
      this.#recentAtMs = -Infinity;
    } else {
      this.#changed.set(idText(id), id);
      // Nobody has looked for long: one look at everything costs less than to remember.
      if (this.#changed.size > MOST_REMEMBERED) {
        this.#changed.clear();
        this.#everythingDue = true;
      }
    }
    this.#wake.notify();
  }

  /** How many runs there are; null while they are being counted. */
  get size(): number | null {
    return this.#complete ? this.#catalogue.size : null;
  }

  /** Runs that fit, newest first; null as long as those below `before` are not known. */
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

  /** All runs from this number on are known; null: too few are. */
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
          // Others ask the database too: at most half of its time is for this.
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

  /** Reads what is most urgent; false: nothing is. */
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

  /** Runs in work, and those of attempts that have ended since the last look, however old they are. */
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

  /** The piece below and with `top`; where numbers are sparse it grows. */
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
