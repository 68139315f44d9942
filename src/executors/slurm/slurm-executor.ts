import type { Plan } from '../../attempt/attempt.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import type { JobResources } from '../../plan/job-resources.pure.ts';
import type { ClusterFacts, ClusterNode } from '../cluster-facts.pure.ts';
import type { AttemptTrace, Executor, Readiness, StartAnswer } from '../executor.ts';
import { freePlaces, type Places } from '../free-places.pure.ts';
import type { Submit } from './job-files.ts';
import {
  keepFromJobs,
  noteJob,
  noteJobEnvironment,
  noteSubmit,
  readJobFiles,
} from './job-files.ts';
import type { ListedJob } from './job-listing.pure.ts';
import { searchJob } from './job-search.pure.ts';
import { blockOf } from './job-verdict.pure.ts';
import {
  excludedNodes,
  type NodeFailure,
  nodesToAvoid,
  withFailure,
} from './node-failures.pure.ts';
import type { JobDestination } from './sbatch-arguments.pure.ts';
import { type SlurmClient, SlurmError } from './slurm-client.ts';
import type { SlurmQueue } from './slurm-queue.ts';
import { type SlurmParts, SlurmReach } from './slurm-reach.ts';
import { isRefusal } from './submission-refusal.pure.ts';

/** A controller that was away has this time to report a job. */
const FOUND_SECONDS = 3600;
/** Submissions of one attempt: a job that is lost again and again has another reason. */
const MOST_SUBMISSIONS = 5;
/** After a refusal, or a job that will never begin, the next one is tried after this time. */
const BLOCKED_SECONDS = 300;

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
  /** Why no job can work, found out by trying; null: none is known. */
  problem: () => string | null;
  submitsPerMinute: number;
  /** Whether the nodes see this path as this host does; null: nobody knows yet. */
  sees: (path: string) => boolean | null;
  /** Something is searched for or begun for the first time. */
  onFirst: () => void;
}

/** Attempts as jobs of Slurm, each submitted under the attempt's own name. */
export class SlurmExecutor implements Executor {
  readonly name = 'slurm';
  readonly foundWithinSeconds = FOUND_SECONDS;
  readonly #options: SlurmExecutorOptions;
  /** Attempts that no listing has shown since, monotonic seconds. */
  readonly #missingSince = new Map<string, number>();
  /** Since when each job of this host has waited, by attempt; monotonic seconds. */
  #waitingSince = new Map<string, number>();
  #failures: readonly NodeFailure[] = [];
  /** Since when no job can be begun, monotonic seconds; null: one can. */
  #blockedSince: number | null = null;
  #isAsked = false;
  /** When jobs were submitted within the last minute, monotonic seconds. */
  #submitted: number[] = [];
  /** Until when no job is submitted, because one will never begin; monotonic seconds, and why. */
  #blocked: { until: number; why: string } | null = null;

