import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, type StoredRun } from '../support/lab.ts';
import { childrenOf } from './chaos/stage.ts';
import { durabilityProblems, type TracedRun } from './durability/order.ts';
import { parseTrace, STRACE_OPTIONS, type TraceEvent } from './durability/trace.ts';

const HOST = 'alpha.test.local';

let lab: Lab;
let manager: ManagerProcess;
beforeAll(async () => {
  if (spawnSync('strace', ['-V']).error !== undefined) {
    throw new Error('strace is missing: scripts/test-tools.sh installs it');
  }
  lab = await Lab.start({ warmPython: false });
});
afterAll(async () => {
  // Without strace its manager would go on.
  for (const pid of childrenOf(manager.child.pid ?? -1)) process.kill(pid, 'SIGKILL');
  await lab.end();
});

test('what a message to the database relies on is on disk before it is sent', async () => {
  const traceFile = join(lab.root, 'trace.txt');
  manager = await lab.manager({
    host: HOST,
    under: ['strace', ...STRACE_OPTIONS, '-o', traceFile],
  });
  await manager.event('worker.ready');
  const [number] = await lab.takeRuns([
    ...['--seconds', '3', '--speed', '0', '--rate', '3', '--chunk-seconds', '1'],
  ]);
  const run = await lab.reached(number!, ['done']);
  for (const pid of childrenOf(manager.child.pid!)) process.kill(pid, 'SIGTERM');
  // It is traced as well.
  await lab.endWorkers(HOST);
  expect(await manager.exited, manager.story()).toBe(0);

  const traced = tracedRun(run);
  expect(traced.products.length).toBeGreaterThan(3);
  const events = parseTrace(await readFile(traceFile, 'utf8'));
  expect(durabilityProblems(events, traced)).toEqual([]);

  // The same trace with one thing left out or done too late: each is noticed.
  const without = (dropped: (event: TraceEvent) => boolean) =>
    durabilityProblems(
      events.filter((event) => !dropped(event)),
      traced,
    ).join('\n');
  const sync = (event: TraceEvent, path: RegExp) => event.kind === 'sync' && path.test(event.path);
  expect(without(({ kind }) => kind === 'sync_all')).toContain('is not forced to disk after');
  expect(without((event) => sync(event, /result\.json/))).toContain('result.json is not forced');
  expect(without((event) => sync(event, /plan\.json/))).toContain('plan.json is not forced');
  expect(without((event) => sync(event, /attempts\/[0-9a-f]{24}$/))).toMatch(
    /folder of plan\.json[^]*folder of result\.json/,
  );
  expect(without((event) => sync(event, /attempts$/))).toContain('folder of attempts');
  const late = events.map((event) =>
    event.kind === 'sync_all' ? { ...event, begin: Infinity, end: Infinity } : event,
  );
  expect(durabilityProblems(late, traced).join('\n')).toContain('before result.json');
  expect(without((event) => sync(event, /publishing\.json/))).toContain('publishing.json is not');
  expect(without((event) => sync(event, /\/out$/))).toMatch(/out is not forced.*publication/);
  expect(without((event) => sync(event, /\.staging\/[0-9a-f]{24}$/))).toMatch(
    /staging\/[0-9a-f]{24} is not forced.*publication/,
  );
});

function tracedRun(run: StoredRun): TracedRun {
  return {
    stagingDirectory: `${lab.output}.staging`,
    attemptsDirectory: join(lab.stateDir(HOST), 'attempts'),
    products: run.data.filter(({ host }) => host === HOST).map(({ location }) => String(location)),
  };
}
