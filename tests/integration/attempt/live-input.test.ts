import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const TAKE = ['--seconds', '5', '--speed', '0', '--chunk-seconds', '1', '--rate', '40'];
/** One failure, and only raw records are left to be made. */
const CONFIG = smallMachine({ targets: { rawRecordsAfter: 1 } });
const PATIENCE_MS = 300_000;

let lab: Lab;
let manager: ManagerProcess | null = null;

beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(async () => {
  await manager?.kill();
  manager = null;
});
afterAll(() => lab.end());

/** A run of which the live data is there in full, and no manager yet. */
async function takeRun(): Promise<{ number: number; live: string }> {
  const [number] = await lab.takeRuns(TAKE);
  return { number: number!, live: join(lab.live, String(number).padStart(6, '0')) };
}

function filesOf(live: string, chunk: string): string[] {
  return readdirSync(join(live, chunk))
    .filter((name) => name.startsWith('reader0_reader_0_'))
    .map((name) => join(live, chunk, name));
}

async function process(number: number) {
  manager = await lab.manager({ config: CONFIG, env: { BOOTSTRAX_DELETE_LIVE: 'true' } });
  const run = await lab.reached(number, ['done', 'abandoned']);
  const refused = await manager.event('live.refused', { run: number });
  const told = await until('the DAQ log to tell', async () => {
    const log = lab.client.db(lab.daqDb).collection('log');
    const found = await log.find({ runid: number, message: /^run \d+: / }).toArray();
    return found.length > 0 ? found : null;
  });
  const [attempt] = await lab.attempts
    .find({ run: number })
    .sort({ failures: -1 })
    .limit(1)
    .toArray();
  const { code, stdout } = await lab.command(['explain', String(number), '--json']);
  expect(code).toBe(0);
  const { incomplete } = JSON.parse(stdout) as { incomplete: string[] };
  return { run, refused: String(refused['cause']), told, attempt: attempt!, explained: incomplete };
}

test(
  'of a run with a file that is cut all that can be read is made in the end, and nobody hides that',
  async () => {
    const { number, live } = await takeRun();
    const file = filesOf(live, '000001')[0]!;
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    const before = readdirSync(live, { recursive: true });
    const { run, refused, told, attempt, explained } = await process(number);
    const part = { kind: 'unreadable', chunk: '000001', reader: 'reader0_reader_0', bytes: 1000 };
    expect(run.bootstrax).toMatchObject({
      outcome: 'done',
      n_failures: 1,
      incomplete: { missing: 0, unreadable: 1, unread: 0, parts: [{ ...part, rows: 0 }] },
    });
    expect(run.data.map(({ type }) => type)).toContain('raw_records');
    // Nobody who moves finished runs on takes it before a person has looked.
    expect(run.status).toBeUndefined();
    expect(attempt.result).toMatchObject({
      outcome: 'done',
      input: { accounted: true, incomplete: { unreadable: 1, parts: [part] } },
    });
    expect(told.map(({ priority }) => priority as number)).toEqual([3]);
    for (const text of [refused, String(told[0]?.['message']), ...explained]) {
      expect(text).toMatch(/chunk 000001 of reader0_reader_0 \(1000 bytes, 0 rows read of it; /);
    }
    expect(readdirSync(live, { recursive: true })).toEqual(before);
    expect(statSync(file).size).toBe(1000);
  },
  PATIENCE_MS,
);

test(
  'of a run with a reader that has written no file a chunk is missing, which is told',
  async () => {
    const { number, live } = await takeRun();
    for (const file of filesOf(live, '000002')) unlinkSync(file);
    const { run, refused, told, attempt, explained } = await process(number);
    const part = { kind: 'missing', chunk: '000002', reader: 'reader0_reader_0' };
    expect(run.bootstrax).toMatchObject({
      outcome: 'done',
      incomplete: { missing: 1, unreadable: 0, unread: 0, parts: [part] },
    });
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    expect(run.status).toBe('eb_finished_pre');
    expect(attempt.result).toMatchObject({ input: { incomplete: { missing: 1, parts: [part] } } });
    expect(told.map(({ priority }) => priority as number)).toEqual([2]);
    for (const text of [refused, String(told[0]?.['message']), ...explained]) {
      expect(text).toContain('Live data of a reader is missing: chunk 000002 of reader0_reader_0');
    }
  },
  PATIENCE_MS,
);
