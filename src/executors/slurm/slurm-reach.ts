import { join } from 'node:path';
import { readFile } from 'node:fs/promises';

import type { Started } from '../../attempt/attempt.pure.ts';
import { tellingStacks } from '../../attempt/process/stacks.pure.ts';
import type { AttemptMemory } from '../../host/memory.pure.ts';
import type { Clock } from '../../infra/clock/clock.ts';
import type { AttemptTrace } from '../executor.ts';
import type { Life, Reach, ReachEnd, Where } from '../reach.ts';
import { keepFromJobs, readJobFiles, type JobFiles } from './job-files.ts';
import { lifeOfJobs } from './job-life.pure.ts';
import { standingOf } from './job-state.pure.ts';
import { SlurmError, type SlurmClient } from './slurm-client.ts';
import type { SlurmQueue } from './slurm-queue.ts';

const STACKS_FILE = 'stacks.txt';
/** Between two reads of shared storage. */
const LOOK_SECONDS = 1;
/** Slurm kills a job that does not end by itself after KillWait, 30 s by default, seconds. */
const KILL_SECONDS = 60;

/** What all reaches of one executor share. */
export interface SlurmParts {
  client: Pick<SlurmClient, 'cancel' | 'askForStacks'>;
  queue: SlurmQueue;
  clock: Pick<Clock, 'monotonicSeconds' | 'sleep'>;
  cluster: string;
}

/** The processes of an attempt on some node of a cluster. */
export class SlurmReach implements Reach {
  readonly #parts: SlurmParts;
  readonly #trace: AttemptTrace;
  #files: JobFiles;
  #started: Started | null;
  #isKept = false;
  #overSince: number | null = null;

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
    const isOver =
      jobs.length > 0 &&
      jobs.every(({ state, reason }) => standingOf(state, reason).kind === 'over');
    this.#overSince = isOver ? (this.#overSince ?? answer?.atSeconds ?? null) : null;
    return lifeOfJobs({
      ...{ jobs, isKept: this.#isKept, overSinceSeconds: this.#overSince },
      listedAtSeconds: answer?.atSeconds ?? null,
      isBegun: this.#started !== null || (this.#files.begun !== null && !this.#isKept),
      hasLastWord: this.#files.exit !== null,
      nowSeconds: this.#parts.clock.monotonicSeconds(),
    });
  }

  /** Reads the job's files again. */
  async look(): Promise<void> {
    this.#files = await readJobFiles(this.#trace.directory);
    this.#isKept ||= isKeptOf(this.#files);
  }

  async end(graceSeconds: number): Promise<ReachEnd> {
    const { client, clock, queue } = this.#parts;
    const { id, directory } = this.#trace;
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
    const limit = clock.monotonicSeconds() + graceSeconds + KILL_SECONDS;
    for (;;) {
      await this.look();
      if (this.life() === 'gone') return { kind: 'ended' };
      if (clock.monotonicSeconds() >= limit) break;
      await clock.sleep(LOOK_SECONDS);
    }
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
      const limit = clock.monotonicSeconds() + patienceSeconds;
      let text = before;
      while (text.length === before.length && clock.monotonicSeconds() < limit) {
        await clock.sleep(LOOK_SECONDS);
        text = await read();
      }
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

function isKeptOf({ begun }: JobFiles): boolean {
  return begun !== null && begun.token !== '' && begun.job == null;
}
