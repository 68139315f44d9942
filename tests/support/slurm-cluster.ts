import { execFile } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPTS = resolve(import.meta.dirname, '../../scripts/slurm');

/** A real Slurm of the tests' own on the loopback interface. */
export interface SlurmCluster {
  directory: string;
  /** For `SLURM_CONF`. */
  configuration: string;
  /** Starts again what has been killed. */
  revive: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startSlurm(nodes = 2): Promise<SlurmCluster> {
  // Short: the paths of its sockets lie below.
  const directory = await mkdtemp(join(tmpdir(), 'bx-slurm-'));
  // The daemons of authentication want a path that everybody may pass.
  await chmod(directory, 0o711);
  const revive = async () => {
    await run(join(SCRIPTS, 'slurm-up.sh'), [directory, String(nodes)]);
  };
  await revive();
  return {
    directory,
    configuration: join(directory, 'slurm.conf'),
    revive,
    stop: async () => {
      await run(join(SCRIPTS, 'slurm-down.sh'), [directory, '--purge']);
    },
  };
}
