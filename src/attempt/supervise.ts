import type { Reach } from '../executors/reach.ts';
import { within } from '../infra/concurrency/deadline.ts';
import { SingleFlight } from '../infra/concurrency/single-flight.ts';
import type { Repeated } from '../infra/concurrency/tasks.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import type { Exit, Folder, Progress, Result, Started } from './attempt.pure.ts';
import { exceededLimit } from './attempt-limits.pure.ts';
import type { AttemptEnd, Ended } from './outcome.pure.ts';
import type { Follower } from './process/follow.ts';

/** Interval at which the limits are checked, and the child is shown that a manager is there. */
const CHECK_SECONDS = 5;
/** Where the node is lost: without progress for this time it is given up. */
const LOST_SECONDS = 90;
/** If a look comes later than this, the manager itself has stood still, seconds: nothing was to be seen meanwhile. */
const STANDSTILL_SECONDS = 30;
/** Time limit of the note that says why an attempt is stopped. */
const NOTE_SECONDS = 2;
/** How long `exit.json` is awaited after the processes were stopped. */
const LAST_WORDS_SECONDS = 3;
/** A child that hangs has this time to write its stacks. */
const EVIDENCE_SECONDS = 3;
/** The same, and the grace between TERM and KILL, where memory runs out meanwhile. */
const URGENT_EVIDENCE_SECONDS = 0.5;
const URGENT_GRACE_SECONDS = 1;

export interface SuperviseOptions {
  run: number;
  attempt: string;
  directory: string;
  reach: Reach;
  /** The executor has said that it began. */
  begun: boolean;
  /** The run is done already: how long ago it ended does not matter. */
  ofDebt: boolean;
  /** Seconds since the end of the run; null while it is taken, or if that is not known. */
  sinceEndSeconds: () => number | null;
  onFolder: (folder: Folder) => void;
  onProgress: (progress: Progress) => void;
}

/** Watches over one attempt's processes until they are gone. */
export class Supervision {
  /** Null if it was left to the next manager. */
  readonly done: Promise<AttemptEnd | null>;
  readonly #env: Environment;
  readonly #options: SuperviseOptions;
  readonly #stop = new AbortController();
  readonly #follower: Follower;
  readonly #checks: Repeated;
  #ended: Ended | null = null;
  #left = false;
  readonly #boundingLog = new SingleFlight<void>();
  readonly #refreshing = new SingleFlight<void>();
  #started: Started | null = null;
  #result: Result | null = null;
  #exit: Exit | null = null;
  #stacks: string | null = null;
  #outOfMemory = false;
  #unfollowed: string | null = null;
  /** Of its files, by name. */
  readonly #problems = new Map<string, string>();
  #progressAt: number;
  #checkedAt: number;
  /** When this manager went on after it had stood still, perhaps with its whole machine, or a place was last waited for. */
  #wokenAt = -Infinity;

