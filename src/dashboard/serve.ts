import { join } from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import type { Logger } from 'pino';

import { openStore } from '../database/open.ts';
import { destinationsOf } from '../features/alarms/alarm-sender.ts';
import { AlarmWatch } from '../features/alarms/alarm-watch.ts';
import { systemClock } from '../infra/clock/clock.ts';
import { TaskGroup } from '../infra/concurrency/task-group.ts';
import { connectionOf } from '../infra/config/connection.ts';
import type { Settings } from '../infra/config/entries.ts';
import { packageDirectory } from '../infra/config/paths.ts';
import { ownNames } from './access/host-names.ts';
import { Identities } from './access/identity.ts';
import { inUrl, isLoopback } from './address.ts';
import { createApp } from './app.ts';
import { readAssets } from './assets.ts';
import { Feeder } from './feeder.ts';
import { Metrics } from './metrics/metrics.ts';

/** Requests under way at the close have this time to end. */
const CLOSE_SECONDS = 2;

export interface Dashboard {
  /** Where it is. */
  url: string;
  /** Rejects with an internal error of what it does in the background: only a new start helps. */
  failure: Promise<never>;
  close(): Promise<void>;
}

/** It cannot be served so; the message says what to do instead. */
export class NotServed extends Error {
  override readonly name = 'NotServed';
}

/** Starts to serve; answers when it listens. Port 0: any free one. */
export async function serveDashboard(
  settings: Settings,
  { address, port }: { address: string; port: number },
  log: Logger,
): Promise<Dashboard> {
  const identities = await Identities.open(settings, address);
  await refuseWithoutPeople(settings, identities, { address, port });
  const connection = connectionOf(settings);
  if (connection === null) throw new NotServed('the dashboard needs the URL of a database');
  const assets = await readAssets(join(packageDirectory(), 'dist', 'web'));
  let feeder: Feeder | null = null;
  let metrics: Metrics | null = null;
  const store = openStore(connection, (event) => {
    feeder?.onStoreEvent(event);
    metrics?.onStoreEvent(event);
  });
  const destinations = destinationsOf(settings.alarms);
  const clock = systemClock;
  const tasks = new TaskGroup(clock);
  const { rules } = settings;
  const ownFeeder = new Feeder({ store, rules, log, destinations, clock, tasks });
  feeder = ownFeeder;
  metrics = new Metrics({ store, rules, streams: () => ownFeeder.followers, clock });
  const parts = { store, settings, log, clock, tasks };
  const alarms = destinations.length === 0 ? null : new AlarmWatch(parts);
  const isOwnName = ownNames(address, [settings.host.name, ...settings.dashboard.hostNames]);
  const app = createApp({ ...parts, feeder, metrics }, assets, identities, isOwnName);
  try {
    const { server, taken } = await listen(app.fetch, address, port);
    feeder.start();
    alarms?.start();
    return {
      url: `http://${inUrl(address)}:${taken}/`,
      failure: tasks.failure,
      close: async () => {
        // What is being sent is noted down if that does not take long; otherwise it may be sent again.
        await tasks.close(CLOSE_SECONDS);
        // Streams never end by themselves.
        if ('closeAllConnections' in server) server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Where others can reach it, it must be possible to say who they are. */
async function refuseWithoutPeople(
  { dashboard, host }: Settings,
  { users, proxy }: Identities,
  { address, port }: { address: string; port: number },
): Promise<void> {
  const someone = proxy.exists || (await users.list()).length > 0;
  if (someone) return;
  if (!isLoopback(address)) {
    throw new NotServed(
      `the dashboard does not listen on ${address}: on any address but loopback it needs users or a ` +
        `proxy that says who asks, and there are none. Add one: bootstrax user add NAME operator; ` +
        `or leave the address at 127.0.0.1 and reach it through a tunnel: ` +
        `ssh -L ${port}:127.0.0.1:${port} ${host.name}`,
    );
  }
  if (dashboard.login) {
    throw new NotServed(
      'dashboard.login asks for a login, and there are no users: bootstrax user add NAME operator',
    );
  }
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  hostname: string,
  port: number,
): Promise<{ server: ServerType; taken: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, (info) =>
      resolve({ server, taken: info.port }),
    );
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new NotServed(
              `port ${port} of ${hostname} is taken: is a dashboard running already? Choose another with --port`,
            )
          : error,
      );
    });
  });
}
