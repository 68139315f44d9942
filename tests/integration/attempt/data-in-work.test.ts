import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { RunView } from '../../../src/run/run-view.pure.ts';
import { Lab, PACKAGE, PYTHON, until } from '../../support/lab.ts';

const HOST = 'alpha.test.local';
const EXAMPLE = join(PACKAGE, 'examples/paddles');
const CHOICES = {
  host: HOST,
  context: 'paddles:context',
  config: { text: readFileSync(join(EXAMPLE, 'paddles.toml'), 'utf8') },
  env: { BOOTSTRAX_PYTHON_PATH: EXAMPLE, BOOTSTRAX_DISK_MIN_FREE_BYTES: '0' },
};
/** What the group may do, and nobody else. */
const UMASK = 0o027;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ warmPython: false });
});
afterAll(() => lab.end());

type Loaded = Record<string, [rows: number, content: string]>;

/** What plain strax loads from a folder, of data that need not be whole. */
async function load(folder: string, run: string): Promise<Loaded> {
  const script = join(PACKAGE, 'tests/support/load_from_place.py');
  const env = { ...process.env, PYTHONPATH: EXAMPLE };
  const { stdout } = await promisify(execFile)(PYTHON, [script, folder, run], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Loaded;
}

async function status(): Promise<RunView | undefined> {
  const { stdout } = await lab.command(['status', '--json'], CHOICES);
  return (JSON.parse(stdout) as { runs: RunView[] }).runs[0];
}

test('a run in work is read from its place, which status tells, and what was read is a part of what is published', async () => {
  const take = ['--runs', '1', '--seconds', '12', '--chunk-seconds', '2', '--speed', '0'];
  await lab.command(['simulate-daq', ...take], CHOICES);
  const document = await lab.runs.findOne({});
  const number = document!.number;
  const id = String(number).padStart(6, '0');
  const ending = join(lab.live, id, 'THE_END');
  const aside = join(lab.root, 'THE_END');
  // As if it were still being taken: the reader waits for more.
  renameSync(ending, aside);
  await lab.runs.updateOne({ number }, { $set: { end: null } });

  const umask = ['sh', '-c', `umask ${UMASK.toString(8)}; exec "$@"`, 'sh'];
  await lab.manager({ ...CHOICES, under: umask });
  const { attempt } = (await lab.reached(number, ['busy'])).bootstrax;
  const place = join(`${lab.output}.staging`, attempt!);
  expect(await status()).toMatchObject({ run: number, host: HOST, place });

  const folder = await until('several chunks of muons to be there', () => {
    const found = existsSync(place) ? readdirSync(place) : [];
    const muons = found.find((name) => name.startsWith(`${id}-muons-`));
    return muons !== undefined && readdirSync(join(place, muons)).length > 3 ? muons : null;
  });
  const before = await load(place, id);
  expect(before['muons']?.[0]).toBeGreaterThan(0);

  // A group that watches the data may read it, others may not.
  const paths = [place, join(place, folder), ...readdirSync(join(place, folder))];
  for (const path of paths) {
    const whole = path.startsWith('/') ? path : join(place, folder, path);
    // The next chunk gets its name in this moment.
    const stats = statSync(whole, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    expect((stats.mode & 0o777).toString(8), basename(whole)).toBe(
      ((stats.isDirectory() ? 0o777 : 0o666) & ~UMASK).toString(8),
    );
  }
  const busy = await lab.run(number);
  expect(busy.data.filter(({ host }) => host === HOST)).toEqual([]);
  expect(readdirSync(lab.output)).toEqual([]);
  const { stdout } = await lab.command(['explain', String(number)], CHOICES);
  expect(stdout).toContain(`it is written to ${place}, and published from there`);

  renameSync(aside, ending);
  await lab.runs.updateOne({ number }, { $set: { end: document!.end } });
  const done = await lab.reached(number, ['done']);
  expect(done.data.filter(({ host }) => host === HOST).length).toBeGreaterThan(0);
  const after = await load(lab.output, id);
  for (const [name, [rows, content]] of Object.entries(before)) {
    expect(after[name]?.[0], name).toBeGreaterThanOrEqual(rows);
    expect(after[name]?.[1].startsWith(content), name).toBe(true);
  }
  await until('the place to be gone', () => !existsSync(place));
  expect(await status()).toBeUndefined();
});
