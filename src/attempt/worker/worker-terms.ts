import { readFileSync } from 'node:fs';

import { versionOfThis } from '../../infra/config/version.ts';
import type { ForkServerOptions } from './fork-server-options.ts';
import { workerEnvironment } from './worker-environment.ts';
import { lastingVariables, type WorkerTerms } from './worker-terms.pure.ts';

/** Lines of /proc/self/status that a child inherits. */
const STATUS_LINES = ['Umask', 'Uid', 'Gid', 'Groups', 'CapEff', 'NoNewPrivs', 'Cpus_allowed_list'];

/** What a fork server with these options would be made with, were it started by this process. */
export function workerTerms(options: ForkServerOptions): WorkerTerms {
  const { python, pythonPath, workerDirectory, cacheDirectory, environment } = options;
  const { context, contextOptions, warmUp, orphanLimitSeconds } = options;
  const terms: WorkerTerms = {
    release: versionOfThis(),
    ...{ python, pythonPath, workerDirectory, cacheDirectory },
    ...{ context, contextOptions, warmUp, orphanLimitSeconds },
    directory: process.cwd(),
    environment: lastingVariables(workerEnvironment(environment, options)),
    inherited: inherited(),
  };
  return terms;
}

function inherited(): Record<string, string> {
  const status = Object.fromEntries(
    textOf('status')
      .split('\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string | undefined])
      .filter(([name]) => STATUS_LINES.includes(name))
      .map(([name, value]) => [`${name} of the process`, value ?? '']),
  );
  return {
    ...status,
    'the limits of the process': textOf('limits'),
    'the control group': textOf('cgroup'),
    'the readiness to be killed for want of memory': textOf('oom_score_adj'),
  };
}

function textOf(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8').trim();
  } catch {
    return '';
  }
}
