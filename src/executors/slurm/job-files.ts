import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { makeFolder, remove, renameDurable, writeFileDurable } from '../../infra/disk/durable.ts';

const resourcesSchema = z.object({
  cores: z.int().positive(),
  memoryBytes: z.number().positive(),
  seconds: z.number().positive(),
});

/** `submit.json`: written before each submission. */
const submitSchema = z.looseObject({
  resources: resourcesSchema,
  run: z.int().nonnegative(),
  /** Nodes that it must not use. */
  excluded: z.array(z.string()).optional(),
  /** Submissions so far, this one included. */
  times: z.int().positive(),
});
export type Submit = z.infer<typeof submitSchema>;

/** `job.json`: what `sbatch` answered. For people: a job is found by its name. */
const jobSchema = z.looseObject({ id: z.string() });

/** `begun/owner.json`: the job that carries out the attempt, or the manager that keeps all from it. */
const ownerSchema = z.looseObject({
  token: z.string(),
  job: z.string().nullish(),
  node: z.string().nullish(),
});
export type JobOwner = z.infer<typeof ownerSchema>;

/** `job-exit.json`: the last word of the job's own shell. */
const jobExitSchema = z.looseObject({
  code: z.int(),
  stopped: z.enum(['time_limit']).nullable(),
  job: z.string(),
  node: z.string(),
  restarts: z.int(),
});
export type JobExit = z.infer<typeof jobExitSchema>;

/** What a folder of an attempt says of its job; null for what is missing or cannot be read. */
export interface JobFiles {
  submit: Submit | null;
  job: string | null;
  /** Null: nobody has begun it. */
  begun: JobOwner | null;
  exit: JobExit | null;
}

/** Listed first: NFS may deny a file that it has until its folder has been listed. */
export async function readJobFiles(directory: string): Promise<JobFiles> {
  const names = new Set(await readdir(directory));
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | null> => {
    if (!names.has(name)) return null;
    try {
      const parsed = schema.safeParse(JSON.parse(await readFile(join(directory, name), 'utf8')));
      return parsed.success ? parsed.data : null;
    } catch {
      return null;
    }
  };
  const job = await read('job.json', jobSchema);
  return {
    submit: await read('submit.json', submitSchema),
    job: job?.id ?? null,
    begun: names.has('begun') ? ((await readOwner(directory)) ?? { token: '' }) : null,
    exit: await read('job-exit.json', jobExitSchema),
  };
}

/** Before `sbatch`: a start that finds it searches for the job. */
export async function noteSubmit(directory: string, submit: Submit): Promise<void> {
  await writeFileDurable('submit.json', join(directory, 'submit.json'), text(submit));
}

export async function noteJob(directory: string, id: string): Promise<void> {
  await writeFileDurable('job.json', join(directory, 'job.json'), text({ id }));
}

/** What the job's script needs to know of this installation; nothing of a run. */
export async function noteJobEnvironment(
  directory: string,
  { python, packageDirectory, setup }: { python: string; packageDirectory: string; setup: string },
): Promise<void> {
  for (const path of [python, packageDirectory, setup]) {
    if (path.includes('\n')) throw new Error(`a path with a line break: ${JSON.stringify(path)}`);
  }
  const lines = `${python}\n${packageDirectory}\n${setup}\n`;
  await writeFileDurable('job-environment', join(directory, 'job-environment'), lines);
}

/**
 * Takes the attempt from all of its jobs: none of them begins any more. False: one has begun.
 *
 * The rename is the only step that counts: a folder onto a name that is there already is refused by
 * every file system, and the token tells whose it was where NFS lost the answer.
 */
export async function keepFromJobs(directory: string): Promise<boolean> {
  const token = randomBytes(16).toString('hex');
  const mine = join(directory, `begun.${token}`);
  await makeFolder('job-begun.make', mine);
  await writeFileDurable('job-begun.owner', join(mine, 'owner.json'), text({ token }));
  try {
    await renameDurable('job-begun.take', mine, join(directory, 'begun'));
    return true;
  } catch {
    const owner = await readOwner(directory);
    if (owner?.token === token) return true;
    await remove('job-begun.remove', mine);
    // An earlier manager of this attempt has kept it from all jobs.
    return owner !== null && owner.job == null;
  }
}

async function readOwner(directory: string): Promise<JobOwner | null> {
  try {
    await readdir(join(directory, 'begun'));
    const json: unknown = JSON.parse(
      await readFile(join(directory, 'begun', 'owner.json'), 'utf8'),
    );
    const parsed = ownerSchema.safeParse(json);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function text(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
