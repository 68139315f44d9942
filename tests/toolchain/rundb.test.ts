import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type ManagerProcess, SMALL_CONTEXT, until } from '../support/lab.ts';
import { type Changes, smallMachine } from '../support/small-machine.ts';
import { Observer } from './observer.ts';
import { DAQ_DB, PASSWORD, Site } from './site.ts';

// straxen's own storage frontends, given nothing but the site's utilix file, on what ours has made.

const HOST = 'eb5.xenon.local';
const ALL = 'tpc,neutron_veto,muon_veto';
const SHORT = [
  '--seconds',
  '3',
  '--chunk-seconds',
  '1',
  '--overlap-seconds',
  '0.2',
  '--speed',
  '0',
];

let site: Site;

beforeAll(async () => {
  site = await Site.start();
  await site.makeOutput(HOST);
});
afterAll(() => site.end());

async function managed(
  context: string,
  changes: Changes,
  work: (manager: ManagerProcess) => Promise<void>,
): Promise<void> {
  const manager = await site.lab.manager({
    host: HOST,
    context,
    config: smallMachine({ database: { credentialsFile: 'utilix' } }, changes),
    env: {
      BOOTSTRAX_MONGO_URL: '',
      BOOTSTRAX_RUNS_DB: '',
      BOOTSTRAX_OUTPUT: site.output(HOST),
      BOOTSTRAX_PYTHON_PATH: join(import.meta.dirname, 'contexts'),
      XENON_CONFIG: site.configuration,
    },
  });
  await work(manager);
  await manager.kill();
}

const entriesOf = (data: Record<string, unknown>[]) => data.filter(({ host }) => host === HOST);

test('RunDB lists and loads every data type that was registered, under its lineage', async () => {
  const context = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
  const numbers = await site.lab.takeRuns([...SHORT, '--runs', '2', '--detectors', ALL]);
  await managed(context, {}, async () => {
    for (const number of numbers) await site.lab.reached(number, ['done'], 300);
  });
  const args = [HOST, site.output(HOST), context, ...numbers.map(sixDigits)];
  const loaded = (await site.python('load_through_rundb.py', args)) as Record<
    string,
    Record<string, number>
  >;
  for (const number of numbers) {
    const { data } = await site.lab.run(number);
    const types = entriesOf(data).map(({ type }) => String(type));
    expect(types).toEqual(
      expect.arrayContaining(['raw_records', 'event_info', 'events_nv', 'events_mv']),
    );
    expect(Object.keys(loaded[sixDigits(number)]!).sort()).toEqual([...new Set(types)].sort());
    expect(new Set(types).size).toBe(types.length);
    expect(loaded[sixDigits(number)]!['raw_records']).toBeGreaterThan(0);
  }
}, 500_000);

test('beside RunDB the manager alone registers, all at once, in the shape that RunDB finds', async () => {
  const [number] = await site.lab.takeRuns(SHORT);
  const observer = await Observer.watch(site.lab);
  let folder = '';
  await managed(
    SMALL_CONTEXT,
    { worker: { runDatabase: true, onlineMonitor: true } },
    async (manager) => {
      await site.lab.reached(number!, ['done']);
      const { attempt } = await manager.event('attempt.started', { run: number });
      folder = join(site.lab.stateDir(HOST), 'attempts', String(attempt));
    },
  );
  for (const file of await readdir(folder)) {
    expect(await readFile(join(folder, file), 'utf8'), file).not.toContain(PASSWORD);
  }
  await observer.end();
  const pushes = observer.writes.filter(
    ({ run, fields }) => run === number && fields.some((field) => /^data(\.\d+)?$/.test(field)),
  );
  const { data } = await site.lab.run(number!);
  const entries = entriesOf(data);
  expect(entries.length).toBeGreaterThan(5);
  expect(pushes.map(({ writer }) => writer === null)).toEqual([false]);
  expect(new Set(entries.map(({ type }) => type)).size).toBe(entries.length);
  for (const entry of entries) {
    expect(Object.keys(entry).sort()).toEqual(['host', 'location', 'meta', 'protocol', 'type']);
    expect(entry['protocol']).toBe('FileSytemBackend');
  }

  const args = [HOST, site.output(HOST), SMALL_CONTEXT, sixDigits(number!)];
  const answers = (await site.python('register_again.py', args)) as Record<string, string>;
  expect(Object.keys(answers).length).toBe(entries.length);
  for (const { type, location } of entries) {
    expect(answers[String(type)]).toBe(`exists at ${String(location)}`);
  }
  expect((await site.lab.run(number!)).data).toEqual(data);

  const online = await site.python('load_online.py', args.slice(1));
  expect(online).toMatchObject({ event_basics: expect.any(Number) as number });
  expect(Object.keys(online as object).sort()).toEqual([
    'event_basics',
    'online_peak_monitor',
    'veto_intervals',
  ]);
});

test('too much for the online monitor is a warning, not the loss of the run', async () => {
  const [number] = await site.lab.takeRuns(SHORT);
  const log = site.lab.client.db(DAQ_DB).collection('log');
  await managed('huge_vetoes:huge_vetoes', { worker: { onlineMonitor: true } }, async () => {
    await site.lab.reached(number!, ['done']);
    const told = await until('a warning', () =>
      log.findOne({ runid: number, message: /veto_intervals.*online monitor/ }),
    );
    expect(told['priority']).toBe(2);
  });
  const monitor = site.lab.runsDatabase.collection('online_monitor');
  const marked = await monitor.findOne({
    number,
    data_type: 'veto_intervals',
    provides_meta: true,
  });
  expect((marked!['metadata'] as { exception: string }).exception).toMatch(/too large/i);
  expect(marked!['metadata']).not.toHaveProperty('writing_ended');
  const whole = await monitor.findOne({ number, data_type: 'event_basics', provides_meta: true });
  expect(whole!['metadata']).toHaveProperty('writing_ended');
});

const sixDigits = (number: number) => String(number).padStart(6, '0');
