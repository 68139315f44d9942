import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../support/lab.ts';

/** When the run's attempt came how far, in the order in which that must have been. */
async function stepsOf(lab: Lab, number: number): Promise<[string, number][]> {
  const attempt = await lab.attempts.findOne({ run: number });
  const { times, ended } = attempt as unknown as { times: Record<string, Date>; ended: Date };
  const names = ['noticed', 'claimed', 'started', 'firstChunk', 'firstOutput'];
  return [
    ...names.map((name): [string, number] => [name, times[name]?.getTime() ?? NaN]),
    ['done', ended.getTime()],
  ];
}

const inOrder = (steps: [string, number][]) =>
  steps.every(([, ms], i) => ms >= (steps[i - 1]?.[1] ?? 0));

describe('a manager takes runs', () => {
  let lab: Lab;
  let manager: ManagerProcess;

  beforeAll(async () => {
    lab = await Lab.start();
    manager = await lab.manager();
    await manager.event('manager.ready');
  });
  afterAll(() => lab.end());

  test('a run is noticed, processed and done, with the documents other programs read', async () => {
    const [number] = await lab.takeRuns(['--seconds', '6', '--speed', '0', '--rate', '20']);
    const run = await lab.reached(number!, ['done']);
    const { bootstrax } = run;
    expect(bootstrax.host).toBe('alpha.test.local');
    expect(bootstrax.time).toBeInstanceOf(Date);
    expect(bootstrax.started_processing).toBeInstanceOf(Date);
    expect(bootstrax.attempt).toBeUndefined();
    expect(bootstrax.n_failures ?? 0).toBe(0);
    expect(run['status']).toBe('eb_finished_pre');
    const entries = run['data'].filter(({ host }) => host === 'alpha.test.local');
    const folders = await readdir(lab.output);
    expect(folders.length).toBeGreaterThan(0);
    expect(entries.map(({ location }) => location).sort()).toEqual(
      folders.map((name) => `${lab.output}/${name}`).sort(),
    );
    for (const entry of entries) {
      expect(entry['protocol']).toBe('FileSytemBackend');
      expect(entry['meta']).toHaveProperty('lineage');
    }
    const steps = await stepsOf(lab, number!);
    expect(steps).toSatisfy(inOrder);
    expect(Object.fromEntries(steps)).toMatchObject({
      started: bootstrax.started_processing!.getTime(),
    });
    const attempt = await lab.attempts.findOne({ run: number! });
    expect(attempt).toMatchObject({ times: { runStart: run['start'], runEnd: run['end'] } });
  });

  test('several runs that wait are all done', async () => {
    const numbers = await lab.takeRuns(['--runs', '3', '--seconds', '5', '--speed', '0']);
    expect(numbers).toHaveLength(3);
    for (const number of numbers) await lab.reached(number, ['done']);
  });

  test('heartbeats are written as the website reads them', async () => {
    const sign = await until('a heartbeat', () =>
      lab.client
        .db(lab.daqDb)
        .collection('eb_monitor')
        .findOne({ host: 'alpha.test.local' }, { sort: { _id: -1 } }),
    );
    for (const field of [
      ...['host', 'pid', 'time', 'state', 'targets', 'max_cores', 'max_messages', 'undying'],
      ...[
        'production_mode',
        'cpu_percent',
        'memory_percent',
        'swap_percent',
        'disk_used',
        'thinking',
      ],
    ]) {
      expect(sign).toHaveProperty(field);
    }
  });

  test('the host tells how its database calls have gone', async () => {
    const hosts = lab.runsDatabase.collection('bootstrax');
    const document = await hosts.findOne({ host: 'alpha.test.local' });
    expect(document).toMatchObject({ refused_writes: 0, database: { runs: { unanswered: 0 } } });
    const { calls, seconds } = (
      document!['database'] as Record<string, { [name: string]: number }>
    )['runs'] as { calls: number; seconds: number };
    expect(calls).toBeGreaterThan(10);
    expect(seconds / calls).toBeLessThan(5);
  });
});

describe('the manager ends and another goes on', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab.end());

  test('kill -9 in the middle of a run costs nothing: the same child ends it', async () => {
    const first = await lab.manager();
    await first.event('manager.ready');
    const taking = lab.takeRuns(['--seconds', '12', '--speed', '2', '--chunk-seconds', '2']);
    const started = await first.event('attempt.started');
    const number = started['run'] as number;
    const before = await lab.reached(number, ['busy']);
    await first.kill('SIGKILL');
    const second = await lab.manager();
    await second.event('attempt.adopted', { run: number });
    await taking;
    const run = await lab.reached(number, ['done']);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    expect(run.bootstrax.started_processing).toEqual(before.bootstrax.started_processing);
    expect(second.lines.some(({ event }) => event === 'attempt.started')).toBe(false);
    // What the first one had noted stays, and what came while there was no manager is known.
    expect(await stepsOf(lab, number)).toSatisfy(inOrder);
  });
});
