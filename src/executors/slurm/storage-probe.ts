import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../infra/clock/clock.ts';
import { makeFolder, note, remove } from '../../infra/disk/durable.ts';
import { noteJobEnvironment } from './job-files.ts';
import { standingOf } from './job-state.pure.ts';
import type { JobDestination } from './sbatch-arguments.pure.ts';
import type { SlurmClient } from './slurm-client.ts';
import {
  parseProbeAnswer,
  type ProbeAnswer,
  probeProblem,
  proofKey,
  type SharedPaths,
  type StorageProof,
  unansweredText,
} from './storage-proof.pure.ts';

const RESOURCES = { cores: 1, memoryBytes: 500e6, seconds: 600 };
const LOOK_SECONDS = 1;
/** Between two questions for the state of its job. */
const LIST_SECONDS = 20;
/** What a job has written shows this much later at the latest. */
const FILES_SECONDS = 90;
const LONGEST_OUTPUT = 300;

export interface ProbeParts {
  client: Pick<SlurmClient, 'submit' | 'list' | 'cancel'>;
  clock: Pick<Clock, 'monotonicSeconds' | 'sleep' | 'now'>;
  host: string;
  to: JobDestination;
  paths: SharedPaths;
  python: string;
  packageDirectory: string;
  setup: string;
}

/** How a probe goes. */
export interface Probe {
  proof: StorageProof;
  answer: ProbeAnswer | null;
  /** From the answer on the node until it was seen here. */
  delaySeconds: number | null;
}

/**
 * Has a job on some node read the storage of this host and write there. Leaves nothing behind, also
 * of earlier ones that were cut.
 *
 * @throws {SlurmError} if Slurm does not take the job, or does not answer.
 */
export async function probeStorage(
  parts: ProbeParts,
  signal: AbortSignal,
  onJob: (id: string) => void = () => undefined,
): Promise<Probe | null> {
  const { paths, host } = parts;
  const id = randomBytes(12).toString('hex');
  const folders = {
    asked: join(paths.shared, 'probes', `${host}.${id}`),
    products: join(paths.staging, `probe-${host}.${id}`),
  };
  await removeEarlier(paths, host);
  try {
    await ask(parts, folders, id);
    const { client, to } = parts;
    const script = join(parts.packageDirectory, 'bootstrax_worker', 'slurm_probe.sh');
    const job = { attempt: id, run: null, host, script, directory: folders.asked };
    onJob(await client.submit({ ...job, resources: RESOURCES, excluded: [] }, to));
    const end = await answerOf(parts, folders.asked, id, signal);
    if (end === 'aborted') {
      await client.cancel(id);
      return null;
    }
    return await concluded(parts, folders, id, end);
  } finally {
    await removeEarlier(paths, host);
  }
}

interface Folders {
  asked: string;
  products: string;
}

async function ask(parts: ProbeParts, { asked, products }: Folders, token: string) {
  const { python, packageDirectory, setup, paths } = parts;
  await makeFolder('node-probe.make', asked, 0o700);
  await makeFolder('node-probe.make', products, 0o700);
  await noteJobEnvironment(asked, { python, packageDirectory, setup });
  await note('node-probe.ask', join(products, 'from-host'), token, 'replace');
  const { ino } = await stat(paths.live);
  const look = `0 token ${token} ${products}\n1 inode ${ino} ${paths.live}\n`;
  await note('node-probe.ask', join(asked, 'look'), look, 'replace');
}

type ProbeEnd = { text: string } | { state: string | null } | 'aborted';

async function answerOf(
  { client, clock }: ProbeParts,
  asked: string,
  id: string,
  signal: AbortSignal,
): Promise<ProbeEnd> {
  let listAt = clock.monotonicSeconds() + LIST_SECONDS;
  let overAt: number | null = null;
  let state: string | null = null;
  while (!signal.aborted) {
    // Listed first: NFS may deny a file that it has until its folder has been listed.
    if ((await readdir(asked)).includes('answer')) {
      return { text: await readFile(join(asked, 'answer'), 'utf8') };
    }
    const now = clock.monotonicSeconds();
    if (overAt !== null && now - overAt > FILES_SECONDS) return { state };
    if (now >= listAt) {
      listAt = now + LIST_SECONDS;
      const jobs = await client.list();
      const job = jobs.find(({ attempt }) => attempt === id);
      state = job?.state ?? null;
      const isOver = job === undefined || standingOf(job.state, job.reason).kind === 'over';
      overAt = isOver ? (overAt ?? now) : null;
    }
    await clock.sleep(LOOK_SECONDS, signal);
  }
  return 'aborted';
}

async function concluded(
  { clock, paths }: ProbeParts,
  { asked, products }: Folders,
  token: string,
  end: Exclude<ProbeEnd, 'aborted'>,
): Promise<Probe> {
  const now = clock.now().getTime();
  const about = { key: proofKey(paths), at: now };
  const answer = 'text' in end ? parseProbeAnswer(end.text) : null;
  if (answer === null) {
    const problem = unansweredText(paths.shared, 'state' in end ? end.state : 'over');
    return { proof: { ...about, node: '', problem, unseen: [] }, answer, delaySeconds: null };
  }
  const written = await stat(join(asked, 'answer'));
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const here = {
    user: process.getuid?.() ?? 0,
    seesStaging: (await read(join(products, 'from-node'))) === token,
    output: (await read(join(asked, 'job.log'))).trim().slice(-LONGEST_OUTPUT),
  };
  const problem = probeProblem(answer, paths, here);
  const unseen = answer.sees[1] === true ? [] : [paths.live];
  return {
    proof: { ...about, node: answer.node, problem, unseen },
    answer,
    delaySeconds: Math.max(0, (now - written.mtimeMs) / 1000),
  };
}

async function removeEarlier({ shared, staging }: SharedPaths, host: string): Promise<void> {
  const probes = join(shared, 'probes');
  for (const [folder, prefix] of [
    [probes, `${host}.`],
    [staging, `probe-${host}.`],
  ] as const) {
    const names = await readdir(folder).catch((): string[] => []);
    for (const name of names.filter((each) => each.startsWith(prefix))) {
      await remove('node-probe.remove', join(folder, name));
    }
  }
}
