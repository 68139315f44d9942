import type { Runner } from '../attempt/runner.ts';
import { Coalesced } from '../infra/concurrency/coalesced.ts';
import type { Repeated } from '../infra/concurrency/tasks.ts';
import { versionOfThis } from '../infra/config/version.ts';
import type { MachineLoad } from '../infra/linux/load.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase } from '../ports/persist.ts';
import type { Drain } from './drain.ts';
import type { HostHeartbeat } from './host.port.ts';
import type { HostHealth } from './host-health.ts';
import { HISTORY_SECONDS } from './host-history.store.ts';
import { memoryLimitBytes } from './memory.pure.ts';

/**
 * `eb_monitor` promises one at least every 10 s, and a write may itself take a while. All hosts
 * write theirs at the same time: a server that answers change streams at each write of anybody does
 * so once then, and not once for each host.
 */
const HEARTBEAT_SECONDS = 9;
const SIGNING = 'the heartbeat of this host';
/** The document in the collection `bootstrax` is written on change, and at least once a minute. */
const HOST_STATUS_SECONDS = 55;
/**
 * An attempt comes from its claim to its child within this time, and the database has to answer
 * each of these steps: what the host tells of them follows, once for all, seconds.
 */
const ADVANCE_SECONDS = 0.2;

export interface ManagerView {
  /** null until the host has been checked for the first time. */
  health: HostHealth | null;
  runners: readonly Runner[];
  /** A person wants no new run here. */
  drained?: Drain | null;
  /** How long ago it last did the duty for other hosts; null or absent: it does not do it. */
  orderKeptSeconds?: number | null;
}

/** Those of a cluster are too many to be named. */
function onClusterText(runners: readonly Runner[]): string {
  const there = runners.filter((runner) => !isHere(runner));
  const waiting = there.filter(({ phase }) => phase === 'waiting_for_place').length;
  return `${counted(there.length, 'run')} on Slurm, of which ${counted(waiting, 'waits', 'wait')} for a place`;
}

function isHere({ on }: Pick<Runner, 'on'>): boolean {
  return on !== 'slurm';
}

/** One plain sentence on what this host is doing and why. */
export function thinking(
  { health, runners }: ManagerView,
  slots: number,
  options: { withProgress: boolean },
): string {
  const here = runners.filter(isHere);
  const doing = here.map(({ run, phase, progress }) => {
    const covered =
      progress === null || !options.withProgress
        ? ''
        : ` (${progress.coveredSeconds.toFixed(0)} s of data read)`;
    switch (phase) {
      case 'claimed':
      case 'preparing':
        return `preparing run ${run.number}`;
      case 'waiting_for_worker':
        return `run ${run.number} waits for the worker to warm up`;
      case 'waiting_for_place':
        return `run ${run.number} waits for a place`;
      case 'starting':
        return `starting run ${run.number}`;
      case 'finding':
        return `searching for the processes of run ${run.number}`;
      case 'running':
        return `processing run ${run.number}${covered}`;
      case 'waiting_for_end':
        return `waiting for the DAQ to write the end of run ${run.number}`;
      case 'checking':
        return `checking the data of run ${run.number}`;
      case 'publishing':
        return `publishing the data of run ${run.number}`;
      case 'concluding':
        return `writing the outcome of run ${run.number}`;
      case 'taking_back':
        return `taking back what was made of run ${run.number}`;
    }
  });
  if (here.length < runners.length) doing.push(onClusterText(runners));
  if (health === null) doing.push('checking this machine');
  else if (!health.accepting.ok) doing.push(`taking no new run: ${health.accepting.reason}`);
  else if (here.length < slots) doing.push('waiting for runs');
  return doing.join('; ');
}

/**
 * Reports this host to the databases from timers of its own, whatever else goes on. A heartbeat
 * that cannot be written is left out: the next one is due soon.
 */
export class Heartbeat {
  readonly #env: Environment;
  readonly #view: () => ManagerView;
  readonly #load: () => MachineLoad;
  readonly #displaced: () => void;
  #beat: Repeated | null = null;
  /** Heartbeats on their way to the databases. */
  readonly #signs = new Set<Promise<void>>();
  /** What the last heartbeat said, and about which run. */
  #said = '';
  #lastStatus = '';
  #lastStatusAt = -Infinity;
  /** After an outage only the last state is written. */
  readonly #statuses = new Coalesced(() => this.#writeStatus());
  /** How far this machine's clock is ahead of the server's. */
  #skewSeconds: number | null = null;
  /** It has had a free slot and taken runs since then, monotonic seconds. */
  #freeSince: number | null = null;
  #historyAt = -Infinity;
  /** An attempt has come further, and this is not told yet. */
  #soon: Repeated | null = null;

