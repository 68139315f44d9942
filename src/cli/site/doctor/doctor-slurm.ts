import type { Settings } from '../../../infra/config/entries.ts';
import { stagingDirectory } from '../../../infra/config/paths.ts';
import { clusterRefusal, probeOf } from '../../../manager/cluster-of-host.ts';
import type { Finding } from './doctor-finding.ts';

/** A probe waits for its place in Slurm for this time at most. */
const LONGEST_SECONDS = 600;
const CHECK = 'Slurm';

/** Tries Slurm: its programs, what jobs ask for, and what a node sees of this host's storage. */
export async function checkSlurm(settings: Settings): Promise<Finding[]> {
  const parts = probeOf(settings);
  if (parts === null) {
    const todo = 'set slurm.shared to a folder on storage that the nodes see: docs/slurm.md';
    return [{ check: CHECK, state: 'problem', says: 'no folder for jobs is set', todo }];
  }
  const { client, to, paths, host } = parts;
  const findings: Finding[] = [];
  const ok = (says: string) => findings.push({ check: CHECK, state: 'ok', says, todo: null });
  const problem = (says: string, todo: string) =>
    findings.push({ check: CHECK, state: 'problem', says, todo });
  const begun = performance.now();
  try {
    const jobs = await client.list();
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const own = jobs.filter((job) => job.host === host).length;
    ok(`squeue answers within ${seconds} s; ${own} jobs of this host are known there`);
  } catch (error) {
    const todo = 'let this user call sbatch, squeue and scancel on this host, and start slurmctld';
    problem((error as Error).message, todo);
    return findings;
  }
  const { probeStorage } = await import('../../../executors/slurm/storage-probe.ts');
  try {
    const limit = AbortSignal.timeout(LONGEST_SECONDS * 1000);
    const probe = await probeStorage(parts, limit);
    if (probe === null) {
      const says = `a job has waited in vain for a place for ${LONGEST_SECONDS} s`;
      problem(says, 'look why with squeue --start; runs would wait as long');
      return findings;
    }
    const { proof, delaySeconds } = probe;
    if (proof.problem === null) {
      const staging = stagingDirectory(settings.paths);
      const delay = (delaySeconds ?? 0).toFixed(1);
      ok(`${proof.node} writes in ${staging} and ${paths.shared}, seen here after ${delay} s`);
      ok(`${proof.node} runs jobs as this user, and finds the worker and strax`);
    } else {
      const [says = '', ...todo] = proof.problem.split(': ');
      problem(says, todo.join(': '));
    }
    for (const folder of proof.unseen) {
      const says = `${proof.node} does not see ${folder} as this host does: runs there stay here`;
      findings.push({ check: CHECK, state: 'warn', says, todo: `mount ${folder} on the nodes` });
    }
  } catch (error) {
    problem((error as Error).message, clusterRefusal(to));
  }
  return findings;
}
