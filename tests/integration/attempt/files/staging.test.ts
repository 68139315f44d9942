import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { stagingProblem } from '../../../../src/attempt/files/staging.ts';
import { lacking } from '../../../support/lacking.ts';
import { noMounts } from '../../../support/name-spaces.ts';
import { bundled } from '../../infra/linux/support.ts';

/** A mount point on every Linux. */
const MOUNT_POINT = '/dev/shm';

let root: string;
let output: string;
let staging: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootstrax-staging-'));
  output = join(root, 'output');
  staging = join(root, 'output.staging');
  mkdirSync(output);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('the folder in which attempts write', () => {
  it('beside the output folder is found fit, and nothing is left of the trial', async () => {
    expect(await stagingProblem({ staging, output })).toBeNull();
    expect(readdirSync(staging)).toEqual([]);
    expect(readdirSync(output)).toEqual([]);
  });

  it('is looked at without anything left of a time when the power was cut meanwhile', async () => {
    mkdirSync(staging);
    const old = new Date(Date.now() - 3_600_000);
    for (const folder of [staging, output]) {
      for (const [name, time] of [
        ['000000-probe-0123456789ab_temp', old],
        // Somebody else's, right now.
        ['000000-probe-ba9876543210_temp', new Date()],
        ['000000-probe-none_temp', old],
      ] as const) {
        mkdirSync(join(folder, name));
        utimesSync(join(folder, name), time, time);
      }
    }
    expect(await stagingProblem({ staging, output })).toBeNull();
    const left = ['000000-probe-ba9876543210_temp', '000000-probe-none_temp'];
    expect(readdirSync(staging).sort()).toEqual(left);
    expect(readdirSync(output).sort()).toEqual(left);
  });

  it('is found fit where the output folder is a symbolic link to its file system', async () => {
    const link = join(root, 'link');
    symlinkSync(output, link);
    expect(await stagingProblem({ staging, output: link })).toBeNull();
  });

  it('on another file system is refused, and nothing is left of the trial', async () => {
    const elsewhere = mkdtempSync(join(MOUNT_POINT, 'bootstrax-staging-'));
    try {
      const problem = await stagingProblem({ staging: elsewhere, output });
      expect(problem).toEqual({ kind: 'apart', isMountPoint: false });
      expect(readdirSync(elsewhere)).toEqual([]);
      expect(readdirSync(output)).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('is said to be cut off by the mount where the output folder is a mount point', async () => {
    const problem = await stagingProblem({ staging, output: MOUNT_POINT });
    expect(problem).toEqual({ kind: 'apart', isMountPoint: true });
  });

  it('is refused inside the output folder, also where only a link leads there', async () => {
    const link = join(root, 'link');
    symlinkSync(output, link);
    for (const inside of [output, join(output, 'staging'), join(link, 'deep', 'staging')]) {
      expect(await stagingProblem({ staging: inside, output })).toEqual({ kind: 'inside' });
    }
    expect(readdirSync(output)).toEqual([]);
  });

  it('is refused with what the disk says where the output folder is missing', async () => {
    const problem = await stagingProblem({ staging, output: join(root, 'nowhere') });
    expect(problem).toMatchObject({ kind: 'refused', reason: /ENOENT/ });
    expect(existsSync(staging)).toBe(false);
  });

  it.skipIf(lacking(noMounts()))(
    'is refused between two bind mounts, whose device numbers are equal',
    async () => {
      for (const name of ['a', 'b', 'program']) mkdirSync(join(root, name));
      const ours = await bundled(
        join(root, 'program'),
        `import { stagingProblem } from './src/attempt/files/staging.ts';
         const [staging, output] = process.argv.slice(2);
         console.log(JSON.stringify(await stagingProblem({ staging, output })));`,
      );
      const [a, b] = [join(root, 'a'), join(root, 'b')];
      const script = `mount --bind ${output} ${a}; mount --bind ${output} ${b}; mkdir ${b}/x; ${process.execPath} ${ours} ${a} ${b}/x`;
      const said = execFileSync('unshare', ['-rm', 'sh', '-ec', script]).toString();
      expect(JSON.parse(said)).toEqual({ kind: 'apart', isMountPoint: false });
    },
  );
});
