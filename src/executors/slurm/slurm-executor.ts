import type { Plan } from '../../attempt/attempt.pure.ts';
import type { AttemptTrace, Executor, Readiness, StartAnswer } from '../executor.ts';
import { freePlaces, type Places } from '../free-places.pure.ts';
import {
  keepFromJobs,
  noteJob,
  noteJobEnvironment,
  noteSubmit,
  readJobFiles,
} from './job-files.ts';
import type { Submit } from './job-files.ts';
import type { JobResources } from './job-resources.pure.ts';
import { searchJob } from './job-search.pure.ts';
import type { JobDestination } from './sbatch-arguments.pure.ts';
import { SlurmError, type SlurmClient } from './slurm-client.ts';
import type { SlurmQueue } from './slurm-queue.ts';
import { SlurmReach, type SlurmParts } from './slurm-reach.ts';
import { isRefusal } from './submission-refusal.pure.ts';

/** A controller that was away is given this long to tell of a job, seconds. */
const FOUND_SECONDS = 3600;
/** Submissions of one attempt: a job that is lost again and again has another reason. */
const MOST_SUBMISSIONS = 5;

export interface SlurmExecutorOptions {
  client: SlurmClient;
  queue: SlurmQueue;
  clock: SlurmParts['clock'];
  /** Where jobs go. */
  to: JobDestination;
  maxJobs: number;
  maxPending: number;
  host: string;
  /** Of the installation on the nodes. */
  python: string;
  packageDirectory: string;
  /** Script that each job runs. */
  script: string;
  /** Script of the site, or empty. */
  setup: string;
  resourcesOf: (plan: Plan) => JobResources;
  /** Nodes that this attempt must not use. */
  excluded: () => readonly string[];
  /** Why no job can work, found out by trying; null: none is known. */
  problem: () => string | null;
}

/** Attempts as jobs of Slurm, each submitted under the attempt's own name. */
export class SlurmExecutor implements Executor {
  readonly name = 'slurm';
  readonly foundWithinSeconds = FOUND_SECONDS;
  readonly #options: SlurmExecutorOptions;
  /** Attempts that no listing has shown since, monotonic seconds. */
  readonly #missingSince = new Map<string, number>();

  constructor(options: SlurmExecutorOptions) {
    this.#options = options;
  }

  async start(plan: Plan, directory: string): Promise<StartAnswer> {
    const { python, packageDirectory, setup, resourcesOf } = this.#options;
    await noteJobEnvironment(directory, { python, packageDirectory, setup });
    const submit = { run: plan.run, resources: resourcesOf(plan), times: 1 };
    return this.#submit(plan.attempt, directory, submit);
  }

  async find(trace: AttemptTrace): Promise<SlurmReach | null> {
    const { id, directory, started } = trace;
    const files = await readJobFiles(directory);
    // Its manager went before it could ask for a job: there will be none.
    if (files.submit === null) await keepFromJobs(directory);
    const reach = new SlurmReach(this.#parts, trace, await readJobFiles(directory));
    if (files.submit === null) return reach;
    const { answer } = this.#options.queue;
    const begun = started !== null || files.begun !== null || files.exit !== null;
    if (!begun && answer === null) return null;
    const search = searchJob(
      { attempt: id, begun, missingSince: this.#missingSince.get(id) ?? null },
      { jobs: answer?.jobs.get(id) ?? [], at: answer?.atSeconds ?? 0 },
    );
    this.#missingSince.delete(id);
    switch (search.kind) {
      case 'begun':
      case 'found':
        return reach;
      case 'missing':
        this.#missingSince.set(id, search.since);
        return null;
      case 'lost':
        return this.#submitAgain(trace, files.submit);
    }
  }

  places(taken: number): Places {
    const { maxJobs, maxPending } = this.#options;
    const ready = this.ready();
    if (!ready.ok) return { total: maxJobs, free: 0, why: ready.reason };
    const waiting = this.#waiting;
    if (waiting >= maxPending) {
      return { total: maxJobs, free: 0, why: `${waiting} jobs of this host wait in Slurm already` };
    }
    return freePlaces(maxJobs, taken);
  }

  ready(): Readiness {
    const { queue, problem } = this.#options;
    const { controller } = queue;
    if (controller.kind === 'away') {
      return { ok: false, reason: `Slurm does not answer: ${controller.reason}` };
    }
    if (controller.kind === 'unasked') return { ok: false, reason: 'Slurm has not answered yet' };
    const reason = problem();
    return reason === null ? { ok: true } : { ok: false, reason };
  }

  startsAtOnce(): boolean {
    return this.ready().ok;
  }

  onChange(listener: () => void): () => void {
    return this.#options.queue.onChange(listener);
  }

  /** Each job reports its own in its result. */
  versions(): Readonly<Record<string, string>> {
    return {};
  }

  describe(): string {
    const ready = this.ready();
    if (!ready.ok) return ready.reason;
    return `${this.#count('RUNNING')} jobs run, ${this.#waiting} wait`;
  }

  get #waiting(): number {
    return this.#count('PENDING');
  }

  /** Jobs of this host in a state. */
  #count(state: string): number {
    const { queue, host } = this.#options;
    const jobs = [...(queue.answer?.jobs.values() ?? [])].flat();
    return jobs.filter((job) => job.host === host && job.state === state).length;
  }

  get #parts(): SlurmParts {
    const { client, queue, clock, to } = this.#options;
    return { client, queue, clock, cluster: to.clusters };
  }

  async #submit(attempt: string, directory: string, submit: Submit): Promise<StartAnswer> {
    const { client, queue, host, script, to, excluded } = this.#options;
    const { run, resources } = submit;
    await noteSubmit(directory, submit);
    try {
      const job = { attempt, run, host, script, directory, resources, excluded: excluded() };
      await noteJob(directory, await client.submit(job, to));
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      const reason = error.message;
      if (!isRefusal(reason)) return { kind: 'unknown', reason };
      await keepFromJobs(directory);
      return { kind: 'refused', reason };
    } finally {
      queue.hurry();
    }
    const trace = { id: attempt, directory, started: null };
    const reach = new SlurmReach(this.#parts, trace, await readJobFiles(directory));
    return { kind: 'started', reach, warm: false, why: 'it is a job of Slurm' };
  }

  async #submitAgain(trace: AttemptTrace, before: Submit): Promise<SlurmReach | null> {
    const times = before.times + 1;
    if (times > MOST_SUBMISSIONS) {
      await keepFromJobs(trace.directory);
      return new SlurmReach(this.#parts, trace, await readJobFiles(trace.directory));
    }
    const answer = await this.#submit(trace.id, trace.directory, { ...before, times });
    return answer.kind === 'started' ? (answer.reach as SlurmReach) : null;
  }
}