  constructor(options: SlurmExecutorOptions) {
    this.#options = options;
    options.queue.onChange(() => this.#noteWaiting());
  }

  async start(plan: Plan, directory: string): Promise<StartAnswer> {
    const { python, packageDirectory, setup, resourcesOf } = this.#options;
    await noteJobEnvironment(directory, { python, packageDirectory, setup });
    const excluded = plan.job?.excluded ?? [];
    const submit = { run: plan.run, resources: resourcesOf(plan), excluded, times: 1 };
    return this.#submit(plan.attempt, directory, submit);
  }

  async find(trace: AttemptTrace): Promise<SlurmReach | null> {
    const { id, directory, started } = trace;
    this.#first();
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
    const { maxJobs, maxPending, submitsPerMinute } = this.#options;
    const none = (why: string): Places => ({ total: maxJobs, free: 0, why });
    const ready = this.ready();
    if (!ready.ok) return none(ready.reason);
    // What was taken and is in no listing yet waits as well.
    const waiting = Math.max(this.#waiting, taken - this.#count('RUNNING'));
    if (waiting >= maxPending) {
      return none(`${counted(waiting, 'job')} of this host waits in Slurm already`);
    }
    if (this.#submittedLately() >= submitsPerMinute) {
      return none(`${counted(submitsPerMinute, 'job')} were submitted within the last minute`);
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
    const reason = problem() ?? this.#blockedBecause();
    return reason === null ? { ok: true } : { ok: false, reason };
  }

  /** What keeps one job of this host from beginning keeps all, until it was tried again. */
  #blockedBecause(): string | null {
    const now = this.#options.clock.monotonicSeconds();
    const why = blockOf(this.#jobs);
    if (why !== null) this.#blocked = { until: now + BLOCKED_SECONDS, why };
    else if (this.#blocked !== null && this.#blocked.until <= now) this.#blocked = null;
    return this.#blocked?.why ?? null;
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

  sees(path: string): boolean | null {
    return this.#options.sees(path);
  }

  avoids(run: number): readonly string[] {
    return nodesToAvoid(this.#failures, run, this.#options.clock.monotonicSeconds());
  }

  facts(): ClusterFacts {
    const { queue, clock, to, maxJobs } = this.#options;
    const now = clock.monotonicSeconds();
    const ready = this.ready();
    const since = Math.min(...this.#waitingSince.values());
    return {
      ...{ name: to.clusters, whyNot: ready.ok ? null : ready.reason },
      blockedSeconds: this.#blockedSince === null ? null : now - this.#blockedSince,
      ...{ running: this.#count('RUNNING'), waiting: this.#waiting, most: maxJobs },
      oldestWaitSeconds: since === Infinity ? null : now - since,
      silentSeconds: queue.answer === null ? null : now - queue.answer.atSeconds,
      nodes: this.#nodes(now),
    };
  }

  #nodes(now: number): ClusterNode[] {
    const excluded = new Map(
      excludedNodes(this.#failures, now).map((each) => [each.node, each] as const),
    );
    const running = this.#jobs.filter(({ state }) => state === 'RUNNING');
    const names = [...excluded.keys(), ...running.flatMap(({ node }) => node ?? [])];
    return [...new Set(names)].sort().map((node) => ({
      node,
      running: running.filter((job) => job.node === node).length,
      failures: excluded.get(node)?.failures ?? 0,
      excludedForSeconds: secondsUntil(excluded.get(node)?.untilSeconds, now),
    }));
  }

  #noteWaiting(): void {
    const now = this.#options.clock.monotonicSeconds();
    this.#blockedSince = this.ready().ok ? null : (this.#blockedSince ?? now);
    const waiting = this.#jobs.filter(({ state }) => state === 'PENDING');
    this.#waitingSince = new Map(
      waiting.map(({ attempt }) => [attempt, this.#waitingSince.get(attempt) ?? now]),
    );
  }

  describe(): string {
    const ready = this.ready();
    if (!ready.ok) return ready.reason;
    return `${this.#count('RUNNING')} jobs run, ${this.#waiting} wait`;
  }

  #first(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#options.onFirst();
  }

  #submittedLately(): number {
    const since = this.#options.clock.monotonicSeconds() - 60;
    this.#submitted = this.#submitted.filter((at) => at > since);
    return this.#submitted.length;
  }

  get #waiting(): number {
    return this.#count('PENDING');
  }

  /** Number of jobs of this host in a state. */
  #count(state: string): number {
    return this.#jobs.filter((job) => job.state === state).length;
  }

  /** Jobs of this host that Slurm still knows. */
  get #jobs(): ListedJob[] {
    const { queue, host } = this.#options;
    const all = [...(queue.answer?.jobs.values() ?? [])].flat();
    return all.filter((job) => job.host === host);
  }

  get #parts(): SlurmParts {
    const { client, queue, clock, to } = this.#options;
    const nodeFailed: SlurmParts['nodeFailed'] = (failure) => {
      const atSeconds = clock.monotonicSeconds();
      this.#failures = withFailure(this.#failures, { ...failure, atSeconds });
    };
    return { client, queue, clock, cluster: to.clusters, nodeFailed };
  }

  async #submit(attempt: string, directory: string, submit: Submit): Promise<StartAnswer> {
    const { client, clock, queue, host, script, to } = this.#options;
    const { run, resources, excluded = [] } = submit;
    this.#first();
    await noteSubmit(directory, submit);
    this.#submitted.push(clock.monotonicSeconds());
    try {
      const job = { attempt, run, host, script, directory, resources, excluded };
      await noteJob(directory, await client.submit(job, to));
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      const reason = error.message;
      if (!isRefusal(reason)) return { kind: 'unknown', reason };
      this.#blocked = { until: clock.monotonicSeconds() + BLOCKED_SECONDS, why: reason };
      await keepFromJobs(directory);
      return { kind: 'refused', reason };
    } finally {
      queue.hurry();
    }
    const trace = { id: attempt, directory, started: null };
    const reach = new SlurmReach(this.#parts, trace, await readJobFiles(directory));
    return { kind: 'started', reach, begun: false, warm: false, why: 'it is a job of Slurm' };
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

function secondsUntil(atSeconds: number | undefined, now: number): number | null {
  return atSeconds === undefined ? null : atSeconds - now;
}
