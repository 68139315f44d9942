import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { proofKey } from '../../src/executors/slurm/storage-proof.pure.ts';
import { stagingDirectory } from '../../src/infra/config/paths.ts';
import { Lab, type ManagerProcess, until } from './lab.ts';
import { type SlurmCluster, startSlurm } from './slurm-cluster.ts';
import { type Changes, smallMachine } from './small-machine.ts';
import { endedRun, makeStandIn } from './stand-in.ts';

const run = promisify(execFile);

/** Long enough for backlog. */
const BEGUN_SECONDS_AGO = 7200;

interface ManagerOnSlurm {
  host?: string;
  /** Further settings of that section. */
  slurm?: Changes['slurm'];
  /** The storage that the nodes see has to be proved first. */
  unproved?: boolean;
  /** What the stand-in is told. */
  options?: Record<string, string | number>;
  url?: string;
  renewSeconds?: number;
  env?: Record<string, string>;
}

/** A database, a real Slurm, and managers whose attempts are done by a stand-in for strax. */
export class SlurmLab {
  private constructor(
    readonly lab: Lab,
    readonly cluster: SlurmCluster,
    readonly python: string,
  ) {}

  static async start({ nodes = 2 } = {}): Promise<SlurmLab> {
    const cluster = await startSlurm(nodes);
    process.env['SLURM_CONF'] = cluster.configuration;
    const lab = await Lab.start({ warmPython: false });
    await mkdir(join(lab.root, 'shared'));
    return new SlurmLab(lab, cluster, await makeStandIn(lab));
  }

  async manager({
    host = 'alpha.test.local',
    slurm = {},
    unproved = false,
    options = {},
    url = '',
    renewSeconds = 1,
    env = {},
  }: ManagerOnSlurm = {}): Promise<ManagerProcess> {
    const { lab, python } = this;
    const config = smallMachine({
      limits: { renewSeconds },
      targets: { default: ['raw_records'], postProcessing: [] },
      worker: { warmUp: false, contextOptions: options },
      slurm: {
        ...{ enabled: true, shared: join(lab.root, 'shared'), backlogMinutes: 0.01 },
        ...{ memoryGb: 0.3, maxMemoryGb: 2, ...slurm },
      },
    });
    if (!unproved) await this.#prove(host);
    const at = url === '' ? {} : { BOOTSTRAX_MONGO_URL: url };
    return lab.manager({ host, config, env: { BOOTSTRAX_PYTHON: python, ...at, ...env } });
  }

  /** As if a node had told it. */
  async #prove(host: string): Promise<void> {
    const { lab } = this;
    const paths = {
      ...{ shared: join(lab.root, 'shared'), live: lab.live, partition: '', clusters: '' },
      staging: stagingDirectory({ output: lab.output, staging: null }),
    };
    const proof = { at: Date.now(), node: 'node1', problem: null, unseen: [] };
    const key = proofKey(paths);
    await mkdir(lab.stateDir(host), { recursive: true });
    const file = join(lab.stateDir(host), 'slurm-proof.json');
    await writeFile(file, JSON.stringify({ ...proof, key }));
  }

  /** Inserts finished runs with a little live data; answers their numbers. */
  async finishedRuns(count: number, first = 1): Promise<number[]> {
    const numbers = Array.from({ length: count }, (_, i) => first + i);
    const documents = numbers.map((each) => endedRun(this.lab, each, BEGUN_SECONDS_AGO));
    await this.lab.insertRuns(...(await Promise.all(documents)));
    return numbers;
  }

  /** The attempt of a run whose job is noted. */
  async waiting(number: number): Promise<string> {
    return until(`the job of run ${number}`, async () => {
      const { bootstrax } = await this.lab.run(number);
      return 'job' in bootstrax ? bootstrax.attempt : undefined;
    });
  }

  directory(attempt: string): string {
    return join(this.lab.root, 'shared/attempts', attempt);
  }

  files(attempt: string): Promise<string[]> {
    return readdir(this.directory(attempt)).catch(() => []);
  }

  /** States of all jobs of an attempt, as Slurm knows them. */
  async states(attempt: string): Promise<string[]> {
    const of = ['--noheader', '--states=all', `--name=bx-${attempt}`, '--format=%T'];
    const { stdout } = await run('squeue', of);
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** Takes all places of the cluster; answers how to give them back. */
  async occupy(nodes = 2): Promise<() => Promise<void>> {
    const whole = ['--parsable', '--exclusive', `--nodes=${nodes}`, '--output=/dev/null'];
    const { stdout } = await run('sbatch', [...whole, '--wrap=sleep 600'], { cwd: '/' });
    const id = stdout.trim();
    await until('the places to be taken', async () => {
      const listed = await run('squeue', ['--noheader', `--jobs=${id}`, '--format=%T']);
      return listed.stdout.trim() === 'RUNNING';
    });
    return async () => {
      await run('scancel', [id]);
    };
  }

  async end(): Promise<void> {
    await this.lab.end();
    delete process.env['SLURM_CONF'];
    await this.cluster.stop();
  }
}
