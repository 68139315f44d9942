import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab, StoredRun } from '../../support/lab.ts';

const LOOK_MS = 100;

interface Listed {
  run: number;
  location: string;
}

/** Looks at runs and output folders all the time: what a done run lists stays. */
export class Watcher {
  readonly problems: string[] = [];
  /** What has been seen once under a done run. */
  readonly #finished = new Map<string, { run: number; inode: number }>();
  #isOver = false;
  readonly #looking: Promise<void>;

  readonly #lab: Lab;
  readonly #numbers: readonly number[];

  constructor(lab: Lab, numbers: readonly number[]) {
    this.#lab = lab;
    this.#numbers = numbers;
    this.#looking = this.#look();
  }

  /** Answers all that was seen to be wrong. */
  async end(): Promise<string[]> {
    this.#isOver = true;
    await this.#looking;
    await this.#lookOnce();
    return this.problems;
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      await this.#lookOnce();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #lookOnce(): Promise<void> {
    for (const { run, location } of await this.#listed()) {
      const inode = inodeOf(location);
      const seen = this.#finished.get(location);
      if (inode === null) {
        // The document may have changed since it was read.
        const still = (await this.#listed()).some((each) => each.location === location);
        if (still && inodeOf(location) === null)
          this.#tell(`run ${run} is done without ${location}`);
      } else if (seen === undefined) {
        this.#finished.set(location, { run, inode });
      } else if (seen.inode !== inode) {
        this.#tell(`${location} of run ${run}, which was done, was replaced`);
      }
    }
    for (const [location, { run }] of this.#finished) {
      if (inodeOf(location) === null)
        this.#tell(`${location} of run ${run}, which was done, is gone`);
    }
  }

  #tell(problem: string): void {
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }

  /** What runs that are done list, wherever it is. */
  async #listed(): Promise<Listed[]> {
    const runs = await this.#lab.runs
      .find({ number: { $in: [...this.#numbers] }, 'bootstrax.state': 'done' })
      .toArray();
    return runs.flatMap((run) =>
      entriesOf(run).map((entry) => ({ run: run.number, location: String(entry['location']) })),
    );
  }
}

/** What processing has listed. */
export function entriesOf({ data }: StoredRun): StoredRun['data'] {
  return data.filter(({ type, host }) => type !== 'live' && host !== 'daq');
}

/** Why a product folder is not whole, or null. */
export function flaw(location: string): string | null {
  if (!existsSync(location)) return 'is not there';
  const names = readdirSync(location);
  const metadata = names.find((name) => name.endsWith('-metadata.json'));
  if (metadata === undefined) return 'has no metadata';
  const {
    chunks,
    exception,
    writing_ended: ended,
  } = JSON.parse(readFileSync(join(location, metadata), 'utf8')) as {
    chunks: { n: number; filename?: string }[];
    exception?: string;
    writing_ended?: number;
  };
  if (exception !== undefined) return `says ${exception}`;
  if (ended === undefined) return 'is not finished';
  const missing = chunks.find(({ n, filename = '' }) => n > 0 && !names.includes(filename));
  return missing === undefined ? null : `lacks ${missing.filename}`;
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}