  /** `displaced`: the host's document names another manager. */
  constructor(env: Environment, view: () => ManagerView, displaced: () => void) {
    this.#env = env;
    this.#view = view;
    this.#displaced = displaced;
    this.#load = env.machine.meterLoad();
  }

  start(): void {
    const beat = { name: SIGNING, seconds: HEARTBEAT_SECONDS };
    this.#beat = this.#env.tasks.onBeat(beat, () => this.#noted());
    this.#signNow();
  }

  /**
   * Something has changed: the host's document is written at once if it differs, and a heartbeat if
   * it says something else, or is about another run.
   */
  changed(): void {
    this.#soon?.stop();
    this.#soon = null;
    if (this.#beat === null) return;
    this.#noteFreePlace();
    if (this.#saying() === this.#said) this.#writeStatusesNow();
    else this.#signNow();
  }

  /** An attempt has come further: told soon, with all that changes until then. */
  advanced(): void {
    if (this.#beat === null) return;
    this.#noteFreePlace();
    if (this.#soon !== null) return;
    const advance = { name: 'what the attempts of this host do', seconds: ADVANCE_SECONDS };
    this.#soon = this.#env.tasks.after(advance, () => this.changed());
  }

  #signNow(): void {
    this.#env.tasks.start(SIGNING, () => this.#noted());
  }

  #writeStatusesNow(): void {
    this.#env.tasks.start('the document of this host', () => this.#statuses.request());
  }

  async #noted(): Promise<void> {
    const written = this.#sign();
    this.#signs.add(written);
    await written;
    this.#signs.delete(written);
  }

  #noteFreePlace(): void {
    const { health, runners } = this.#view();
    const { free } = this.#env.executor.places(runners.filter(isHere).length);
    const isFree = health?.accepting.ok === true && free > 0;
    this.#freeSince = isFree ? (this.#freeSince ?? this.#env.clock.monotonicSeconds()) : null;
  }

