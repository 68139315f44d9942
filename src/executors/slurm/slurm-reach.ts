import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Started } from '../../attempt/attempt.pure.ts';
import { tellingStacks } from '../../attempt/process/stacks.pure.ts';
import type { AttemptMemory } from '../../host/memory.pure.ts';
import type { Clock } from '../../infra/clock/clock.ts';
import { comesTrue } from '../../infra/concurrency/comes-true.ts';
import type { AttemptTrace } from '../executor.ts';
import type { Life, Reach, ReachEnd, Verdict, Where } from '../reach.ts';
import { type JobFiles, keepFromJobs, readJobFiles } from './job-files.ts';
import { lifeOfJobs } from './job-life.pure.ts';
import { standingOf } from './job-state.pure.ts';
import { nodeFaultOf, tellsOfMemory, verdictOf } from './job-verdict.pure.ts';
import type { NodeFailure } from './node-failures.pure.ts';
import { type SlurmClient, SlurmError } from './slurm-client.ts';
import type { SlurmQueue } from './slurm-queue.ts';

const STACKS_FILE = 'stacks.txt';
/** Between two reads of shared storage. */
const LOOK_SECONDS = 1;
/** Slurm kills a job that does not end by itself after KillWait, 30 s by default. */
const KILL_SECONDS = 60;
/** What has begun and is in no listing for this time is lost. */
const UNLISTED_SECONDS = 900;
const LONGEST_OUTPUT = 4000;
/** The job's shell ends within this time after the guardian, and is awaited in such steps. */
const LAST_WORD_SECONDS = 3;
const LAST_WORD_LOOK_SECONDS = 0.2;

/** What all reaches of one executor share. */
export interface SlurmParts {
  client: Pick<SlurmClient, 'cancel' | 'askForStacks'>;
  queue: SlurmQueue;
  clock: Pick<Clock, 'monotonicSeconds' | 'sleep'>;
  cluster: string;
  /** An attempt has failed for a reason of its node. */
  nodeFailed: (failure: Omit<NodeFailure, 'atSeconds'>) => void;
}

/** The processes of an attempt on some node of a cluster. */
export class SlurmReach implements Reach {
  readonly #parts: SlurmParts;
  readonly #trace: AttemptTrace;
  #files: JobFiles;
  #started: Started | null;
  #isKept = false;
  #overSince: number | null = null;
  /** When a listing first lacked its jobs although one had begun. */
  #unlistedSince: number | null = null;
  /** Names in its folder when its files were last read. */
  #names = '';
  /** The last of what its jobs have printed. */
  #output = '';

  constructor(parts: SlurmParts, trace: AttemptTrace, files: JobFiles) {
    this.#parts = parts;
    this.#trace = trace;
    this.#files = files;
    this.#started = trace.started;
    this.#isKept = isKeptOf(files);
  }

  get where(): Where {
    const [job] = this.#jobs;
    return {
      executor: 'slurm',
      cluster: this.#parts.cluster,
      job: job?.id ?? this.#files.begun?.job ?? this.#files.job,
      node: this.#files.begun?.node ?? job?.node ?? null,
      state: job?.state ?? null,
      reason: job?.reason ?? null,
    };
  }

  begun(started: Started): void {
    this.#started = started;
  }

