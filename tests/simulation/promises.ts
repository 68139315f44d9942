import type { Document } from 'mongodb';

import type { HostFacts } from '../../src/claim/claim.pure.ts';
import type { FleetNow, NextStep } from '../../src/claim/next-step.pure.ts';
import { type HostView, hostView } from '../../src/host/host-document.pure.ts';
import type { Rules } from '../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../src/ports/environment.ts';
import { explain } from '../../src/readmodel/explain.pure.ts';
import { factsOf } from '../../src/readmodel/explain-fleet.pure.ts';
import { parseRun } from '../../src/run/run.pure.ts';
import { fieldsOf, sharesNumber } from './invariants.ts';
import type { Seat } from './seat.ts';
import type { MemoryDatabase } from './store/index.ts';
import type { Time } from './time.ts';

/** How often promises are looked at, seconds. */
const LOOK_SECONDS = 10;
/**
 * From when a host could take a run to when it must have, seconds: it may take two others for free
 * that are not any more, and looks at each sixth poll then.
 */
const CLAIM_SECONDS = 150;
/** The same for what is done on the clock of housekeeping, seconds. */
const CLEAN_UP_SECONDS = 70;
/** After its time another host must first have watched a silent one for a whole lease, seconds. */
const TAKE_OVER_SECONDS = 190;

interface Kept {
  /** What was promised, of which state of the document. */
  what: string;
  /** How long it could have been kept and was not, seconds. */
  seconds: number;
}

export interface PromisesOptions {
  time: Time;
  database: MemoryDatabase;
  seats: readonly Seat[];
  roleOf: (host: string) => Environment['role'];
  livePrimaries: number;
  rules: Rules;
  violated: (invariant: string, what: string) => void;
}

/**
 * Holds the program to what `explain` says about each run, as seen from each host: who will do what,
 * and until when. Only for times without faults.
 */
export class Promises {
  readonly #options: PromisesOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: PromisesOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#options.time.after(LOOK_SECONDS, () => {
      for (const document of this.#options.database.runs.all()) this.#look(document);
      this.begin();
    });
  }

  #look(document: Document): void {
    const { time, database, seats, roleOf, livePrimaries, rules } = this.#options;
    const now = new Date(time.nowMs);
    // What becomes of runs that share a number is told of all of them together.
    if (sharesNumber(database, document)) return;
    const queueLength = [...database.runs.all()].filter(
      (one) => (fieldsOf(one).state ?? null) === null,
    ).length;
    const fleet = { queueLength, livePrimaries };
    const fleetNow = this.#fleetNow(now);
    for (const seat of seats) {
      const { name } = seat;
      const facts = {
        host: name,
        role: roleOf(seat.host.name),
        accepting: acceptingOf(name, fleetNow.hosts),
      };
      const { next } = explain(parseRun(document), facts, { fleet, rules, now }, fleetNow);
      const key = `${String(document._id)} ${name}`;
      if (next === null) this.#kept.delete(key);
      else this.#hold(key, seat, document, next);
    }
  }

  #hold(key: string, seat: Seat, document: Document, next: NextStep): void {
    const { state, attempt, time } = fieldsOf(document);
    const what = `${next.what} (${next.at ?? 'no time'}, ${next.who ?? 'nobody'}) ${String(state)} ${String(attempt)} ${String(time)}`;
    let kept = this.#kept.get(key);
    if (kept?.what !== what) {
      kept = { what, seconds: 0 };
      this.#kept.set(key, kept);
    }
    const patience = this.#patience(seat, next);
    if (patience === null) return;
    // Whoever is to keep it must be there all the while.
    const since = this.#options.time.seconds - kept.seconds;
    const there = this.#options.seats.some(
      ({ runningSince }) => runningSince !== null && runningSince <= since,
    );
    if (!there) kept.seconds = 0;
    kept.seconds += LOOK_SECONDS;
    if (kept.seconds <= patience) return;
    this.#options.violated(
      'explain keeps its promises',
      `run ${String(document.number)}, seen from ${seat.host.name}: "${next.what}", at ${next.at ?? 'no time'}, by ${next.who ?? 'nobody'}: ${kept.seconds} s later nothing`,
    );
    kept.seconds = -Infinity;
  }

  /** How long this may still take; null: it is not due, or could not be done just now. */
  #patience(seat: Seat, { what, at }: NextStep): number | null {
    if (at !== null && this.#options.time.nowMs < Date.parse(at)) return null;
    switch (what) {
      case 'it is claimed when a slot is free':
      case 'it is set aside until its document is corrected':
        return this.#hasFreeSlot(seat) ? CLAIM_SECONDS : null;
      case 'its state becomes abandoned':
        return CLEAN_UP_SECONDS;
      default:
        if (what.startsWith('it is abandoned')) return CLEAN_UP_SECONDS;
        if (/ another host takes it over$| is taken over /.test(what)) return TAKE_OVER_SECONDS;
        // Left to a host of another kind, at no time.
        return null;
    }
  }

  #hasFreeSlot(seat: Seat): boolean {
    const { host } = seat;
    if (seat.process === null || seat.process.stopped) return false;
    let taken = [...host.children].filter(({ alive }) => alive).length;
    const running = new Set([...host.children].map(({ attempt }) => attempt));
    for (const document of this.#options.database.runs.all()) {
      const { state, host: holder, attempt } = fieldsOf(document);
      if (state !== 'considering' && state !== 'busy') continue;
      if (holder === seat.name && !running.has(String(attempt))) taken++;
    }
    return taken < seat.slots;
  }

  #fleetNow(now: Date): FleetNow {
    const { database, rules } = this.#options;
    const hosts = [...database.hosts.all()].map(({ host, state, time, ...extras }) =>
      hostView(
        { host: String(host), state: String(state), time: time as Date, extras },
        now,
        rules.limits.presumedDeadSeconds,
      ),
    );
    return { hosts, waiting: 0 };
  }
}

/** As the host itself reports it, and for whom it leaves runs. */
function acceptingOf(name: string, hosts: readonly HostView[]): HostFacts['accepting'] {
  const view = hosts.find(({ host }) => host === name);
  if (view === undefined) return { ok: false, reason: 'never heard of' };
  return factsOf(view, hosts).accepting;
}
