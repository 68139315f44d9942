import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';

import type { Clock } from '../../infra/clock/clock.ts';
import type { Background, Tasks } from '../../infra/concurrency/tasks.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import type { Store } from '../../ports/store.ts';
import { HostReader } from '../../readmodel/readings.ts';
import type { Destination } from './alarm.port.ts';
import type { Receiver, StoredAlarm } from './alarm.pure.ts';
import { course, NOTHING_SEEN, type Sightings } from './alarm-course.pure.ts';
import { readFacts } from './alarm-facts.ts';
import { messageOf } from './alarm-message.pure.ts';
import { type Notices, noticesFor, waitSeconds } from './alarm-notices.pure.ts';
import { alarmsOf } from './alarm-rules.pure.ts';
import { receiversOf, send, signOfLife } from './alarm-sender.ts';

/** Time for which one dashboard has the turn to send; longer than any message takes. */
const LEASE_SECONDS = 60;
const MOST_WAIT_SECONDS = 3600;
/** The end of an alarm is sent at most this much later. */
const CLEARED_HOURS = 24;
const MOST_OVER = 1000;

/** What it is made of. */
export interface AlarmParts extends Background {
  store: Store;
  settings: Settings;
  log: Logger;
}

/**
 * Judges the alarms at an interval, whether or not a page is open, and sends them. What is open and what
 * was sent is in the database: of several dashboards one sends, and a restart repeats nothing.
 */
export class AlarmWatch {
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #me = `${hostname()} ${process.pid} ${randomBytes(4).toString('hex')}`;
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #hostReader: HostReader;
  readonly #sending = new Set<Destination>();
  #sightings: Sightings = NOTHING_SEEN;
  /** Why the last look failed, so that it is said once. */
  #failing: string | null = null;

  constructor({ store, settings, log, clock, tasks }: AlarmParts) {
    this.#store = store;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#tasks = tasks;
    this.#hostReader = new HostReader(clock);
  }

  /** Runs until the tasks are told to end. */
  start(): void {
    this.#tasks.start('the watch over alarms', () => this.#loop());
  }