  life(): Life {
    const { answer } = this.#parts.queue;
    const jobs = this.#jobs;
    this.#overSince = this.#isOver ? (this.#overSince ?? answer?.atSeconds ?? null) : null;
    return lifeOfJobs({
      ...{ jobs, isKept: this.#isKept, overSinceSeconds: this.#overSince },
      listedAtSeconds: answer?.atSeconds ?? null,
      isBegun: this.#isBegun,
      hasLastWord: this.#files.exit !== null,
      isTold: tellsOfMemory(this.#output),
      nowSeconds: this.#parts.clock.monotonicSeconds(),
    });
  }

  /** Lists its folder; reads its job's files again if there is another one, or its job is over. */
  async refresh(): Promise<void> {
    const { directory } = this.#trace;
    const names = (await readdir(directory)).sort().join('/');
    if (names === this.#names && !this.#isOver) return;
    this.#files = await readJobFiles(directory);
    this.#names = names;
    this.#isKept ||= isKeptOf(this.#files);
    if (this.#isOver || this.#files.exit !== null) this.#output = await outputIn(directory);
  }

  verdict(): Verdict | null {
    const { begun, exit } = this.#files;
    const node = begun?.node ?? exit?.node ?? this.#jobs[0]?.node ?? null;
    const isUnlisted = this.#unlistedForSeconds() >= UNLISTED_SECONDS;
    const about = { jobs: this.#jobs, isBegun: this.#isBegun, node, exit };
    this.#noteNode(node, isUnlisted ? 'lost' : nodeFaultOf(about));
    if (isUnlisted) return { kind: 'lost', node };
    return verdictOf({ ...about, output: this.#output });
  }

  #noteNode(node: string | null, kind: NodeFailure['kind'] | null): void {
    const run = this.#files.submit?.run;
    if (node === null || kind === null || run === undefined || this.#isKept) return;
    this.#parts.nodeFailed({ attempt: this.#trace.id, run, node, kind });
  }

  /** Its guardian has written the end: the job's shell does so next. */
  async #isEnding(): Promise<boolean> {
    await this.refresh();
    if (this.#files.exit !== null) return true;
    if (!this.#names.split('/').includes('exit.json')) return false;
    const checks = { withinSeconds: LAST_WORD_SECONDS, everySeconds: LAST_WORD_LOOK_SECONDS };
    return comesTrue(this.#parts.clock, checks, async () => {
      await this.refresh();
      return this.#files.exit !== null;
    });
  }

  get #isBegun(): boolean {
    return this.#started !== null || (this.#files.begun !== null && !this.#isKept);
  }

  get #isOver(): boolean {
    const jobs = this.#jobs;
    return (
      jobs.length > 0 &&
      jobs.every(({ state, reason }) => standingOf(state, reason).kind === 'over')
    );
  }

  /** How long Slurm, which answers, has known of no job of an attempt that one had begun. */
  #unlistedForSeconds(): number {
    const { answer } = this.#parts.queue;
    const isUnlisted =
      answer !== null && this.#jobs.length === 0 && this.#isBegun && this.#files.exit === null;
    this.#unlistedSince = isUnlisted ? (this.#unlistedSince ?? answer.atSeconds) : null;
    return this.#unlistedSince === null ? 0 : (answer?.atSeconds ?? 0) - this.#unlistedSince;
  }

  async end(graceSeconds: number): Promise<ReachEnd> {
    const { client, clock, queue } = this.#parts;
    const { id, directory } = this.#trace;
    // What has ended by itself needs no word to Slurm, which may not answer.
    if (await this.#isEnding()) return { kind: 'ended' };
    this.#isKept ||= await keepFromJobs(directory);
    const problem = await client.cancel(id).then(
      () => null,
      (error: unknown) => {
        if (!(error instanceof SlurmError)) throw error;
        return error.message;
      },
    );
    if (this.#isKept) return { kind: 'ended' };
    queue.hurry();
    const checks = { withinSeconds: graceSeconds + KILL_SECONDS, everySeconds: LOOK_SECONDS };
    const isGone = await comesTrue(clock, checks, async () => {
      await this.refresh();
      return this.life() === 'gone';
    });
    if (isGone) return { kind: 'ended' };
    const node = this.#files.begun?.node ?? 'a node that is not known';
    return { kind: 'unconfirmed', left: problem ?? `its job on ${node}` };
  }

  async evidence(patienceSeconds: number): Promise<string | null> {
    const { client, clock } = this.#parts;
    const file = join(this.#trace.directory, STACKS_FILE);
    const read = () => readFile(file, 'utf8').catch(() => '');
    try {
      const before = await read();
      await client.askForStacks(this.#trace.id);
      let text = before;
      const checks = { withinSeconds: patienceSeconds, everySeconds: LOOK_SECONDS };
      await comesTrue(clock, checks, async () => {
        text = await read();
        return text.length !== before.length;
      });
      const telling = tellingStacks(text.slice(before.length));
      return telling === '' ? null : telling;
    } catch {
      return null;
    }
  }

  /** Slurm holds the job to its limit. */
  memory(): Promise<AttemptMemory | null> {
    return Promise.resolve(null);
  }

  /** The job's shell removes what its processes leave in the memory of their node. */
  clean(): Promise<string[]> {
    return Promise.resolve([]);
  }

  get #jobs() {
    return this.#parts.queue.answer?.jobs.get(this.#trace.id) ?? [];
  }
}

async function outputIn(directory: string): Promise<string> {
  const text = await readFile(join(directory, 'job.log'), 'utf8').catch(() => '');
  return text.slice(-LONGEST_OUTPUT);
}

function isKeptOf({ begun }: JobFiles): boolean {
  return begun !== null && begun.token !== '' && begun.job == null;
}
