import type { Logger } from 'pino';

import type { Destination } from '../features/alarms/alarm.port.ts';
import type { HostView } from '../host/host-document.pure.ts';
import { type Clock, monotonicMs } from '../infra/clock/clock.ts';
import type { Background, Tasks } from '../infra/concurrency/tasks.ts';
import { Wake } from '../infra/concurrency/wake.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { StoreEvent } from '../infra/mongo/connection.port.ts';
import type { Store } from '../ports/store.ts';
import { CatalogueKeeper } from '../readmodel/catalogue-keeper.ts';
import { FleetReader } from '../readmodel/panels/fleet-reader.ts';
import {
  PANEL_GROUPS,
  PANEL_READERS,
  type PanelGroup,
  type PanelName,
  panelsOf,
  type ReadPanel,
  readPanels,
  type StatusEvent,
} from '../readmodel/panels/registry.ts';
import { idText } from '../run/document-id.ts';

/** Polling stops after this time without a browser. */
const IDLE_MS = 60_000;
const TICK_SECONDS = 0.2;
/** Between two readings of the same panels, however much changes. */
const LEAST_GAP_MS = 250;
/** Ids of changed runs are remembered for streams that come back. */
const MOST_CHANGES = 1000;

/** A panel as it was read last. */
export interface Panel {
  /** Grows with each change of any panel. */
  seq: number;
  json: string;
  readAtMs: number;
  staleAfterSeconds: number;
}

interface Group {
  readAtMs: number;
  triedAtMs: number;
  reading: boolean;
  /** A run has changed since it was read. */
  due: boolean;
  failing: Failing | null;
}

/** Why a group cannot be read, and since when. */
interface Failing {
  why: string;
  sinceMs: number;
  /** The database that has been lost; null: a read has failed. */
  database: string | null;
}

/** What it is made of. */
export interface FeederParts extends Background {
  store: Store;
  rules: Rules;
  log: Logger;
  /** To whom alarms are sent. */
  destinations: readonly Destination[];
}

/**
 * Reads the databases for everybody who looks: once for all streams, often while somebody does, not
 * at all while nobody does.
 */
export class Feeder {
  /** All runs, for filters. */
  readonly catalogue: CatalogueKeeper;
  readonly #store: Store;
  readonly #rules: Rules;
  readonly #log: Logger;
  readonly #destinations: readonly Destination[];
  readonly #panels = new Map<PanelName, Panel>();
  readonly #groups = new Map<PanelGroup, Group>();
  readonly #listeners = new Set<() => void>();
  readonly #fleet: FleetReader;
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #wake: Wake;
  #changes: { seq: number; id: string }[] = [];
  /** Streams that saw less than this may have missed a change. */
  #changesFrom = 0;
  #seq = 0;
  #wantedAtMs = -Infinity;
  #now: { serverMs: number; atMs: number } | null = null;