  constructor(env: Environment, options: SuperviseOptions) {
    this.#env = env;
    this.#options = options;
    this.#progressAt = env.clock.monotonicSeconds();
    this.#checkedAt = this.#progressAt;
    this.#follower = env.attempts.follow(
      options.directory,
      options.reach,
      {
        onStarted: (started) => {
          this.#started = started;
          options.reach.begun(started);
        },
        onProgress: (progress) => {
          this.#progressAt = env.clock.monotonicSeconds();
          options.onProgress(progress);
        },
        onFolder: options.onFolder,
        onWarning: (warning) =>
          env.log.warn({ event: 'attempt.warning', run: options.run }, warning),
        onResult: (result) => (this.#result = result),
        onExit: (exit) => (this.#exit = exit),
        onProblem: ({ file, problem }) => {
          this.#problems.set(file, problem);
          env.log.warn(
            { event: 'attempt.file_problem', run: options.run, file },
            `${options.directory}/${file} ${problem}`,
          );
        },
      },
      this.#stop.signal,
    );
    const checks = { name: `the checks of run ${options.run}`, seconds: CHECK_SECONDS };
    this.#checks = env.tasks.every(checks, () => this.#check());
    this.done = this.#finish();
  }

  get progress(): Progress | null {
    return this.#follower.progress;
  }

  get reach(): Reach {
    return this.#options.reach;
  }

  /**
   * Follows the attempt to its end; null if the manager ends first, which leaves the child alone.
   * `already`: why it was to end before it could be followed.
   */
  async untilEnd(already: Ended | null, managerEnds: AbortSignal): Promise<AttemptEnd | null> {
    if (already !== null) this.#begin('end', () => this.end(already));
    const leave = () => this.leave();
    managerEnds.addEventListener('abort', leave, { once: true });
    const end = await this.done;
    managerEnds.removeEventListener('abort', leave);
    return managerEnds.aborted ? null : end;
  }

  /** Ends the attempt's processes; the first cause given is the one that counts. */
  async end(cause: Ended): Promise<void> {
    if (this.#ended !== null) return;
    this.#ended = cause;
    // A disk that hangs must not keep the child alive.
    await within(this.#env.clock, NOTE_SECONDS, this.#noteEnding(cause));
    const seconds = evidenceSeconds(cause);
    if (seconds !== null) this.#stacks = await this.reach.evidence(seconds);
    await this.#endProcesses();
    // What the guardian still wrote is told first; without started.json nothing would ever come.
    await within(this.#env.clock, LAST_WORDS_SECONDS, this.#follower.done);
    this.#stop.abort();
  }

  /** The manager ends: stops watching and leaves the processes as they are. */
  leave(): void {
    this.#left = true;
    this.#stop.abort();
  }

  async #finish(): Promise<AttemptEnd | null> {
    try {
      await this.#follower.done;
    } finally {
      this.#checks.stop();
    }
    if (this.#left) return null;
    if (this.#started === null) await this.#forbidToBegin();
    // A child that forked and left, or a pool of workers, must not outlive the attempt.
    await this.#endProcesses();
    await this.#clearSharedMemory();
    await this.#readOnceMore();
    this.#ended ??= await this.#whatItsFilesSay();
    return {
      run: this.#options.run,
      started: this.#started !== null || this.#options.begun,
      exit: this.#exit,
      result: this.#result,
      ended: this.#ended,
      stacks: this.#stacks,
      outOfMemory: this.#outOfMemory,
    };
  }

  /**
   * A manager that stood still may find the processes gone before it was told of what they wrote:
   * that is no proof that they wrote nothing.
   */
  async #readOnceMore(): Promise<void> {
    if (this.#result !== null && this.#exit !== null) return;
    const files = await this.#env.attempts.read(this.#options.attempt);
    this.#started ??= files?.started ?? null;
    this.#result ??= files?.result ?? null;
    this.#exit ??= files?.exit ?? null;
    for (const { file, problem } of files?.problems ?? []) this.#problems.set(file, problem);
  }

  /** What was asked for, and comes too late, finds that it has lost its run. */
  async #forbidToBegin(): Promise<void> {
    const { directory, attempt } = this.#options;
    await unlessDiskTrouble(this.#env, `end attempt ${attempt}`, () =>
      this.#env.attempts.markSuperseded(directory),
    );
  }

  async #noteEnding(cause: Ended): Promise<void> {
    try {
      await this.#env.attempts.noteEnding(this.#options.directory, cause);
    } catch (error) {
      // Only a manager that dies within the next seconds would have needed it.
      this.#env.log.warn(
        { event: 'attempt.unnoted', run: this.#options.run },
        `cannot note why run ${this.#options.run} is ended: ${String(error)}`,
      );
    }
  }

  /** A result that was lost on its way says nothing of the run. */
  async #whatItsFilesSay(): Promise<Ended | null> {
    if (this.#result !== null) return null;
    const verdict = this.reach.verdict();
    if (verdict?.kind === 'ended') return verdict.ended;
    this.#outOfMemory = verdict?.kind === 'out_of_memory';
    const { directory, attempt } = this.#options;
    const problem = this.#problems.get('result.json');
    if (problem !== undefined) {
      return { kind: 'host_problem', reason: `${directory}/result.json ${problem}` };
    }
    if (this.#exit !== null || (await this.#env.attempts.read(attempt)) !== null) return null;
    return { kind: 'host_problem', reason: `its directory ${directory} was removed` };
  }

  async #endProcesses(): Promise<void> {
    const { termGraceSeconds } = this.#env.rules.limits;
    const urgent = this.#ended?.kind === 'memory_limit';
    const end = await this.reach.end(
      urgent ? Math.min(URGENT_GRACE_SECONDS, termGraceSeconds) : termGraceSeconds,
    );
    if (end.kind === 'unconfirmed') {
      const { run } = this.#options;
      const message = `${end.left} of run ${run} on ${this.#env.host} did not end after KILL`;
      this.#env.log.error({ event: 'attempt.survivors', run, left: end.left }, message);
      await tellDaq(this.#env, 'fatal', message, run);
    }
  }

  async #clearSharedMemory(): Promise<void> {
    const { run } = this.#options;
    try {
      const removed = await this.reach.clean();
      if (removed.length === 0) return;
      this.#env.log.info(
        { event: 'attempt.shared_memory', run, removed },
        `${removed.length} segments of shared memory of run ${run} are removed`,
      );
    } catch (error) {
      this.#env.log.warn(
        { event: 'attempt.shared_memory', run },
        `shared memory of run ${run} cannot be removed: ${String(error)}`,
      );
    }
  }

  /** What keeps the child alive; a problem with it is told once. */
  async #showThatFollowed(): Promise<void> {
    try {
      await this.#env.attempts.touchFollowed(this.#options.directory);
      this.#unfollowed = null;
    } catch (error) {
      const problem = String(error);
      if (problem === this.#unfollowed) return;
      this.#unfollowed = problem;
      this.#env.log.warn(
        { event: 'attempt.unfollowed', run: this.#options.run },
        `cannot show the child of run ${this.#options.run} that a manager is there: ${problem}`,
      );
    }
  }

  /** A disk that does not let it is told of by others. */
  async #boundLog(): Promise<void> {
    try {
      await this.#env.attempts.boundLog(this.#options.directory);
    } catch (error) {
      this.#env.log.debug(
        { event: 'attempt.log', run: this.#options.run },
        `the log of run ${this.#options.run} cannot be shortened: ${String(error)}`,
      );
    }
  }

