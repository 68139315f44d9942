// Starts one attempt and then only waits, as a manager does, to be killed by the test.
import { renameSync, writeFileSync } from 'node:fs';

import type { Plan } from '../../../../src/attempt/attempt.pure.ts';
import { ForkServer } from '../../../../src/attempt/worker/fork-server.ts';
import type { ForkServerOptions } from '../../../../src/attempt/worker/fork-server-options.ts';
import { LocalExecutor } from '../../../../src/executors/local/local-executor.ts';
import { systemClock } from '../../../../src/infra/clock/clock.ts';
import { TaskGroup } from '../../../../src/infra/concurrency/task-group.ts';

const { options, plan, directory, report } = JSON.parse(process.argv[2] ?? '') as {
  options: ForkServerOptions;
  plan: Plan;
  directory: string;
  report: string;
};
const server = new ForkServer(options, new TaskGroup(systemClock));
server.start();
await new LocalExecutor({ server, slots: 1 }).start(plan, directory);
writeFileSync(`${report}.tmp`, JSON.stringify({ server: server.pid }));
renameSync(`${report}.tmp`, report);