  constructor({ store, rules, log, destinations, clock, tasks }: FeederParts) {
    this.#store = store;
    this.#rules = rules;
    this.#log = log;
    this.#destinations = destinations;
    this.#clock = clock;
    this.#tasks = tasks;
    this.#wake = new Wake(clock);
    this.#fleet = new FleetReader({ clock, signal: tasks.signal });
    this.catalogue = new CatalogueKeeper({
      ...{ store, rules, log, clock, tasks },
      isWanted: () => this.#isCatalogueWanted(),
    });
    for (const name of PANEL_GROUPS) {
      this.#groups.set(name, {
        readAtMs: -Infinity,
        triedAtMs: -Infinity,
        reading: false,
        due: false,
        failing: null,
      });
    }
  }

  /** Runs until the tasks are told to end. */
  start(): void {
    this.#tasks.start('reading the panels', () => this.#loop());
    this.catalogue.start();
    this.#tasks.start('the change stream of runs', () => this.#watch());
  }

  get seq(): number {
    return this.#seq;
  }

  /** Hosts as they were read last. */
  get hosts(): readonly HostView[] {
    return this.#fleet.views;
  }

  /** Somebody looks: reads at once if nobody did for long. */
  want(): void {
    this.#wantedAtMs = monotonicMs(this.#clock);
    this.#wake.notify();
  }

  /** Calls back when a panel, a run or the state of the databases has changed. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.want();
    return () => {
      this.#listeners.delete(listener);
      this.#wantedAtMs = monotonicMs(this.#clock);
    };
  }

  /** Open streams. */
  get followers(): number {
    return this.#listeners.size;
  }

  /** Panels that have changed since. */
  panelsSince(seq: number): [PanelName, Panel][] {
    return [...this.#panels].filter(([, panel]) => panel.seq > seq);
  }

  /** Ids of runs that have changed since; null: any may have. */
  changedSince(seq: number): string[] | null {
    if (seq < this.#changesFrom) return null;
    return [...new Set(this.#changes.filter((each) => each.seq > seq).map(({ id }) => id))];
  }

  status(): StatusEvent {
    const at = monotonicMs(this.#clock);
    const status: StatusEvent = {
      ...{ now: this.#serverNow(at).toISOString(), ages: {}, failing: {} },
      away: this.#away(),
    };
    for (const [name, group] of this.#groups) {
      for (const panel of panelsOf(name)) {
        const read = this.#panels.get(panel);
        if (read !== undefined) status.ages[panel] = (at - read.readAtMs) / 1000;
        if (group.failing !== null) status.failing[panel] = group.failing.why;
      }
    }
    return status;
  }

  /** What the store says without being asked: a lost server greys all panels before a call fails. */
  onStoreEvent(event: StoreEvent): void {
    if (event.kind !== 'connection') return;
    for (const group of this.#groups.values()) {
      if (event.up) group.due = true;
      else {
        const why = `the ${event.database} database is away: ${event.reason ?? ''}`;
        this.#fail(group, why, event.database);
      }
    }
    this.#notify();
    this.#wake.notify();
  }

  #fail(group: Group, why: string, database: string | null): void {
    const sinceMs = group.failing?.sinceMs ?? monotonicMs(this.#clock);
    group.failing = { why, sinceMs, database };
  }

  /**
   * A database is away if its connection says so, or if nothing at all can be read. One group that cannot be read
   * greys its panels, no more.
   */
  #away(): StatusEvent['away'] {
    const groups = [...this.#groups.values()];
    const failing = groups.flatMap((group) => group.failing ?? []);
    const lost = failing.filter(({ database }) => database !== null);
    const isNothingRead = failing.length === groups.length;
    const [first] = (isNothingRead ? failing : lost).sort((a, b) => a.sinceMs - b.sinceMs);
    if (first === undefined) return null;
    const { why, database, sinceMs } = first;
    return { since: this.#serverNow(sinceMs).toISOString(), database, why };
  }

  #isWanted(): boolean {
    return this.#listeners.size > 0 || monotonicMs(this.#clock) - this.#wantedAtMs < IDLE_MS;
  }

  /** True once the panels that everybody sees have been read. */
  #isCatalogueWanted(): boolean {
    const groups = [...this.#groups.values()];
    const looked = groups.every(
      ({ readAtMs, failing }) => readAtMs > -Infinity || failing !== null,
    );
    return looked && this.#isWanted();
  }

  #serverNow(at: number): Date {
    return this.#now === null
      ? this.#clock.now()
      : new Date(this.#now.serverMs + (at - this.#now.atMs));
  }

  #changed(id: string | null): void {
    this.#seq++;
    if (id === null) {
      this.#changes = [];
      this.#changesFrom = this.#seq;
    } else {
      this.#changes.push({ seq: this.#seq, id });
      const dropped = this.#changes.length > MOST_CHANGES ? this.#changes.shift() : undefined;
      if (dropped !== undefined) this.#changesFrom = dropped.seq;
    }
    for (const [name, group] of this.#groups) {
      if (PANEL_READERS[name].showsRuns) group.due = true;
    }
    this.#notify();
    this.#wake.notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  async #watch(): Promise<void> {
    try {
      const end = await this.#store.runs.watch((hint) => {
        this.catalogue.onChange(hint?.id ?? null);
        this.#changed(hint === null ? null : idText(hint.id));
      }, this.#tasks.signal);
      if (end === 'unsupported') this.catalogue.poll();
    } catch (error) {
      this.#log.warn({ err: error }, 'no change stream: polling only');
      this.catalogue.poll();
    }
  }

  async #loop(): Promise<void> {
    while (!this.#tasks.signal.aborted) {
      const at = monotonicMs(this.#clock);
      const wanted = this.#isWanted();
      if (wanted) {
        for (const [name, group] of this.#groups) {
          const since = at - group.triedAtMs;
          const due = since >= PANEL_READERS[name].everyMs || (group.due && since >= LEAST_GAP_MS);
          if (due && !group.reading) {
            this.#tasks.start(`reading ${name}`, () => this.#read(name, group));
          }
        }
      }
      await this.#wake.wait(wanted ? TICK_SECONDS : Infinity, this.#tasks.signal);
    }
  }

  async #read(name: PanelGroup, group: Group): Promise<void> {
    group.reading = true;
    group.due = false;
    group.triedAtMs = monotonicMs(this.#clock);
    try {
      const read = await this.#readGroup(name);
      group.readAtMs = group.triedAtMs;
      const recovered = group.failing !== null;
      group.failing = null;
      const news = read.map((panel) => this.#keep(panel, group.readAtMs));
      if (recovered || news.includes(true)) this.#notify();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (group.failing === null)
        this.#log.warn({ event: 'dashboard.unread', group: name }, reason);
      this.#fail(group, reason, group.failing?.database ?? null);
      this.#notify();
    } finally {
      group.reading = false;
    }
  }

  /** Answers whether it has changed. */
  #keep({ name, data, staleAfterSeconds }: ReadPanel, readAtMs: number): boolean {
    const json = JSON.stringify(data);
    const before = this.#panels.get(name);
    if (before?.json === json) {
      before.readAtMs = readAtMs;
      return false;
    }
    this.#panels.set(name, { seq: ++this.#seq, json, readAtMs, staleAfterSeconds });
    return true;
  }

  async #readGroup(group: PanelGroup): Promise<ReadPanel[]> {
    const now = await this.#store.serverTime();
    this.#now = { serverMs: now.getTime(), atMs: monotonicMs(this.#clock) };
    return readPanels(group, {
      ...{ store: this.#store, rules: this.#rules, now },
      ...{ destinations: this.#destinations, fleet: this.#fleet },
    });
  }
}
