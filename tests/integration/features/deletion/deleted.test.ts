import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Document } from 'mongodb';
import { describe, expect, test } from 'vitest';

import {
  askFor,
  attemptOf,
  BOTH,
  change,
  deleting,
  deletions,
  doneRun,
  expectDeleted,
  filesIn,
  HOST,
  lab,
  liveFolder,
  messagesOf,
  RUN,
  useLab,
} from './support.ts';

useLab();

describe('live data', () => {
  test('of a run that is done goes, with a record of what stands in for it', async () => {
    const [number] = await lab.takeRuns([...RUN, ...BOTH]);
    const size = filesIn(liveFolder(number!)).length;
    const manager = await deleting();
    await manager.event('live.deleted', { run: number });
    const record = await expectDeleted(number!);
    const run = await lab.run(number!);
    expect(record).toMatchObject({
      _id: run.bootstrax.last_attempt,
      run: number,
      host: HOST,
      folder: liveFolder(number!),
      location: lab.live,
      cause: null,
      problem: null,
    });
    expect(record['files']).toBeGreaterThan(10);
    expect(record['files']).toBeLessThan(size);
    expect(record['bytes_freed']).toBe(record['bytes']);
    expect(record['bytes_freed']).toBeGreaterThan(10_000);
    const vouched = record['vouched_by'] as Document[];
    expect(vouched.map(({ type }) => type as string)).toEqual([
      ...['raw_records', 'raw_records_aqmon', 'raw_records_aqmon_nv', 'raw_records_he'],
      'raw_records_nv',
    ]);
    const result = JSON.parse(
      await readFile(join(attemptOf(String(record['_id'])), 'result.json'), 'utf8'),
    ) as { products: Document[] };
    for (const voucher of vouched) {
      const made = result.products.find(({ type }) => type === voucher['type'])!;
      // The child has made it in its own place; what is vouched for is what was published.
      const location = join(lab.output, basename(String(made['location'])));
      expect({ ...made, location }).toMatchObject(voucher);
    }
    expect(record['how']).toContain('every chunk decompressed');
    expect((record['checked'] as Date) <= (record['ended'] as Date)).toBe(true);
    const messages = await messagesOf(number!);
    const said = messages.filter(({ message }) => String(message).includes('live data of run'));
    expect(said.map(({ priority }) => priority as number)).toEqual([1]);
    expect(said[0]!['user']).toBe(`bootstrax_${HOST}`);

    const one = await lab.command(['deletions', String(number), '--json']);
    const { deletions: shown } = JSON.parse(one.stdout) as { deletions: Document[] };
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatchObject({ run: number, state: 'done' });
    expect(shown[0]!['bytesFreed']).toBe(record['bytes']);
    const all = await lab.command(['deletions']);
    expect(all.stdout).toContain('done');
    expect((await lab.command(['deletions', '--unfinished', '--json'])).stdout.trim()).toBe(
      '{"deletions":[]}',
    );
    expect((await lab.command(['deletions', 'retry', String(number)])).code).toBe(1);
    expect((await lab.command(['explain', String(number)])).stdout).toMatch(
      /^Live data: deleted by .*; raw_records.* replace it\.$/m,
    );
  });

  test('stays unless deletion is switched on', async () => {
    const number = await doneRun();
    expect(existsSync(liveFolder(number))).toBe(true);
    expect(await deletions().findOne({ run: number })).toBeNull();
  });

  test('in a folder with links goes without what they lead to', async () => {
    const number = await doneRun();
    const outside = join(lab.root, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'precious'), 'x');
    await symlink(outside, join(liveFolder(number), 'link'));
    await symlink(outside, join(liveFolder(number), '000000', 'link'));
    await askFor(number);
    await expectDeleted(number);
    expect(await readdir(outside)).toEqual(['precious']);
  });

  test('whose location ends with a slash is the same', async () => {
    const number = await doneRun();
    await change(number, { $set: { 'data.0.location': `${lab.live}/` } });
    await askFor(number);
    await expectDeleted(number);
  });
});
