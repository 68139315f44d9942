import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

import {
  attemptOf,
  BOTH,
  change,
  chunkOf,
  deletions,
  doneRuns,
  editResult,
  endManager,
  expectRefused,
  filesIn,
  HOST,
  lab,
  liveFolder,
  productOf,
  runIdOf,
  useLab,
} from './support.ts';

// Managers start once, and runs are processed together: starting is most of what a test would cost.
useLab({ ends: 'with the file' });

/** How many runs the tests below need, by what they are taken with. */
const KINDS = {
  'one detector': { count: 17, args: [] },
  'two detectors': { count: 6, args: BOTH },
  'twelve seconds': { count: 3, args: ['--seconds', '12'] },
};
const done = new Map<string, number[]>();
beforeAll(async () => {
  for (const [kind, { count, args }] of Object.entries(KINDS)) {
    done.set(kind, await doneRuns(count, args));
  }
}, 300_000);

/** A run that is done here, and that no other test has. */
function doneRun(kind: keyof typeof KINDS = 'one detector'): number {
  const number = done.get(kind)?.shift();
  if (number === undefined) throw new Error(`no run with ${kind} is left: take more of them`);
  return number;
}

describe('is refused, and nothing is touched,', () => {
  test('if the folder is a link', async () => {
    const number = doneRun();
    const elsewhere = join(lab.root, 'elsewhere', runIdOf(number));
    await mkdir(join(lab.root, 'elsewhere'), { recursive: true });
    await rename(liveFolder(number), elsewhere);
    await symlink(elsewhere, liveFolder(number));
    const files = filesIn(elsewhere);
    await expectRefused(number, /it is a link/);
    expect(filesIn(elsewhere)).toEqual(files);
  });

  test.each([
    ['with the root as a prefix', (live: string) => `${live}-other`],
    ['below the root', (live: string) => `${live}/sub`],
    ['above the root', (live: string) => join(live, '..')],
    ['with a way round', (live: string) => `${live}/../live`],
    ['elsewhere', (live: string) => join(live, '../elsewhere-too')],
    ['at the root of the machine', () => '/'],
  ])('if the location is %s', async (_, locationOf) => {
    const number = doneRun();
    const location = locationOf(lab.live);
    // What it names is there, and would be lost.
    const named = join(location, runIdOf(number));
    if (location !== '/' && !existsSync(named))
      await cp(liveFolder(number), named, { recursive: true });
    await change(number, { $set: { 'data.0.location': location } });
    await expectRefused(number, /location contains '\.\.'|is not the configured folder/);
    if (location !== '/') expect(existsSync(named)).toBe(true);
  });

  test.each(['raw_records', 'raw_records_aqmon', 'raw_records_aqmon_nv', 'raw_records_nv'])(
    'if a single bit of a chunk of %s is another',
    async (type) => {
      const number = doneRun('two detectors');
      const chunk = chunkOf(productOf(number, type));
      const content = await readFile(chunk);
      // Of the last value of the last row: whatever it decompresses to has the same rows.
      content[content.length - 1]! ^= 1;
      await writeFile(chunk, content);
      await expectRefused(
        number,
        new RegExp(`^${type}: ${chunk} is not as it was stored: its sha256 is [0-9a-f]{64}, and`),
      );
    },
  );

  test('if the entries of its chunks say no digests any more', async () => {
    const number = doneRun();
    const folder = productOf(number, 'raw_records');
    const metadata = join(folder, `${basename(folder).slice(7)}-metadata.json`);
    const before = await readFile(metadata, 'utf8');
    // As long as it was, as all that was compared without digests.
    await writeFile(metadata, before.replaceAll('"sha256"', '"sha512"'));
    await expectRefused(
      number,
      /^raw_records has changed: its digest is none, and was [0-9a-f]{64}/,
    );
  });

  test('if a chunk is shorter than it was', async () => {
    const number = doneRun();
    const chunk = chunkOf(productOf(number, 'raw_records_aqmon'));
    await writeFile(chunk, (await readFile(chunk)).subarray(0, -10));
    await expectRefused(number, /^raw_records_aqmon/);
  });

  test('if a chunk is gone', async () => {
    const number = doneRun();
    await rm(chunkOf(productOf(number, 'raw_records')));
    await expectRefused(number, /^raw_records: .*No such file/);
  });

  test('if a raw type of the second detector is not there', async () => {
    const number = doneRun('two detectors');
    await rm(productOf(number, 'raw_records_aqmon_nv'), { recursive: true });
    await expectRefused(number, /^raw_records_aqmon_nv: .* is no folder/);
  });

  test('if a raw type of the second detector was not made', async () => {
    const number = doneRun('two detectors');
    await editResult(number, (products) =>
      products.filter(({ type }) => type !== 'raw_records_nv'),
    );
    await expectRefused(number, /^raw_records_nv was not made/);
  });

  test('if the rows are not those that were made', async () => {
    const number = doneRun();
    await editResult(number, (products) =>
      products.map((each) =>
        each['type'] === 'raw_records' ? { ...each, rows: (each['rows'] as number) + 1 } : each,
      ),
    );
    await expectRefused(number, /^raw_records has changed: rows is \d+, and was \d+/);
  });

  test.each([
    ['end', 9],
    ['end', -9],
    ['start', -9],
    // More than the limit: the data acquisition writes the end some time after it.
  ])('if the products are %s by %i s off', async (field, seconds) => {
    const number = doneRun('twelve seconds');
    const run = await lab.run(number);
    const moved = new Date((run[field] as Date).getTime() + seconds * 1000);
    await change(number, { $set: { [field]: moved } });
    await expectRefused(number, /does not cover the run/);
  });

  test('if a product is no longer listed here', async () => {
    const number = doneRun();
    await change(number, { $pull: { data: { type: 'raw_records_he' } } });
    await expectRefused(number, /^raw_records_he is not listed for this host/);
  });

  test('if live data is listed twice', async () => {
    const number = doneRun();
    await change(number, {
      $push: { data: { type: 'live', host: 'daq', location: '/elsewhere' } },
    });
    await expectRefused(number, /lists live data more than once/);
  });

  test.each(['hold-processing', 'abandon'])('if it is tagged %s', async (name) => {
    const number = doneRun();
    // What is unfinished is gone on with at once by a manager that is there.
    await endManager();
    const attempt = (await lab.run(number)).bootstrax.last_attempt!;
    await deletions().insertOne({
      _id: attempt as never,
      run: number,
      host: HOST,
      state: 'checking',
      problem: null,
      begun: new Date(),
    });
    // Long ago: what is tagged within a day is abandoned as a whole.
    const start = new Date(Date.now() - 48 * 3_600_000);
    await change(number, { $set: { tags: [{ name, user: 'x', date: new Date() }], start } });
    await expectRefused(number, new RegExp(`it is tagged ${name}`));
  });

  test('if the detector is not known', async () => {
    const number = doneRun();
    await change(number, { $set: { detectors: ['tpc', 'radon_monitor'] } });
    await expectRefused(number, /which raw data belongs to the detector radon_monitor/);
  });

  test('if the record of the attempt is gone', async () => {
    const number = doneRun();
    const { bootstrax } = await lab.run(number);
    await rm(join(attemptOf(bootstrax.last_attempt!), 'result.json'));
    await expectRefused(number, /the result of the attempt is not there any more/);
  });
});
