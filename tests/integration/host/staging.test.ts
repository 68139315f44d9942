import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import type { Finding } from '../../../src/cli/site/doctor/doctor-finding.ts';
import { checkSharing, checkStaging } from '../../../src/cli/site/doctor/doctor-folders.ts';
import type { HostView } from '../../../src/host/host-document.pure.ts';
import { Lab, until } from '../../support/lab.ts';
import { lacking } from '../../support/lacking.ts';
import { noMounts } from '../../support/name-spaces.ts';

const HOST = 'alpha.test.local';
/** A mount point on every Linux. */
const MOUNT_POINT = '/dev/shm';
const PATHS = { liveData: '/unused', stateDir: '/unused' };
const BOTH_WAYS = /set paths\.staging .*, or give paths\.output a sub-folder of that file system/;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

describe('doctor', () => {
  it('finds the folder of attempts fit, and does not leave it behind', async () => {
    const found = await checkStaging({ ...PATHS, output: lab.output, staging: null });
    expect(found).toMatchObject({ state: 'ok', says: /out\.staging: what is made there can be/ });
    expect(readdirSync(lab.output)).toEqual([]);
    expect(readdirSync(lab.root)).not.toContain('out.staging');
  });

  it('names both ways out of an output folder that is a mount point', async () => {
    const before = readdirSync(MOUNT_POINT).sort();
    const { code, stdout } = await lab.command(['doctor', '--json'], {
      env: { BOOTSTRAX_OUTPUT: MOUNT_POINT, BOOTSTRAX_STAGING: join(lab.root, 'elsewhere') },
    });
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: Finding[] };
    const found = checks.find(({ check }) => check === 'folder of attempts');
    expect(found).toMatchObject({ state: 'problem', says: /is itself a mount point/ });
    expect(found?.todo).toMatch(BOTH_WAYS);
    expect(found?.todo).toContain('/dev/shm/processed');
    expect(readdirSync(MOUNT_POINT).sort()).toEqual(before);
  });
});

describe('doctor says of an output folder', () => {
  const DAY_MS = 24 * 3_600_000;

  /** The output folder with one product of each of these makers. */
  function outputOf(makers: (string | null)[], changed = new Date()): string {
    const output = mkdtempSync(join(lab.root, 'shared-'));
    for (const [run, host] of makers.entries()) {
      const folder = join(output, `${String(run).padStart(6, '0')}-peaks-abc`);
      mkdirSync(folder);
      const word = { attempt: 'a'.repeat(24), document: 'd', host };
      const metadata = { chunks: [], ...(host === null ? {} : { bootstrax: word }) };
      writeFileSync(join(folder, 'peaks-abc-metadata.json'), JSON.stringify(metadata));
      utimesSync(folder, changed, changed);
    }
    return output;
  }

  const said = (output: string): Promise<Finding> => checkSharing(output, HOST);

  it('that is its own: a bootstrax.py there would remove our folders', async () => {
    expect(await said(outputOf([HOST, HOST]))).toEqual({
      check: 'shared output folder',
      state: 'ok',
      says: 'no other host of this program writes here. A bootstrax.py with this output folder would remove ours',
      todo: null,
    });
  });

  it('that other managers of this program share: that is safe', async () => {
    const found = await said(outputOf([HOST, 'eb4.test.local', 'eb5.test.local']));
    expect(found).toMatchObject({
      state: 'ok',
      says: /^eb4\.test\.local, eb5\.test\.local write here as well: managers .* never remove/,
    });
  });

  it('in which folders appear that say nothing: the reference removes ours there', async () => {
    const found = await said(outputOf([HOST, null, 'eb4.test.local']));
    expect(found).toMatchObject({
      state: 'warn',
      says: /^1 product folder of the last 7 days \(000001-peaks-abc is one\) .*bootstrax\.py removes a finished folder of ours/,
      todo: /an output folder of its own/,
    });
    expect(found.says).toContain('eb4.test.local write here as well');
  });

  it('in which old folders say nothing: that they tell nothing of who writes now', async () => {
    const output = outputOf([HOST, null], new Date(Date.now() - 8 * DAY_MS));
    expect(await said(output)).toMatchObject({ state: 'ok' });
  });
});

test('a manager whose attempts were to write inside the output folder does not start', async () => {
  const staging = join(lab.output, 'staging');
  const manager = await lab.manager({ env: { BOOTSTRAX_STAGING: staging } });
  expect(await manager.exited).toBe(2);
  expect(manager.story()).toContain(`${staging} lies in paths.output`);
  expect(readdirSync(lab.output)).toEqual([]);
});

test.skipIf(lacking(noMounts()))(
  'a host whose output folder is a mount point takes no run and says why, until that is mended',
  async () => {
    const mounting = ['sh', '-ec', `mount -t tmpfs none ${lab.output}; exec "$@"`, 'sh'];
    const refused = await lab.manager({ under: ['unshare', '-rm', ...mounting] });
    await refused.event('manager.ready');
    const [number] = await lab.takeRuns(['--seconds', '3', '--speed', '0', '--rate', '5']);
    const why = await until('the host to say why it takes no run', async () => {
      const { stdout } = await lab.command(['hosts', '--json']);
      const { hosts } = JSON.parse(stdout) as { hosts: HostView[] };
      return hosts.find(({ host }) => host === HOST)?.whyNot ?? null;
    });
    expect(why).toContain('the output folder is itself a mount point');
    expect(why).toMatch(BOTH_WAYS);
    const { stdout } = await lab.command(['next', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ runs: [] });
    expect(await lab.attempts.countDocuments({})).toBe(0);
    expect((await lab.run(number!)).bootstrax.state).toBeNull();
    await refused.kill();
    rmSync(`${lab.output}.staging`, { recursive: true, force: true });

    await lab.manager();
    await lab.reached(number!, ['done']);
  },
);
