/**
 * An idle manager: database commands and bytes a minute, counted at a proxy (the driver's own
 * monitoring left out), processor time, and the time from its start until it can claim.
 *
 * Arguments: --minutes N.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { CountingProxy } from '../tests/support/counting-proxy.ts';
import { Lab } from '../tests/support/lab.ts';
import { configuration } from '../tests/support/small-machine.ts';
import { median, report } from './figures.ts';
import { cpuSeconds, peakMemoryMb } from './process-use.ts';

const args = process.argv.slice(2);
const minutesArgument = args.indexOf('--minutes');
const MINUTES = minutesArgument >= 0 ? Number(args[minutesArgument + 1]) : 3;
const STARTS = 5;
/** What only the start does is over by then. */
const SETTLE_SECONDS = 30;
const CONTEXT = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
/** The defaults of a production machine but for the size of its disk. */
const CONFIG = configuration({
  disk: { maxUsedPercent: 100, minFreeBytes: 0 },
});

const lab = await Lab.start({ warmPython: false });
const proxy = await CountingProxy.start(Number(new URL(lab.url).port));
try {
  const env = { BOOTSTRAX_MONGO_URL: proxy.url };
  const first = await lab.manager({ config: CONFIG, context: CONTEXT, env });
  await first.event('worker.ready');
  await first.kill('SIGTERM');
  const starts: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const begin = performance.now();
    const manager = await lab.manager({ config: CONFIG, context: CONTEXT, env });
    await manager.event('manager.ready');
    starts.push((performance.now() - begin) / 1000);
    if (manager.lines.some(({ event }) => event === 'worker.ready')) {
      throw new Error('the worker was warm before the manager was ready');
    }
    await manager.kill('SIGTERM');
  }
  const manager = await lab.manager({ config: CONFIG, context: CONTEXT, env });
  await manager.event('worker.ready');
  const pid = manager.child.pid!;
  await delay(SETTLE_SECONDS * 1000);
  proxy.reset();
  const cpuBefore = cpuSeconds(pid);
  await delay(MINUTES * 60_000);
  const cpuPercent = (100 * (cpuSeconds(pid) - cpuBefore)) / (MINUTES * 60);
  const commands = proxy.count / MINUTES;
  const megabytes = proxy.bytes / 1e6 / MINUTES;
  for (const [name, times] of proxy.commands) console.error(`${name}: ${times / MINUTES} a minute`);
  report(
    'An idle manager (the reference: 62 commands a minute, 8.3 s until it can claim)',
    ['', 'measured', 'expected'],
    [
      ['database commands a minute', commands, 'at most 30'],
      ['MB a minute', megabytes, 'at most 1'],
      ['processor, % of one core', cpuPercent, 'under 0.3'],
      ['from start to able to claim, s (median)', median(starts), 'under 1'],
      ['largest resident size, MB', peakMemoryMb(pid), ''],
    ],
    {
      commands_per_minute: commands,
      mb_per_minute: megabytes,
      cpu_percent: cpuPercent,
      start_to_claim_s: median(starts),
      peak_memory_mb: peakMemoryMb(pid),
    },
  );
} finally {
  proxy.close();
  await lab.end();
}
