import { type ChildProcess,spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';

import type { ForkServerOptions } from './fork-server-options.ts';
import { ServerLink } from './server-link.ts';
import { workerEnvironment } from './worker-environment.ts';
import type { WorkerTerms } from './worker-terms.pure.ts';

export interface SpawnedServer {
  child: ChildProcess;
  link: ServerLink;
  /** Why there was nothing to run, once `child` has closed; else null. */
  problem: () => string | null;
}

/** Starts a fork server with a connection of its own to this process: it needs no disk for that. */
export function spawnServer(options: ForkServerOptions, terms: WorkerTerms): SpawnedServer {
  const { python, context, contextOptions, warmUp, cacheDirectory, environment } = options;
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn(
    python,
    [
      ...['-m', 'bootstrax_worker', 'serve', '--context', context],
      ...['--context-options', JSON.stringify(contextOptions)],
      ...['--scratch', join(cacheDirectory, 'warm-up')],
      ...['--folder', options.serversDirectory],
      ...['--orphan-limit', String(options.orphanLimitSeconds)],
      ...(warmUp ? [] : ['--no-warm-up']),
    ],
    {
      // In a session of its own: neither Ctrl-C nor the manager's end reaches it.
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      env: workerEnvironment(environment, options),
    },
  );
  closeSync(log);
  const stream = child.stdio[3];
  if (!(stream instanceof Socket)) throw new Error('a pipe of Node is no socket here');
  let problem: string | null = null;
  child.on('error', (error) => {
    problem = `cannot run ${python}: ${error.message}`;
  });
  const link = new ServerLink(stream);
  link.send({ type: 'start', terms });
  return { child, link, problem: () => problem };
}
