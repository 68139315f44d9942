import type { Logger } from 'pino';

import { ManagerRefused } from '../../src/exclusion/exclusion-refusal.ts';
import { hostNameFor } from '../../src/exclusion/host-name.pure.ts';
import type { Clock } from '../../src/infra/clock/clock.ts';
import { TaskGroup } from '../../src/infra/concurrency/task-group.ts';
import type { Rules } from '../../src/infra/config/rules.pure.ts';
import { StoreError } from '../../src/infra/mongo/store-error.ts';
import { ManagerLoop } from '../../src/manager/loop.ts';
import type { Environment } from '../../src/ports/environment.ts';
import { ManagerFigures } from '../../src/ports/figures.ts';
import type { Store } from '../../src/ports/store.ts';
import { LeftRuns } from '../../src/run/refused-runs.ts';
import { attemptsOf, productsOf } from './attempt-folders.ts';
import { OUTPUT_DIRECTORY, STAGING_DIRECTORY, STATE_DIRECTORY } from './disk.ts';
import { ExclusiveNameLock } from './exclusive-name-lock.ts';
import { SimulatedExecutor } from './executor.ts';
import type { SimulatedHost } from './host.ts';
import { OpenNameLock } from './open-name-lock.ts';
import { Process, processClock } from './process.ts';
import type { Call } from './reference-order.ts';

/** The service manager starts what has ended after this long, seconds. */
const RESTART_SECONDS = 10;

export const LIVE_DATA = '/live_data/xenonnt';

export interface SeatOptions {
  rules: Rules;
  role: Environment['role'];
  primaries: readonly string[];
  slots: number;
  pollSeconds: number;
  changeStream: boolean;
  /** Nothing keeps two managers of one name apart. */
  open: boolean;
  /** Puts another store in place of the real one; `call` is the host's way to the database. */
  storeOf: (store: Store, call: Call) => Store;
  tell: (who: string, what: string) => void;
  /** A manager has ended by an error of its own. */
  crashed: (host: SimulatedHost, error: unknown) => void;
}

/** Where the managers of one host live, one after the other. */
export class Seat {
  readonly host: SimulatedHost;
  /** What its next manager calls this host. */
  name: string;
  readonly state: string;
  readonly #options: SeatOptions;
  #process: Process | null = null;
  #tasks: TaskGroup | null = null;
  #loop: ManagerLoop | null = null;
  #since = 0;
  /** Its state folder is locked by a person's command. */
  #adopting = false;

  constructor(host: SimulatedHost, options: SeatOptions, state = STATE_DIRECTORY) {
    this.host = host;
    this.name = host.name;
    this.state = state;
    this.#options = options;
  }

  /** Another place for managers of this host, with the same state folder or one of its own. */
  twin(state: string): Seat {
    return new Seat(this.host, this.#options, state);
  }

  get process(): Process | null {
    return this.#process?.alive === true ? this.#process : null;
  }

  get slots(): number {
    return this.#options.slots;
  }

  /** Since when a manager has been running here, seconds; null: there is none, or it stands still. */
  get runningSince(): number | null {
    return this.process === null || this.process.stopped ? null : this.#since;
  }

  /** A person at this host wants a run processed out of turn. */
  request(run: number): void {
    if (this.process === null || this.process.stopped) return;
    this.#loop?.process({ run }).then(
      ({ message }) => this.#options.tell(this.host.name, `asked for run ${run}: ${message}`),
      (error: unknown) => {
        if (!(error instanceof StoreError)) this.#options.crashed(this.host, error);
      },
    );
  }

  /** Starts a manager whenever there is none, as the system's service manager does. */
  keepRunning(): void {
    this.start();
    this.host.time.after(RESTART_SECONDS, () => this.keepRunning());
  }

