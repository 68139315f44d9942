import { setTimeout as delay } from 'node:timers/promises';

import { signal } from '../../../src/infra/mongo/embedded/embedded-process.ts';
import { until } from '../../support/lab.ts';
import type { FaultKind, Planned } from './schedule.ts';
import { type Database, type Host, LEASE_SECONDS, type OpenAttempt } from './stage.ts';

/** How long a fault waits for somebody whom it could hit, seconds. */
const VICTIM_SECONDS = 3;
const MANAGER_PAUSE_SECONDS = 2;
const DATABASE_PAUSE_SECONDS = 3;
const DATABASE_STOP_SECONDS = 9;

/** A fault that has hit somebody. */
export interface Strike {
  kind: FaultKind;
  /** For a person: who. */
  victim: string;
  atMs: number;
  /** Attempts in the hands of whom it has hit. */
  attempts: OpenAttempt[];
  /** Only another attempt can bring these runs further. */
  lost: boolean;
  /** When what was taken away or stood still is back. */
  over: Promise<void>;
}

export interface Scene {
  hosts: readonly Host[];
  database: Database;
}

/** Does what is planned; null if there was nobody to be hit. */
export async function strike(scene: Scene, planned: Planned): Promise<Strike | null> {
  const { kind, length } = planned;
  const begun = (
    victim: string,
    attempts: OpenAttempt[],
    over: Promise<unknown>,
    lost = false,
  ): Strike => ({
    kind,
    victim,
    atMs: Date.now(),
    attempts,
    lost,
    over: over.then(() => undefined),
  });
  switch (kind) {
    case 'manager killed':
    case 'manager ended':
      return onHost(scene, planned, withManager, (host) => {
        const attempts = host.openAttempts();
        const ended = host.endManager(kind === 'manager killed' ? 'SIGKILL' : 'SIGTERM');
        return begun(host.name, attempts, ended.then(again(host, length * MANAGER_PAUSE_SECONDS)));
      });
    case 'manager replaced':
      return onHost(scene, planned, withManager, (host) =>
        begun(host.name, host.openAttempts(), host.start()),
      );
    case 'manager stopped':
      return onHost(scene, planned, withManager, (host) => {
        const { child } = host.manager!;
        child.kill('SIGSTOP');
        // From well within the lease to long past it.
        const seconds = (0.2 + 2.5 * length) * LEASE_SECONDS;
        const goesOn = delay(seconds * 1000).then(() => child.kill('SIGCONT'));
        return begun(`${host.name} for ${seconds.toFixed(0)} s`, host.openAttempts(), goesOn);
      });
    case 'stopped manager replaced':
      return onHost(scene, planned, withManager, (host) => {
        host.manager!.child.kill('SIGSTOP');
        const replaced = delay(length * LEASE_SECONDS * 1000).then(() => host.start());
        return begun(host.name, host.openAttempts(), replaced);
      });
    case 'fork server killed':
      return onHost(
        scene,
        planned,
        (host) => host.forkServers().length > 0,
        (host) => {
          for (const server of host.forkServers()) signal(server, 'SIGKILL');
          return begun(host.name, [], Promise.resolve());
        },
      );
    case 'guardian killed':
    case 'child killed': {
      const who = kind === 'guardian killed' ? 'guardian' : 'child';
      const living = (host: Host) => host.openAttempts().filter((attempt) => attempt[who] !== null);
      return onHost(
        scene,
        planned,
        (host) => living(host).length > 0,
        (host) => {
          const [attempt] = living(host);
          if (attempt === undefined) return null;
          signal(attempt[who]!, 'SIGKILL');
          return begun(`${host.name}, run ${attempt.run}`, [attempt], Promise.resolve(), true);
        },
      );
    }
    case 'database killed':
    case 'database stopped': {
      const attempts = scene.hosts.flatMap((host) => host.openAttempts());
      const over =
        kind === 'database killed'
          ? scene.database.killed(length * DATABASE_PAUSE_SECONDS)
          : scene.database.stopped(0.5 + length * DATABASE_STOP_SECONDS);
      return begun('', attempts, over);
    }
    case 'machine gone':
      return onHost(scene, planned, withManager, (host) => {
        const attempts = host.openAttempts();
        const forkServers = host.forkServers();
        const ended = host.endManager('SIGKILL');
        for (const server of forkServers) signal(server, 'SIGKILL');
        for (const { guardian, child } of attempts) {
          if (guardian !== null) signal(guardian, 'SIGKILL');
          if (child !== null) signal(child, 'SIGKILL');
        }
        const back = ended.then(again(host, 2 * length * LEASE_SECONDS));
        return begun(host.name, attempts, back, true);
      });
  }
}

const withManager = (host: Host) => {
  const manager = host.manager;
  return manager !== null && manager.child.pid !== undefined && manager.child.exitCode === null;
};

const again = (host: Host, pauseSeconds: number) => async () => {
  await delay(pauseSeconds * 1000);
  if (host.manager === null) await host.start();
};

/** On the chosen host, or on the other if there is nobody to be hit; waits for somebody for a while. */
async function onHost(
  { hosts }: Scene,
  { choice }: Planned,
  possible: (host: Host) => boolean,
  work: (host: Host) => Strike | null,
): Promise<Strike | null> {
  const first = Math.floor(choice * hosts.length);
  const order = hosts.map((_, i) => hosts[(first + i) % hosts.length]!);
  const host = await until('a victim', () => order.find(possible), VICTIM_SECONDS).catch(
    () => null,
  );
  return host === null ? null : work(host);
}
