import type { Daq } from './daq.ts';
import type { SimulatedHost } from './host.ts';
import type { People } from './people.ts';
import type { Random } from './random.ts';
import type { ReferenceManager } from './reference.ts';
import { simulationRules } from './rules.ts';
import type { Seat } from './seat.ts';
import type { Time } from './time.ts';
import type { World } from './worlds.ts';

/** For so long after the faults people still do something now and then, seconds. */
export const PEOPLE_SECONDS = 40;

export interface FaultOptions {
  time: Time;
  random: Random;
  seats: readonly Seat[];
  people: People;
  reference: ReferenceManager | null;
  daq: Daq;
  worlds: ReadonlySet<World>;
  /** The next manager of a seat calls its host by another name. */
  renamed: (seat: Seat) => void;
  /** Its state folder and its runs go on under the name that the host has now. */
  adopt: (seat: Seat) => Promise<void>;
  /** The child of this attempt is about to be killed. */
  killed: (attempt: string) => void;
  tell: (what: string) => void;
  failed: (error: unknown) => void;
}

/** Kinds of faults, each as often as it is listed. */
const KINDS = [
  'kill manager',
  'kill manager',
  'kill manager',
  'kill at a write',
  'kill at a write',
  'kill at a write',
  'kill at a disk write',
  'power cut at a disk write',
  'end manager',
  'take over',
  'stop manager',
  'stop manager',
  'stop host',
  'power cut',
  'kill child',
  'kill guardian',
  'cut one',
  'cut one',
  'cut all',
  'lose answers',
  'slow',
  'lose hints',
  'clock',
  'bad disk',
  'person',
  'person',
  'person',
  'person',
  'request',
  'reference',
] as const;

type Kind =
  | (typeof KINDS)[number]
  | 'twin'
  | 'rename'
  | 'recount'
  | 'kill manager for long'
  | 'leave a child to the guest'
  | 'stop manager at a start'
  | 'stop manager at an end';

/** What else goes wrong in such a night. */
const KINDS_OF: Partial<Record<World, readonly Kind[]>> = {
  'shared output': ['stop manager', 'stop host', 'kill manager for long'],
  twins: ['twin', 'twin', 'twin', 'twin'],
  strangers: ['twin', 'twin', 'twin', 'twin'],
  'shared state': ['kill manager', 'kill manager'],
  renamed: ['rename', 'rename', 'rename', 'rename'],
  guest: [
    ...Array<Kind>(8).fill('leave a child to the guest'),
    'kill manager for long',
    'stop manager',
    'reference',
    'reference',
  ],
  recount: ['recount', 'recount', 'recount'],
  'late reads': [
    ...Array<Kind>(6).fill('stop manager at a start'),
    ...Array<Kind>(8).fill('stop manager at an end'),
  ],
};

/** Everything that goes wrong, until it is told to end. */
export class Faults {
  readonly #options: FaultOptions;
  #ended = false;
  /** What is to happen at a host's next write. */
  readonly #traps = new Map<string, string>();
  /** What is to be undone at the end. */
  readonly #mend = new Set<() => void>();

  readonly #kinds: readonly Kind[];
  #twins = 0;
  readonly #twinsOf = new Map<SimulatedHost, Seat[]>();

  constructor(options: FaultOptions) {
    this.#options = options;
    this.#kinds = [...KINDS, ...[...options.worlds].flatMap((world) => KINDS_OF[world] ?? [])];
  }

