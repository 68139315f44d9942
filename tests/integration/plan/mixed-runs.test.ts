import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { PluginGraph } from '../../../src/attempt/attempt.pure.ts';
import { graphPath } from '../../../src/infra/config/paths.ts';
import { Lab, PACKAGE, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const HOST = 'alpha.test.local';
const CONTEXT = 'deadly:deadly';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

/** Plugins that these targets need, and themselves. */
function plugins(graph: PluginGraph, targets: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (type: string) => {
    const entry = graph.types[type];
    if (entry === undefined) throw new Error(`no type ${type}`);
    found.add(entry.plugin);
    entry.dependsOn.forEach(visit);
  };
  targets.forEach(visit);
  return found;
}

test('ten runs of mixed modes and detectors, two of them failing for good, all end right by themselves', async () => {
  const wanted = [
    ['--detectors', 'tpc'],
    ['--detectors', 'tpc,neutron_veto'],
    ['--detectors', 'tpc,neutron_veto,muon_veto'],
    ['--detectors', 'tpc', '--mode', 'tpc_kr83m'],
    ['--detectors', 'neutron_veto', '--mode', 'nVeto_LASER_calibration'],
    ['--detectors', 'muon_veto'],
    ['--detectors', 'tpc,muon_veto'],
    ['--detectors', 'tpc', '--mode', 'tpc_noise'],
    ['--detectors', 'neutron_veto'],
    ['--detectors', 'tpc'],
  ];
  const [first] = await lab.takeRuns(['--seconds', '1', '--speed', '0', '--rate', '1']);
  const doomed = [first! + 3, first! + 7];
  const manager = await lab.manager({
    host: HOST,
    context: CONTEXT,
    config: smallMachine({ worker: { contextOptions: { runs: doomed } } }),
    env: { PYTHONPATH: join(PACKAGE, 'tests/support/contexts') },
  });
  await manager.event('manager.ready');
  const numbers: number[] = [];
  for (const what of wanted) {
    numbers.push(
      ...(await lab.takeRuns([
        ...['--seconds', '2', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'],
        ...what,
      ])),
    );
  }
  expect(numbers).toHaveLength(10);
  for (const number of numbers.filter((each) => !doomed.includes(each))) {
    const run = await lab.reached(number, ['done']);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
  }
  const graph = JSON.parse(
    await readFile(graphPath(lab.stateDir(HOST), CONTEXT), 'utf8'),
  ) as PluginGraph;
  for (const number of doomed) {
    await expect
      .poll(async () => (await lab.run(number)).bootstrax.outcome, { timeout: 120_000 })
      .toBe('given_up');
    const run = await lab.run(number);
    expect(run.bootstrax.state).toBe('failed');
    expect(run.bootstrax.n_failures).toBe(10);
    const attempts = await lab.attempts.find({ run: number }).sort({ failures: 1 }).toArray();
    const counted = attempts.filter((attempt) => attempt['result']?.counted);
    expect(counted).toHaveLength(10);
    const rungs = counted.map((attempt) => plugins(graph, attempt['plan'].targets));
    for (const [i, rung] of rungs.entries()) {
      const before = rungs[i - 1];
      if (before === undefined || before.size === 1) continue;
      expect(rung.size, `rung ${i} of run ${number}`).toBeLessThan(before.size);
    }
    expect(counted[9]!['plan'].targets).toEqual(['raw_records']);
    expect(counted[9]!['plan'].dropped.length).toBeGreaterThan(0);
    const log = lab.client.db(lab.daqDb).collection('log');
    const loud = await until(`the loud entry about run ${number}`, async () => {
      const found = await log.find({ runid: number, priority: 4 }).toArray();
      return found.length > 0 ? found : null;
    });
    expect(loud).toHaveLength(1);
    expect(loud[0]!['message']).toContain('GIVEN UP');
    const history = await lab.command(['history', String(number), '--json'], { host: HOST });
    const told = JSON.parse(history.stdout) as { attempts: { result: { counted: boolean } }[] };
    expect(told.attempts.filter(({ result }) => result.counted)).toHaveLength(10);
    const explained = await lab.command(['explain', String(number), '--json'], { host: HOST });
    expect(JSON.parse(explained.stdout)).toMatchObject({ run: number, verdict: 'givenUp' });
  }
  const { stdout, code } = await lab.command(['failures', '--json'], { host: HOST });
  expect(code).toBe(0);
  const { groups } = JSON.parse(stdout) as { groups: { count: number; runs: number[] }[] };
  expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  expect(new Set(groups.flatMap(({ runs }) => runs))).toEqual(new Set(doomed));
});
