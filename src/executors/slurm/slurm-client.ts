import { execFile } from 'node:child_process';

import { type ListedJob, LISTING_FORMAT, parseListing } from './job-listing.pure.ts';
import { jobNameOf } from './job-name.pure.ts';
import {
  type JobDestination,
  type JobSubmission,
  sbatchArguments,
} from './sbatch-arguments.pure.ts';

/** Slurm's programs wait up to 20 s for a controller that is away. */
const LIMIT_MS = 25_000;
const MOST_BYTES = 8_000_000;
const LONGEST_MESSAGE = 500;

/** A call of Slurm that gave no answer: nothing is known of what it has done. */
export class SlurmError extends Error {
  override name = 'SlurmError';
}

/** Slurm's programs, called without a shell. Each call ends by itself within half a minute. */
export class SlurmClient {
  readonly #user: string;
  readonly #clusters: string;

  constructor({ user, clusters = '' }: { user: string; clusters?: string }) {
    this.#user = user;
    this.#clusters = clusters;
  }

  /**
   * Submits a job; answers its id.
   *
   * @throws {SlurmError} if Slurm refused it or did not answer: it may have accepted it all the same.
   */
  async submit(submission: JobSubmission, to: JobDestination): Promise<string> {
    const text = await this.#call('sbatch', sbatchArguments(submission, to));
    const id = /^(\d+)(;|$)/m.exec(text.trim())?.[1];
    if (id === undefined)
      throw new SlurmError(`sbatch answered ${JSON.stringify(text.slice(0, 200))}`);
    return id;
  }

  /**
   * All jobs of attempts that Slurm still knows, in one call.
   *
   * @throws {SlurmError} if it does not answer, or in another way than `squeue` does.
   */
  async list(): Promise<ListedJob[]> {
    const of = ['--noheader', '--states=all', `--user=${this.#user}`, `--format=${LISTING_FORMAT}`];
    const text = await this.#call('squeue', [...of, ...this.#cluster]);
    try {
      // With --clusters each listing has a line with the cluster's name above it.
      return parseListing(text.replace(/^CLUSTER: .*$/gm, ''));
    } catch (error) {
      throw new SlurmError((error as Error).message, { cause: error });
    }
  }

  /**
   * Ends the jobs of an attempt, waiting or running; safe to repeat, also where there is none.
   *
   * @throws {SlurmError} if Slurm does not answer.
   */
  async cancel(attempt: string): Promise<void> {
    await this.#call('scancel', [
      ...this.#cluster,
      `--user=${this.#user}`,
      `--name=${jobNameOf(attempt)}`,
    ]);
  }

  /**
   * Asks the running processes of an attempt for their stacks.
   *
   * @throws {SlurmError} if Slurm does not answer.
   */
  async askForStacks(attempt: string): Promise<void> {
    const how = ['--signal=USR1', '--batch', `--name=${jobNameOf(attempt)}`];
    await this.#call('scancel', [...this.#cluster, `--user=${this.#user}`, ...how]);
  }

  get #cluster(): string[] {
    return this.#clusters === '' ? [] : [`--clusters=${this.#clusters}`];
  }

  #call(program: string, args: readonly string[]): Promise<string> {
    const options = { timeout: LIMIT_MS, maxBuffer: MOST_BYTES, killSignal: 'SIGKILL' as const };
    return new Promise((resolve, reject) => {
      execFile(
        program,
        args,
        { ...options, env: environmentOf(process.env) },
        (error, out, err) => {
          if (error === null) resolve(out);
          else reject(new SlurmError(messageOf(program, error, err), { cause: error }));
        },
      );
    });
  }
}

/** What Slurm's programs may see: no option by variable but the cluster's configuration, no secret. */
export function environmentOf(all: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  const { PATH, HOME, USER, LOGNAME, LANG, SLURM_CONF } = all;
  const given = { PATH, HOME, USER, LOGNAME, LANG, SLURM_CONF, TZ: 'UTC', LC_ALL: 'C' };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function messageOf(
  program: string,
  error: Error & { code?: unknown; killed?: boolean },
  said: string,
) {
  if (error.code === 'ENOENT') return `${program} is not installed, or not in PATH`;
  if (error.killed === true) return `${program} did not answer within ${LIMIT_MS / 1000} s`;
  const lines = said
    .split('\n')
    .map((each) => each.trim().replace(/^\w+: (error: )?/, ''))
    .filter((each) => each !== '');
  const text = lines.length === 0 ? error.message : lines.join('; ');
  return `${program}: ${text.slice(0, LONGEST_MESSAGE)}`;
}