  begin(seconds: number): void {
    const { time, random } = this.#options;
    // From quiet nights to wild ones.
    const mean = random.pick([4, 10, 25, 80]);
    const next = () => {
      if (this.#ended) return;
      this.#happen(seconds - time.seconds);
      time.after(random.between(0, 2 * mean), next);
    };
    time.after(random.between(0, 2 * mean), next);
  }

  end(): void {
    this.#ended = true;
    this.#traps.clear();
    for (const mend of [...this.#mend]) mend();
    for (const seat of this.#options.seats) {
      seat.host.powerOn();
      seat.keepRunning();
    }
    this.#options.reference?.kill();
    const { time, random, people } = this.#options;
    // People go on.
    for (let i = random.int(3); i > 0; i--) {
      time.after(random.between(1, PEOPLE_SECONDS), () => {
        people.act().catch((error: unknown) => this.#options.failed(error));
      });
    }
  }

  /** A host has changed a run in the database: between this write and its answer it may die. */
  databaseWritten(host: string): void {
    if (this.#traps.get(host) === 'kill at a write') this.#spring(host);
  }

  /** Something on a host's disk has changed. */
  diskWritten(host: string): void {
    const trap = this.#traps.get(host);
    if (trap === 'kill at a disk write' || trap === 'power cut at a disk write') this.#spring(host);
  }

  /** A host has a new child. */
  childStarted(host: string): void {
    const trap = this.#traps.get(host);
    if (trap === 'stop manager at a start' || trap === 'leave a child to the guest') {
      this.#spring(host);
    }
  }

  /** Guardian or strax process of a child is gone. */
  childEnded(host: string): void {
    if (this.#traps.get(host) === 'stop manager at an end') this.#spring(host);
  }

  #spring(name: string): void {
    const { time, random, seats, tell } = this.#options;
    const trap = this.#traps.get(name);
    const seat = seats.find(({ host }) => host.name === name);
    this.#traps.delete(name);
    if (seat === undefined || this.#ended) return;
    const isStop = trap?.startsWith('stop manager') === true;
    // Before anything else can go on; the wrong moment for a look at a child is some time after.
    time.after(isStop ? random.between(0, 0.03) : 0, () => {
      tell(`${String(trap)} of ${name}, now`);
      if (trap === 'power cut at a disk write') seat.host.powerCut('chance');
      else if (trap === 'leave a child to the guest') {
        seat.kill();
        this.#later(random.between(140, 300), () => seat.start());
      } else if (isStop) {
        const { process } = seat;
        process?.stop();
        this.#later(random.between(3, 60), () => process?.goOn());
      } else {
        seat.kill();
        this.#later(random.between(1, 5), () => seat.start());
      }
    });
  }

  // eslint-disable-next-line complexity -- One list of all that can happen: each case stands by itself.
  #happen(left: number): void {
    const { random, seats, tell, people, reference, time } = this.#options;
    const seat = random.pick(seats);
    const { host } = seat;
    const kind = random.pick(this.#kinds);
    const seconds = Math.min(
      random.chance(0.3) ? random.between(60, 250) : random.between(1, 60),
      left,
    );
    const on = `${host.name}`;
    switch (kind) {
      case 'kill manager':
        if (seat.process === null) return;
        tell(`${kind} of ${on}`);
        seat.kill();
        this.#later(random.chance(0.8) ? random.between(1, 5) : seconds, () => seat.start());
        return;
      case 'stop manager at a start':
      case 'stop manager at an end':
      case 'kill at a write':
      case 'kill at a disk write':
      case 'power cut at a disk write':
        tell(`${kind} of ${on}, the next`);
        this.#traps.set(host.name, kind);
        return;
      case 'leave a child to the guest':
        // It takes what has given no sign of life, under the name of the host that both have.
        if (reference?.home != null) this.#traps.set(reference.home.name, kind);
        return;
      case 'request':
        seat.request(1 + random.int(5));
        return;
      case 'kill manager for long':
        if (seat.process === null) return;
        tell(`${kind} of ${on}`);
        seat.kill();
        this.#later(random.between(100, 300), () => seat.start());
        return;
      case 'twin':
        this.#twin(seat, seconds);
        return;
      case 'rename':
        tell(`${kind} ${on}`);
        seat.kill();
        seat.name = seat.name === host.name ? host.name.split('.')[0]! : host.name;
        this.#options.renamed(seat);
        this.#later(random.between(1, 5), () => seat.start());
        // Until somebody sees to it.
        this.#later(random.between(5, 30), () => {
          if (random.chance(0.5)) seat.nameBack();
          else this.#options.adopt(seat).catch((error: unknown) => this.#options.failed(error));
        });
        return;
      case 'recount':
        this.#options.daq.recount(1 + random.int(5));
        return;
      case 'end manager':
        if (seat.process === null) return;
        tell(`${kind} of ${on}`);
        seat.end();
        this.#later(random.between(6, 20), () => seat.start());
        return;
      case 'take over':
        if (seat.process === null) return;
        tell(`${kind} ${on}`);
        seat.end();
        // The second instance waits for the lock, which is free once the first has gone.
        this.#whenGone(seat);
        return;
      case 'stop manager': {
        const { process } = seat;
        if (process === null) return;
        tell(`${kind} of ${on} for ${seconds.toFixed(0)} s`);
        process.stop();
        this.#later(seconds, () => process.goOn());
        return;
      }
      case 'stop host': {
        const { process } = seat;
        if (process === null) return;
        tell(`${kind} ${on} for ${seconds.toFixed(0)} s`);
        const children = [...host.children];
        for (const one of [process, ...children]) one.stop();
        // A manager that is started meanwhile finds that they write nothing.
        if (seconds > simulationRules.limits.maxNoWriteSeconds) {
          for (const { attempt } of children) this.#options.killed(attempt);
        }
        this.#later(seconds, () => {
          for (const one of [process, ...children]) one.goOn();
        });
        return;
      }
      case 'power cut':
        host.powerCut('chance');
        return;
      case 'kill child':
      case 'kill guardian': {
        const children = [...host.children].filter(({ alive }) => alive);
        if (children.length === 0) return;
        const child = random.pick(children);
        tell(`${kind} of attempt ${child.attempt} on ${on}`);
        this.#options.killed(child.attempt);
        if (kind === 'kill child') child.killStrax(9);
        else child.killGuardian();
        return;
      }
      case 'cut one':
      case 'cut all': {
        const some = kind === 'cut one' ? [seat] : seats;
        const state = random.pick(['refused', 'silent'] as const);
        tell(
          `the database is ${state} for ${kind === 'cut one' ? on : 'all'}, ${seconds.toFixed(0)} s`,
        );
        for (const { host: each } of some) {
          each.link.state = state;
          each.link.landingLate = random.pick([0, 0.3]);
        }
        this.#later(seconds, () => {
          tell(`the database answers ${kind === 'cut one' ? on : 'all'}`);
          for (const { host: each } of some) each.link.state = 'up';
        });
        return;
      }
      case 'lose answers':
        tell(`${kind} to ${on} for ${seconds.toFixed(0)} s`);
        host.link.losing = random.pick([0.2, 0.6]);
        this.#later(seconds, () => (host.link.losing = 0));
        return;
      case 'slow':
        host.link.slowSeconds = random.pick([0.5, 3, 20]);
        tell(`the way of ${on} takes up to ${host.link.slowSeconds} s for ${seconds.toFixed(0)} s`);
        this.#later(seconds, () => (host.link.slowSeconds = 0.01));
        return;
      case 'lose hints':
        host.link.hintsLost = random.pick([0.5, 1]);
        host.link.hintSeconds = random.pick([0.05, 10]);
        this.#later(seconds, () => {
          host.link.hintsLost = 0;
          host.link.hintSeconds = 0.05;
        });
        return;
      case 'clock':
        host.skewSeconds = random.between(-7200, 7200);
        return;
      case 'bad disk':
        tell(`${kind} on ${on} for ${seconds.toFixed(0)} s`);
        host.diskBad = true;
        this.#later(seconds, () => (host.diskBad = false));
        return;
      case 'person':
        people.act().catch((error: unknown) => this.#options.failed(error));
        return;
      case 'reference':
        if (reference === null) return;
        if (random.chance(0.5)) reference.pause(seconds);
        else {
          reference.kill();
          time.after(random.between(1, 60), () => {
            if (!this.#ended) reference.start();
          });
        }
        return;
    }
  }

  /** A second manager beside that of a host, for a while. */
  #twin(seat: Seat, seconds: number): void {
    const { worlds, tell } = this.#options;
    const stranger = worlds.has('strangers');
    tell(`a second manager of ${seat.host.name} for ${seconds.toFixed(0)} s`);
    const twin = seat.twin(stranger ? `${seat.state}-${++this.#twins}` : seat.state);
    twin.start();
    this.#twinsOf.set(seat.host, [...(this.#twinsOf.get(seat.host) ?? []), twin]);
    this.#later(seconds, () => {
      twin.kill();
      seat.start();
    });
  }

  /** A machine is without power. */
  powerGone(host: SimulatedHost): void {
    for (const twin of this.#twinsOf.get(host) ?? []) twin.kill();
  }

  #whenGone(seat: Seat): void {
    this.#options.time.after(0.1, () => {
      if (seat.process === null) seat.start();
      else this.#whenGone(seat);
    });
  }

  /** Mends something after a while, or when all faults end. */
  #later(seconds: number, mend: () => void): void {
    const once = () => {
      if (!this.#mend.delete(once)) return;
      mend();
    };
    this.#mend.add(once);
    this.#options.time.after(seconds, once);
  }
}