  /** `bootstrax adopt`: the machine has been renamed. */
  async adopt(store: Store): Promise<void> {
    const { owners } = this.host.disk;
    const [from, to] = [owners.get(this.state), this.name];
    if (this.process !== null || this.#adopting) return;
    if (from !== undefined && from !== to) {
      this.#adopting = true;
      await store.adoption.move(from, to);
      owners.set(this.state, to);
      this.#adopting = false;
    }
    // It may have been called otherwise meanwhile.
    if (this.name !== to) return this.adopt(store);
    this.start();
  }

  /** A person gives it the name back that its state folder remembers. */
  nameBack(): void {
    if (this.process !== null || this.#adopting) return;
    this.name = this.host.disk.owners.get(this.state) ?? this.name;
    this.start();
  }

  start(): void {
    if (!this.host.on || this.process !== null) return;
    if (this.#adopting || !this.#mayHaveFolder()) return;
    const { host } = this;
    const process = new Process(host.time);
    const clock = processClock(host.time, process, host.random, () => host.skewSeconds);
    const tasks = new TaskGroup(clock);
    let loop: ManagerLoop | null = null;
    const env = this.#environmentOf({ process, clock, tasks }, (event) =>
      loop?.onStoreEvent(event),
    );
    loop = new ManagerLoop(env);
    this.#process = process;
    this.#tasks = tasks;
    this.#loop = loop;
    this.#since = host.time.seconds;
    this.#options.tell(host.name, 'manager starts');
    const manager = loop;
    const work = async () => {
      await manager.work(null);
      await manager.giveBack();
    };
    tasks.guard(work).then(
      () => process.kill(),
      (error: unknown) => {
        if (!(error instanceof ManagerRefused)) return this.#options.crashed(host, error);
        this.#options.tell(host.name, error.message);
        process.kill();
      },
    );
  }

  #mayHaveFolder(): boolean {
    const { host, name, state } = this;
    const { owners } = host.disk;
    const owner = owners.get(state);
    const machine = { id: host.name, name: host.name };
    const decision = hostNameFor(owner === undefined ? null : { host: owner, machine }, {
      ...{ name, isExplicit: true, machine, stateDir: state },
    });
    if (decision.kind === 'refused') this.#options.tell(host.name, decision.reason);
    else if (owner === undefined) owners.set(state, name);
    return decision.kind !== 'refused';
  }

  /** As kill -9. */
  kill(): void {
    this.#process?.kill();
  }

  /** As TERM: the manager ends by itself, and is killed if it does not. */
  end(): void {
    const process = this.#process;
    this.#tasks?.end();
    this.host.time.after(5, () => process?.kill());
  }

  #environmentOf(
    { process, clock, tasks }: { process: Process; clock: Clock; tasks: TaskGroup },
    notify: Parameters<SimulatedHost['link']['open']>[1],
  ): Environment {
    const { host } = this;
    const { rules, role, primaries, slots, pollSeconds, changeStream, open, tell } = this.#options;
    const say = (fields: { event?: string }, message: string) =>
      tell(host.name, `${fields.event ?? ''}: ${message}`);
    const log = { debug: () => undefined, info: say, warn: say, error: say, fatal: say };
    const store = this.#options.storeOf(
      host.link.open(process, notify, this.name),
      (operation, carryOut) => host.link.call(process, operation, carryOut, this.name),
    );
    const logger = log as unknown as Logger;
    const holder = host.newHolder(this.name, this.state);
    host.managers.add(holder, { process, end: () => tasks.end() });
    return {
      host: this.name,
      role,
      primaries,
      watchedHosts: [],
      resourceTable: 'new',
      slots,
      rules,
      context: 'module:function',
      contextOptions: {},
      processor: 'threaded_mailbox',
      profile: null,
      debug: false,
      pictures: true,
      frontends: [],
      ignoreChecks: false,
      wipeOnlineMonitor: true,
      productionMode: true,
      liveDataRoots: [LIVE_DATA],
      outputDirectory: OUTPUT_DIRECTORY,
      stagingDirectory: STAGING_DIRECTORY,
      deletion: null,
      changeStream,
      pollSeconds,
      store,
      nameLock: open
        ? new OpenNameLock(store, clock, holder)
        : new ExclusiveNameLock({ store, clock, log: logger }, holder, {
            ...{ managers: host.managers, process },
          }),
      executor: new SimulatedExecutor(host, process, slots),
      cluster: null,
      jobs: null,
      attempts: attemptsOf(host, process, this.state),
      products: productsOf(host, process),
      machine: host.machine(),
      drains: { keep: () => Promise.resolve(), end: () => Promise.resolve() },
      clock,
      tasks,
      log: logger,
      graph: () => null,
      figures: new ManagerFigures(),
      left: new LeftRuns(clock),
    };
  }
}
