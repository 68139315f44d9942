import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { readWord } from '../../src/attempt/files/ownership.ts';
import { Lab, type ManagerProcess, type StoredRun, until } from '../support/lab.ts';
import { lacking } from '../support/lacking.ts';
import { lastRelease, Release, releaseMissing } from '../support/release.ts';
import { smallMachine } from '../support/small-machine.ts';

const BEFORE = lastRelease();
const RUN = ['--seconds', '4', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
/** So that there is something in work for a few seconds. */
const SLOW = smallMachine({
  limits: { quietSeconds: 1 },
  worker: { contextOptions: { sleep_seconds: 0.4 } },
});

describe.skipIf(lacking(releaseMissing(BEFORE)))(
  `an upgrade from ${BEFORE} in the middle of a run`,
  () => {
    let lab: Lab;
    let release: Release;
    beforeAll(async () => {
      release = await Release.build(BEFORE);
      // What one process has imported serves no manager of another release.
      lab = await Lab.start({ warmPython: false });
    });
    afterEach(() => lab.endManagers());
    afterAll(async () => {
      await lab.end();
      await release.remove();
    });

    let hosts = 0;
    /** Each test has a host of its own. */
    const newHost = () => `upgraded${(hosts += 1)}.test.local`;
    const before = (host: string) => lab.manager({ host, config: SLOW, release: release.path });
    const now = (host: string) => lab.manager({ host, config: SLOW });
    const staged = () => {
      const staging = `${lab.output}.staging`;
      return existsSync(staging) ? readdirSync(staging) : [];
    };

    /** A run in work with a folder that strax has begun; answers its number and the attempt's id. */
    async function inWork(manager: ManagerProcess): Promise<{ run: number; attempt: string }> {
      await manager.event('worker.ready');
      const [run = 0] = await lab.takeRuns(RUN);
      const { attempt } = (await lab.reached(run, ['busy'])).bootstrax;
      await until('strax to begin', () => {
        const begun = [lab.output, join(`${lab.output}.staging`, attempt!)];
        return begun
          .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
          .some((name) => Number(name.split('-')[0]) === run);
      });
      return { run, attempt: attempt! };
    }

    /** Done, with whole products of one attempt in the output folder and nothing else of it there. */
    async function expectProductsOf(run: StoredRun): Promise<void> {
      const { host, last_attempt: attempt } = run.bootstrax;
      const locations = (await productsOf(run.number, host!)).sort();
      expect(locations.length).toBeGreaterThan(3);
      for (const location of locations) {
        expect(await readWord(location)).toMatchObject({ kind: 'says', attempt });
      }
      const there = readdirSync(lab.output).filter(
        (name) => Number(name.split('-')[0]) === run.number,
      );
      expect(there.map((name) => join(lab.output, name)).sort()).toEqual(locations);
    }

    test('the new manager goes on with the attempt of the old one, whose products lie in the output folder', async () => {
      const host = newHost();
      const elder = await before(host);
      const { run, attempt } = await inWork(elder);
      const younger = await now(host);
      await younger.event('attempt.adopted', { run, attempt });
      const done = await lab.reached(run, ['done']);
      expect(done.bootstrax).toMatchObject({ host, last_attempt: attempt });
      expect(done.bootstrax.n_failures).toBeUndefined();
      await younger.event('attempt.ended', { run, outcome: 'done' });
      await expectProductsOf(done);
      expect(staged()).toEqual([]);
    });

    test('the old manager comes back in the middle of a run of the new one: nothing is lost', async () => {
      const host = newHost();
      const younger = await now(host);
      const { run, attempt } = await inWork(younger);
      const elder = await before(host);
      await elder.event('attempt.adopted', { run, attempt });
      const done = await lab.reached(run, ['done']);
      // It looks for the products in the output folder alone.
      expect(done.bootstrax).toMatchObject({ host, n_failures: 1 });
      expect(done.bootstrax.last_attempt).not.toBe(attempt);
      await elder.event('attempt.ended', { run, outcome: 'done' });
      await expectProductsOf(done);
      await elder.kill();
      // What the old one does not know of goes when the new one is back.
      const again = await now(host);
      await again.event('manager.ready');
      await until('the places of attempts to be gone', () => staged().length === 0);
      await expectProductsOf(await lab.run(run));
    });

    test('what a run lists of an earlier release, with or without a word, makes room for a new attempt; so does what bootstrax.py left unfinished', async () => {
      const host = newHost();
      const elder = await before(host);
      const { run, attempt } = await inWork(elder);
      await lab.reached(run, ['done']);
      await elder.event('attempt.ended', { run, outcome: 'done' });
      await elder.kill();
      const [first, ...others] = (await productsOf(run, host)).sort();
      expect(await readWord(first!)).toMatchObject({ kind: 'says', attempt });
      // 0.1.0 and the reference say nothing.
      for (const location of others) withoutWord(location);
      const unfinished = join(lab.output, `${basename(first!).split('-')[0]}-peaks-oldhash_temp`);
      foreignFolder(unfinished);
      const why = ['--even-done', '--yes', '--reason', 'made anew'];
      const { code, stderr } = await lab.command(['retry', String(run), ...why], { host });
      expect(code, stderr).toBe(0);

      const younger = await now(host);
      await younger.event('attempt.ended', { run, outcome: 'done' });
      const done = await lab.run(run);
      expect(done.bootstrax.last_attempt).not.toBe(attempt);
      await expectProductsOf(done);
    });

    test('a finished folder that no run lists and that says nothing is in the way, and stays', async () => {
      const host = newHost();
      const [run = 0] = await lab.takeRuns(RUN);
      const folder = join(lab.output, `${String(run).padStart(6, '0')}-peaks-oldhash`);
      foreignFolder(folder);
      const manager = await now(host);
      const { msg } = await manager.event('attempt.ended', { run, outcome: 'requeued' });
      expect(msg).toContain(`are in the way: ${folder} (it does not say which attempt made it`);
      expect(existsSync(folder)).toBe(true);
      rmSync(folder, { recursive: true });
      await manager.event('attempt.ended', { run, outcome: 'done' });
      const done = await lab.run(run);
      expect(done.bootstrax.n_failures ?? 0).toBe(0);
      await expectProductsOf(done);
    });

    /** Where what a host has made of a run lies. */
    async function productsOf(run: number, host: string): Promise<string[]> {
      const { data } = await lab.run(run);
      return data.filter((entry) => entry['host'] === host).map(({ location }) => String(location));
    }
  },
);

/** As if another program had made it, an hour ago. */
function foreignFolder(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'peaks-oldhash-metadata.json'), '{"chunks": []}');
  makeOld(folder);
}

function withoutWord(location: string): void {
  const name = readdirSync(location).find((each) => each.endsWith('-metadata.json'))!;
  const file = join(location, name);
  const { bootstrax, ...metadata } = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    unknown
  >;
  expect(bootstrax).toBeDefined();
  writeFileSync(file, JSON.stringify(metadata));
  makeOld(location);
}

function makeOld(folder: string): void {
  const old = new Date(Date.now() - 3_600_000);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), old, old);
  utimesSync(folder, old, old);
}
