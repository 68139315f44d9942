interface Event {
  atMs: number;
  order: number;
  /** null: called off. */
  happen: (() => void) | null;
}

const BEGIN_MS = Date.UTC(2026, 2, 1, 12);

/**
 * Time that passes only from event to event. Everything in the simulation that waits, waits for an
 * event of this queue; there is no other clock.
 */
export class Time {
  #nowMs = BEGIN_MS;
  #count = 0;
  /** A heap: the next event first. */
  readonly #events: Event[] = [];

  /** True time, which the database server's clock shows; ms since 1970. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (this.#nowMs - BEGIN_MS) / 1000;
  }

  /** Lets something happen after so many seconds; answers how to call it off. */
  after(seconds: number, happen: () => void): () => void {
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, seconds) * 1000,
      order: this.#count++,
      happen,
    };
    this.#push(event);
    return () => (event.happen = null);
  }

  /** When the next event is due; Infinity if there is none. */
  nextSeconds(): number {
    while (this.#events[0]?.happen === null) this.#pop();
    const next = this.#events[0];
    return next === undefined ? Infinity : (next.atMs - BEGIN_MS) / 1000;
  }

  /** Lets the next event happen and all that follows from it at once; false if there is none. */
  async step(): Promise<boolean> {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      if (event.happen === null) continue;
      this.#nowMs = event.atMs;
      event.happen();
      await settled();
      return true;
    }
  }

  #push(event: Event): void {
    const events = this.#events;
    let i = events.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, events[parent]!)) break;
      events[i] = events[parent]!;
      i = parent;
    }
    events[i] = event;
  }

  #pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && before(events[child + 1]!, events[child]!)) child++;
      if (!before(events[child]!, last)) break;
      events[i] = events[child]!;
      i = child;
    }
    events[i] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Until every promise that can go on has gone on: the queue of the runtime is empty. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
