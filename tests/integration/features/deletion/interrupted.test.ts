import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { describe, expect, test } from 'vitest';

import { PYTHON, until } from '../../../support/lab.ts';
import {
  askFor,
  change,
  deleting,
  doneRun,
  expectDeleted,
  filesIn,
  lab,
  liveFolder,
  LIVELY,
  ON,
  recordOf,
  useLab,
} from './support.ts';

useLab();

describe('on its way', () => {
  /** Stands in for Python: a check waits until the file `go` is there. */
  async function slowPython(name: string): Promise<{ python: string; go: string; waits: string }> {
    const python = join(lab.root, `python-${name}`);
    const go = `${python}.go`;
    const waits = `${python}.waits`;
    await writeFile(
      python,
      `#!/bin/sh\nif [ "$3" = check-products ]; then touch '${waits}'; while [ ! -e '${go}' ]; do sleep 0.1; done; fi\nexec '${PYTHON}' "$@"\n`,
    );
    await chmod(python, 0o755);
    return { python, go, waits };
  }

  const slowly = (python: string) => ({
    ...ON,
    env: { ...ON.env, BOOTSTRAX_PYTHON: python },
  });

  test('a run that is taken over while it is checked keeps its live data', async () => {
    const number = await doneRun();
    const files = filesIn(liveFolder(number));
    const { python, go, waits } = await slowPython('taken-over');
    const running = await askFor(number, slowly(python));
    await until('the check to begin', () => existsSync(waits));
    await change(number, {
      $set: { bootstrax: { state: 'done', host: 'other.test.local', time: new Date() } },
    });
    await writeFile(go, '');
    const line = await running.event('live.refused', { run: number });
    expect(line['cause']).toMatch(/other\.test\.local has concluded it since/);
    expect(filesIn(liveFolder(number))).toEqual(files);
    expect((await lab.run(number)).data.filter(({ type }) => type === 'live')).toHaveLength(1);
  });

  test('a check that is killed is visible, and done again', async () => {
    const number = await doneRun();
    const { python, go, waits } = await slowPython('killed');
    const running = await askFor(number, slowly(python));
    await until('the check to begin', () => existsSync(waits));
    const pid = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const words = commandOf(name);
        return words.includes(python) && words.includes('check-products');
      } catch {
        return false;
      }
    });
    process.kill(Number(pid), 'SIGKILL');
    const line = await running.event('live.waiting', { run: number });
    expect(line['problem']).toContain('SIGKILL');
    const shown = await lab.command(['deletions', '--unfinished', '--json']);
    expect(shown.stdout).toContain('SIGKILL');
    await writeFile(go, '');
    await expectDeleted(number);
  });

  test('an outage of the database is waited for', async () => {
    const number = await doneRun();
    const { python, go, waits } = await slowPython('outage');
    await askFor(number, slowly(python));
    await until('the check to begin', () => existsSync(waits));
    await lab.signalServer('SIGKILL');
    await writeFile(go, '');
    await delay(1500);
    expect(existsSync(liveFolder(number))).toBe(true);
    await lab.startServer();
    await expectDeleted(number);
  });

  test('something in the way is said once, and waited for', async () => {
    const number = await doneRun();
    const aside = `${liveFolder(number)}-deleting`;
    await mkdir(aside);
    const running = await askFor(number);
    await running.event('live.waiting', { run: number });
    await delay(600);
    expect(running.lines.filter(({ event }) => event === 'live.waiting')).toHaveLength(1);
    expect((await recordOf(number))['problem']).toContain('is in the way');
    await rm(aside, { recursive: true });
    await expectDeleted(number);
  });

  test('killed in the middle of the removal it is visible as unfinished, and goes on', async () => {
    const number = await doneRun();
    for (let i = 0; i < 60; i++) {
      const folder = join(liveFolder(number), `extra-${i}`);
      await mkdir(folder);
      await writeFile(join(folder, 'file'), 'x');
    }
    const before = filesIn(liveFolder(number)).length;
    const aside = `${liveFolder(number)}-deleting`;
    const inTheMiddle = { BOOTSTRAX_CRASH_AT: 'live.remove:after#20' };
    const running = await askFor(number, { ...ON, env: { ...ON.env, ...inTheMiddle } });
    await running.exited;
    const left = filesIn(aside).length;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(before);
    // No entry names what is only half there, and no folder of the run's name is left.
    expect(existsSync(liveFolder(number))).toBe(false);
    const run = await lab.run(number);
    expect(run.data.filter(({ type }) => type === 'live')).toEqual([]);
    const shown = await lab.command(['deletions', '--unfinished', '--json']);
    const { deletions: unfinished } = JSON.parse(shown.stdout) as { deletions: Document[] };
    expect(unfinished).toMatchObject([{ run: number, state: 'deleting' }]);
    expect(unfinished[0]!['vouchedBy']).toHaveLength(3);
    // Switched off it is left alone, and said.
    const off = await lab.manager({ config: LIVELY });
    const line = await off.event('live.unfinished');
    expect(line['runs']).toEqual([number]);
    expect(filesIn(aside)).toHaveLength(left);
    await off.kill();
    await deleting();
    const record = await expectDeleted(number);
    expect(record['bytes_freed']).toBe(unfinished[0]!['bytes']);
  });

  test.each(['deletions.begin:after', 'live.rename:after'])(
    'cut at %s and taken over then, its live data is there again',
    async (cut) => {
      const number = await doneRun();
      const files = filesIn(liveFolder(number));
      const first = await askFor(number, { ...ON, env: { ...ON.env, BOOTSTRAX_CRASH_AT: cut } });
      await first.exited;
      await change(number, {
        $set: {
          'bootstrax.state': 'failed',
          'bootstrax.host': 'other.test.local',
          'bootstrax.n_failures': 10,
        },
      });
      const manager = await deleting();
      const line = await manager.event('live.refused', { run: number });
      expect(line['cause']).toMatch(/not done any more, but failed/);
      expect(filesIn(liveFolder(number))).toEqual(files);
      expect(existsSync(`${liveFolder(number)}-deleting`)).toBe(false);
      expect((await lab.run(number)).data.filter(({ type }) => type === 'live')).toHaveLength(1);
    },
  );

  test('a host that is handed back leaves nothing half done', async () => {
    const number = await doneRun();
    const files = filesIn(liveFolder(number));
    const cutAt = (point: string) => ({ ...ON, env: { ...ON.env, BOOTSTRAX_CRASH_AT: point } });
    const first = await askFor(number, cutAt('live.rename:after'));
    await first.exited;
    expect((await lab.command(['handback'], ON)).code).toBe(0);
    // Nobody has been told that it goes: it is all there.
    expect(filesIn(liveFolder(number))).toEqual(files);
    const second = await deleting(cutAt('live.remove:after#2'));
    await second.exited;
    expect(existsSync(liveFolder(number))).toBe(false);
    expect((await lab.command(['handback'], ON)).code).toBe(0);
    // It is told: the rest goes as well.
    await expectDeleted(number);
  });
});

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}