  #saying(): string {
    const view = this.#view();
    return `${heartbeatState(view)} ${runShown(view)?.run.runId ?? ''}`;
  }

  /** The host's document is written whether or not anything has changed. */
  async renewDocument(): Promise<void> {
    this.#lastStatusAt = -Infinity;
    await this.#statuses.request();
  }

  stop(): void {
    this.#beat?.stop();
    this.#beat = null;
    this.#soon?.stop();
    this.#soon = null;
  }

  /** Stops, and waits until nothing of it is on its way any more. */
  async end(): Promise<void> {
    this.stop();
    await Promise.all([...this.#signs, this.#statuses.idle()]);
  }

  async #sign(): Promise<void> {
    // Not waited for: neither of the two may delay the other.
    this.#writeStatusesNow();
    this.#said = this.#saying();
    try {
      const sign = this.#heartbeat();
      await this.#env.store.ebMonitor.write(sign);
      await this.#writeHistory(sign);
      const serverTime = await this.#env.store.serverTime();
      this.#skewSeconds = (this.#env.clock.now().getTime() - serverTime.getTime()) / 1000;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  /** Not before the machine has been checked: until then its figures are not known. */
  async #writeHistory(sign: HostHeartbeat): Promise<void> {
    const now = this.#env.clock.monotonicSeconds();
    if (this.#view().health === null || now - this.#historyAt < HISTORY_SECONDS) return;
    this.#historyAt = now;
    await this.#env.store.hostHistory.write(sign);
  }

  async #writeStatus(): Promise<void> {
    this.#noteFreePlace();
    const view = this.#view();
    const state = view.runners.some(isHere) || view.health?.accepting.ok !== true ? 'busy' : 'idle';
    const extras = this.#extras(view);
    const status = JSON.stringify({ state, ...extras });
    const isFresh = this.#env.clock.monotonicSeconds() - this.#lastStatusAt <= HOST_STATUS_SECONDS;
    if (isFresh && status === this.#lastStatus) return;
    try {
      // Figures always differ: they are written along with a change, and are no change by themselves.
      const told = {
        ...extras,
        ...this.#env.figures.told(),
        free_for_seconds: this.#freeForSeconds(),
        cluster_facts: this.#env.jobs === null ? null : (this.#env.cluster?.facts() ?? null),
        order_kept_seconds: view.orderKeptSeconds ?? null,
      };
      const { host, nameLock } = this.#env;
      const { holder } = nameLock;
      const written = await this.#env.store.hosts.write({ host, state, holder, extras: told });
      if (written === 'displaced') return this.#displaced();
      this.#lastStatus = status;
      this.#lastStatusAt = this.#env.clock.monotonicSeconds();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  /** What the host says of itself, beside its figures. */
  #extras(view: ManagerView) {
    return {
      pid: process.pid,
      slots: this.#env.slots,
      role: this.#env.role,
      context: this.#env.context,
      worker: this.#env.executor.describe(),
      worker_ready: this.#env.executor.startsAtOnce(),
      memory_limit_bytes: this.#memoryLimitBytes(),
      versions: { bootstrax: versionOfThis(), ...this.#env.executor.versions() },
      ...shownAccepting(view.health?.accepting ?? null),
      drained: shownDrain(view.drained ?? null),
      runs: view.runners.filter(isHere).map(({ run }) => run.number),
      cluster: this.#env.cluster?.describe() ?? null,
      cluster_ready: this.#env.jobs !== null && this.#env.cluster?.ready().ok === true,
      left_runs: this.#env.left.shown(),
      thinking: thinking(view, this.#env.slots, { withProgress: false }),
    };
  }

  #freeForSeconds(): number | null {
    if (this.#freeSince === null) return null;
    return this.#env.clock.monotonicSeconds() - this.#freeSince;
  }

  /** Memory limit of one attempt. */
  #memoryLimitBytes(): number {
    const { machine, slots, rules } = this.#env;
    return Math.round(memoryLimitBytes(machine.memoryCapacity().totalBytes, slots, rules.memory));
  }

  #heartbeat(): HostHeartbeat {
    const env = this.#env;
    const view = this.#view();
    const load = this.#load();
    const runner = runShown(view);
    const plan = runner?.plan ?? null;
    const liveDisk = view.health?.liveDisk ?? null;
    return {
      host: env.host,
      pid: process.pid,
      state: heartbeatState(view),
      targets: plan?.targets ?? env.rules.targets.default,
      max_cores: env.rules.resources.fallback.cores,
      max_messages: plan?.maxMessages ?? env.rules.resources.fallback.maxMessages,
      undying: true,
      production_mode: env.productionMode,
      cpu_percent: load.cpuPercent,
      memory_percent: load.memoryPercent,
      swap_percent: load.swapPercent,
      disk_used: view.health?.disk?.usedPercent ?? 0,
      ...(liveDisk === null ? {} : { live_disk_used: liveDisk.usedPercent }),
      load: load.loadAverage,
      ...(this.#skewSeconds === null ? {} : { clock_skew: this.#skewSeconds }),
      thinking: thinking(view, env.slots, { withProgress: true }),
      instance: env.nameLock.holder.instance,
      ...(runner === undefined ? {} : runFields(runner, env)),
    };
  }
}

/** Of several runs a heartbeat can show one. */
function runShown({ runners }: ManagerView): ManagerView['runners'][number] | undefined {
  const here = runners.filter(isHere);
  return here.find(({ plan }) => plan !== null) ?? here[0];
}

/** Readers expect a run in every heartbeat that says `busy`. */
function heartbeatState({ health, runners }: ManagerView): HostHeartbeat['state'] {
  if (runners.some(isHere)) return 'busy';
  if (health === null) return 'starting';
  if (health.accepting.ok) return 'idle';
  return health.accepting.kind === 'disk' ? 'disk full' : 'starting';
}

/** The run in hand; before it has a plan, with what it would get if nothing were known of it. */
function runFields(
  { run, plan }: Runner,
  { rules }: Environment,
): Pick<HostHeartbeat, 'run_id' | 'cores' | 'timeout' | 'post_processing'> {
  const { cores, timeoutSeconds } = plan ?? rules.resources.fallback;
  const postProcessing = plan?.postProcessing ?? rules.targets.postProcessing;
  return { run_id: run.runId, cores, timeout: timeoutSeconds, post_processing: postProcessing };
}

/** Its end is by the server's clock. */
function shownDrain(drain: Drain | null): { reason: string; expires: Date | null } | null {
  return drain === null ? null : { reason: drain.reason, expires: drain.expires };
}

function shownAccepting(accepting: HostHealth['accepting'] | null) {
  const refusal = accepting?.ok === false ? accepting : null;
  return {
    accepting: accepting?.ok === true,
    why_not: refusal?.reason ?? null,
    why_not_kind: refusal?.kind ?? null,
  };
}