  async #loop(): Promise<void> {
    await this.#prepare();
    const { signal } = this.#tasks;
    while (!signal.aborted) {
      await this.#look();
      await this.#clock.sleep(this.#settings.alarms.pollSeconds, signal);
    }
  }

  /** In a database of our own the collections exist before the first write. */
  async #prepare(): Promise<void> {
    if (!this.#settings.database.manage) return;
    await this.#store.ensureIndexes().catch((error: unknown) => {
      this.#log.warn({ event: 'alarms.indexes', err: error }, 'indexes cannot be created');
    });
  }

  async #look(): Promise<void> {
    try {
      await this.#judge();
      this.#failing = null;
    } catch (error) {
      // Nobody knows what happened during the outage, so all holds begin again.
      this.#sightings = NOTHING_SEEN;
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#failing === null && !this.#tasks.signal.aborted) {
        this.#log.warn({ event: 'alarms.unread' }, `alarms cannot be judged: ${reason}`);
      }
      this.#failing = reason;
      return;
    }
    if (this.#tasks.signal.aborted) return;
    const { alarms } = this.#settings;
    for (const receiver of receiversOf(alarms)) this.#begin(receiver, () => this.#tell(receiver));
    if (alarms.deadMan !== null) this.#begin('dead_man', () => this.#showLife());
  }

  /** Records the alarms that begin and those that end. */
  async #judge(): Promise<void> {
    const { alarms: limits } = this.#settings;
    const now = await this.#store.serverTime();
    const [facts, open] = await Promise.all([
      readFacts(this.#store, this.#hostReader, this.#settings, now),
      this.#store.alarms.open(),
    ]);
    const found = alarmsOf(facts, new Set(open.map(({ key }) => key)), limits, now);
    const atSeconds = this.#clock.monotonicSeconds();
    const { raise, clear, sightings } = course(found, open, this.#sightings, {
      holdSeconds: limits.holdSeconds,
      atSeconds,
    });
    this.#sightings = sightings;
    const before = await this.#store.alarms.byKeys(raise.map(({ key }) => key));
    for (const alarm of raise) {
      const last = before.find(({ key }) => key === alarm.key);
      if (await this.#store.alarms.raise(alarm, last?.episode ?? 0)) {
        this.#log.warn({ event: 'alarm.raised', alarm: alarm.key }, alarm.what);
      }
    }
    for (const { key, episode, what } of clear) {
      if (await this.#store.alarms.clear(key, episode)) {
        this.#log.info({ event: 'alarm.cleared', alarm: key }, `over: ${what}`);
      }
    }
  }

  /** A slow receiver delays neither the others nor the next reading. */
  #begin(destination: Destination, work: () => Promise<void>): void {
    if (this.#sending.has(destination)) return;
    this.#sending.add(destination);
    this.#tasks.start(`telling ${destination}`, async () => {
      try {
        await work();
      } catch (error) {
        if (this.#tasks.signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn({ event: 'alarms.unsent', destination }, reason);
      } finally {
        this.#sending.delete(destination);
      }
    });
  }

  async #tell(receiver: Receiver): Promise<void> {
    if (isNothing(await this.#unknownTo(receiver))) return;
    await this.#inTurn(receiver, null, async () => {
      // Read again: another dashboard may just have sent it.
      const notices = await this.#unknownTo(receiver);
      if (isNothing(notices)) return false;
      await send(receiver, messageOf(notices, this.#settings.alarms.link), this.#settings.alarms);
      const told = (alarm: StoredAlarm, said: 'raised' | 'cleared') =>
        this.#store.alarms.told(alarm, receiver, said);
      for (const alarm of notices.raised) await told(alarm, 'raised');
      for (const alarm of notices.cleared) await told(alarm, 'cleared');
      return true;
    });
  }

  async #unknownTo(receiver: Receiver): Promise<Notices> {
    const now = await this.#store.serverTime();
    const since = new Date(now.getTime() - CLEARED_HOURS * 3_600_000);
    const [open, over, windows] = await Promise.all([
      this.#store.alarms.open(),
      this.#store.alarms.overSince(since, MOST_OVER),
      this.#store.maintenance.endingAfter(now),
    ]);
    return noticesFor(receiver, [...open, ...over], windows, now);
  }

  async #showLife(): Promise<void> {
    const { alarms } = this.#settings;
    await this.#inTurn('dead_man', alarms.deadManSeconds, async () => {
      await signOfLife(alarms);
      return true;
    });
  }

  /** One of all dashboards sends at a time, and after a failure only when the next try is due. `work` answers whether it has sent. */
  async #inTurn(
    destination: Destination,
    everySeconds: number | null,
    work: () => Promise<boolean>,
  ): Promise<void> {
    const now = await this.#store.serverTime();
    const receivers = await this.#store.alarms.receivers();
    const seen = receivers.find((each) => each.destination === destination) ?? null;
    if (seen !== null && (isAhead(seen.claimedUntil, now) || isAhead(seen.next, now))) return;
    const turn = await this.#store.alarms.claim(destination, seen, this.#me, LEASE_SECONDS);
    if (turn === null) return;
    const before = seen === null ? 0 : seen.failures;
    try {
      const kind = (await work()) ? 'sent' : 'nothing_to_send';
      const nextSeconds = kind === 'sent' ? (everySeconds ?? 0) : 0;
      await this.#store.alarms.release(destination, turn, { kind, nextSeconds });
    } catch (error) {
      // The database does not answer: the turn expires by itself.
      if (error instanceof StoreError) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      if (before === 0) this.#warnOf(destination, problem);
      const { retrySeconds } = this.#settings.alarms;
      const most = Math.min(MOST_WAIT_SECONDS, everySeconds ?? MOST_WAIT_SECONDS);
      const nextSeconds = waitSeconds(before + 1, retrySeconds, most);
      await this.#store.alarms.release(destination, turn, { kind: 'failed', problem, nextSeconds });
    }
  }

  #warnOf(destination: Destination, problem: string): void {
    this.#log.warn(
      { event: 'alarms.receiver_failed', destination },
      `cannot send to ${destination}: ${problem}`,
    );
  }
}

function isNothing({ raised, cleared }: Notices): boolean {
  return raised.length + cleared.length === 0;
}

function isAhead(time: Date | null | undefined, now: Date): boolean {
  return time != null && time > now;
}