  /** What its node has lost nobody can end: it finds that it has lost its run. */
  async #refresh(): Promise<void> {
    await unlessDiskTrouble(this.#env, `read attempt ${this.#options.attempt}`, () =>
      this.reach.refresh(),
    );
    const idleSeconds = this.#env.clock.monotonicSeconds() - this.#follower.lastActivityMs / 1000;
    if (this.reach.verdict()?.kind !== 'lost' || idleSeconds < LOST_SECONDS) return;
    await this.#forbidToBegin();
    this.#stop.abort();
  }

  #check(): void {
    this.#begin('mark that it is followed', () => this.#showThatFollowed());
    this.#begin('bound of the log', () => this.#boundingLog.run(() => this.#boundLog()));
    const limits = this.#env.rules.limits;
    const now = this.#env.clock.monotonicSeconds();
    this.#begin('state of the job', () => this.#refreshing.run(() => this.#refresh()));
    const life = this.reach.life();
    if (this.#started === null && life === 'gone') this.#stop.abort();
    if (life === 'waiting') {
      // What has no place yet is neither slow nor idle.
      this.#progressAt = now;
      this.#wokenAt = now;
    }
    const ageSeconds = (this.progress?.t ?? 0) + (now - this.#progressAt);
    if (now - this.#checkedAt > STANDSTILL_SECONDS) this.#wokenAt = now;
    this.#checkedAt = now;
    const idleSeconds = now - Math.max(this.#follower.lastActivityMs / 1000, this.#wokenAt);
    const { sinceEndSeconds, ofDebt } = this.#options;
    const exceeded = exceededLimit(
      { ageSeconds, idleSeconds, sinceEndSeconds: sinceEndSeconds(), ofDebt },
      limits,
    );
    if (exceeded !== null) this.#begin('end', () => this.end(exceeded));
  }

  #begin(what: string, work: () => Promise<void>): void {
    this.#env.tasks.start(`the ${what} of run ${this.#options.run}`, work);
  }
}

/** How long evidence may be gathered before the child is stopped; null: none is. */
function evidenceSeconds(cause: Ended): number | null {
  switch (cause.kind) {
    case 'no_progress':
    case 'timed_out':
      return EVIDENCE_SECONDS;
    case 'memory_limit':
      return URGENT_EVIDENCE_SECONDS;
    case 'host_problem':
    case 'operator':
    case 'superseded':
    case 'manager':
      return null;
  }
}
