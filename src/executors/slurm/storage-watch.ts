import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeFileDurable } from '../../infra/disk/durable.ts';
import { SlurmError } from './slurm-client.ts';
import { type ProbeParts, probeStorage } from './storage-probe.ts';
import {
  holds,
  proofKey,
  proofSchema,
  type StorageProof,
  unprovedText,
} from './storage-proof.pure.ts';

/** After a probe that failed the next one comes after this time. */
const AGAIN_SECONDS = 600;
const CHECK_SECONDS = 3600;
const FILE = 'slurm-proof.json';

/**
 * Keeps the proof that the nodes see the storage of this host: no job is begun without. It outlives
 * the manager, and is made anew each week and when the paths change.
 */
export class StorageWatch {
  readonly #parts: ProbeParts;
  readonly #file: string;
  readonly #changed: () => void;
  #proof: StorageProof | null = null;
  #job: string | null = null;

  /** `changed` is called when there is a new proof. */
  constructor(parts: ProbeParts, stateDir: string, changed: () => void) {
    this.#parts = parts;
    this.#file = join(stateDir, FILE);
    this.#changed = changed;
  }

  /** Why no job can work; null: nothing is known to be in the way. */
  get problem(): string | null {
    return this.#proof === null ? unprovedText(this.#job) : this.#proof.problem;
  }

  /** Null: nobody knows yet. */
  sees(path: string): boolean | null {
    if (this.#proof === null) return null;
    return !this.#proof.unseen.some((folder) => path === folder || path.startsWith(`${folder}/`));
  }

  /** Proves it until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, paths } = this.#parts;
    this.#proof = await readProof(this.#file);
    while (!signal.aborted) {
      if (holds(this.#proof, paths, clock.now().getTime())) {
        await clock.sleep(CHECK_SECONDS, signal);
        continue;
      }
      // An old proof counts until there is a new one, if it is of the same paths.
      if (this.#proof?.key !== proofKey(paths)) this.#proof = null;
      await this.#prove(signal);
      if (!holds(this.#proof, paths, clock.now().getTime())) {
        await clock.sleep(AGAIN_SECONDS, signal);
      }
    }
  }

  async #prove(signal: AbortSignal): Promise<void> {
    try {
      const probe = await probeStorage(this.#parts, signal, (id) => {
        this.#job = id;
        this.#changed();
      });
      if (probe === null) return;
      await writeFileDurable(FILE, this.#file, `${JSON.stringify(probe.proof)}\n`);
      this.#note(probe.proof);
    } catch (error) {
      if (!(error instanceof SlurmError) && !isOfDisk(error)) throw error;
      const { message } = error as Error;
      const at = this.#parts.clock.now().getTime();
      const problem = `the storage that the nodes see cannot be tried: ${message}`;
      this.#note({ key: proofKey(this.#parts.paths), at, node: '', problem, unseen: [] });
    }
  }

  #note(proof: StorageProof): void {
    this.#proof = proof;
    this.#job = null;
    this.#changed();
  }
}

async function readProof(file: string): Promise<StorageProof | null> {
  try {
    const parsed = proofSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function isOfDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
