import { z } from 'zod';

/** A proof is made anew after this time: storage may have been mounted in another way. */
const FRESH_MS = 7 * 86_400_000;
const HOW_TO_TRY = "then 'bootstrax doctor --slurm' tries it";

/** What the nodes have to see as this host does. */
export interface SharedPaths {
  /** Folder of attempts. */
  shared: string;
  /** Where products are written. */
  staging: string;
  /** Where live data is read. */
  live: string;
  partition: string;
  clusters: string;
}

/** What a node has told. */
export interface ProbeAnswer {
  node: string;
  user: number;
  /** Exit code of an import of the worker; 79: the script of the site failed. */
  worker: number;
  /** Which of the paths it sees, in the order in which they were asked for. */
  sees: readonly boolean[];
}

/** What was proved by a job on a node, or found wrong. */
export const proofSchema = z.looseObject({
  key: z.string(),
  at: z.number(),
  node: z.string(),
  /** Null: jobs can work. */
  problem: z.string().nullable(),
  /** A job can work on runs whose live data is elsewhere: this folder the nodes do not see. */
  unseen: z.array(z.string()),
});
export type StorageProof = z.infer<typeof proofSchema>;

/** The same as long as a proof holds. */
export function proofKey(paths: SharedPaths): string {
  const { shared, staging, live, partition, clusters } = paths;
  return JSON.stringify({ shared, staging, live, partition, clusters });
}

/** Whether a proof that was found holds for these paths, and need not be made anew. */
export function holds(proof: StorageProof | null, paths: SharedPaths, nowMs: number): boolean {
  if (proof?.problem !== null || proof.key !== proofKey(paths)) return false;
  return proof.at <= nowMs && nowMs - proof.at < FRESH_MS;
}

/** Null: it is no whole answer. */
export function parseProbeAnswer(text: string): ProbeAnswer | null {
  const node = /^node (\S+)$/m.exec(text)?.[1];
  const user = /^user (\d+)$/m.exec(text)?.[1];
  const worker = /^worker (\d+)$/m.exec(text)?.[1];
  if (node === undefined || user === undefined || worker === undefined) return null;
  const sees: boolean[] = [];
  for (const [, number, code] of text.matchAll(/^path (\d+) (\d+)$/gm)) {
    sees[Number(number)] = code === '0';
  }
  return { node, user: Number(user), worker: Number(worker), sees };
}

/** What this host found of what the node wrote. */
export interface HostFindings {
  user: number;
  /** What the node has written in the folder of products is here, and whole. */
  seesStaging: boolean;
  /** The last lines that the probe has printed. */
  output: string;
}

/** What is wrong for all jobs, in a sentence that says what to do; null: nothing. */
export function probeProblem(
  { node, user, worker, sees }: ProbeAnswer,
  { staging }: Pick<SharedPaths, 'staging'>,
  here: HostFindings,
): string | null {
  const said = here.output === '' ? '' : ` (${here.output})`;
  if (user !== here.user) {
    return `${node} runs jobs as user ${user}, and this host writes as user ${here.user}: give the account the same number on both, ${HOW_TO_TRY}`;
  }
  if (sees[0] !== true)
    return `${node} does not see what this host writes in ${setStaging(staging)}`;
  if (!here.seesStaging)
    return `this host does not see what ${node} writes in ${setStaging(staging)}`;
  if (worker === 79) return `slurm.setup fails on ${node}${said}: correct it, ${HOW_TO_TRY}`;
  if (worker !== 0) {
    return `the worker cannot be imported on ${node}${said}: set slurm.python or slurm.setup, ${HOW_TO_TRY}`;
  }
  return null;
}

function setStaging(staging: string): string {
  return `${staging}: set paths.staging to a folder on storage that the nodes see under the same path, on the file system of paths.output, ${HOW_TO_TRY}`;
}

/** A probe that came to nothing. */
export function unansweredText(shared: string, state: string | null): string {
  const how = state === null ? 'Slurm does not know its job any more' : `its job is ${state}`;
  return `no node has answered in ${shared} (${how}): set slurm.shared to a folder on storage that the nodes see under the same path, ${HOW_TO_TRY}`;
}

/** Before there is an answer. */
export function unprovedText(job: string | null): string {
  const by = job === null ? '' : `; job ${job} tries it`;
  return `it is not proved yet that the nodes see the storage of this host${by}`;
}
