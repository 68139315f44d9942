import { z } from 'zod';

import { ONLINE_MONITOR_COLLECTION } from '../attempt/online-monitor.store.ts';
import {
  ACKNOWLEDGEMENTS_COLLECTION,
  ACTIONS_COLLECTION,
} from '../features/actions/action.store.ts';
import { ALARMS_COLLECTION } from '../features/alarms/alarm.store.ts';
import { MAINTENANCE_COLLECTION } from '../features/alarms/maintenance.store.ts';
import { DELETIONS_COLLECTION } from '../features/deletion/deletion.store.ts';
import { EB_MONITOR_COLLECTION } from '../host/eb-monitor.store.ts';
import { HOSTS_COLLECTION } from '../host/host.store.ts';
import { HOST_HISTORY_COLLECTION } from '../host/host-history.store.ts';
import { createCaller } from '../infra/mongo/call.ts';
import { createConnection } from '../infra/mongo/client.ts';
import type { Credentials } from '../infra/mongo/connection.port.ts';
import { RATES_COLLECTION } from '../plan/data-rate.store.ts';
import { HOST_TARGETS_COLLECTION } from '../plan/host-targets.store.ts';
import { LOG_COLLECTION } from '../ports/daq-log.store.ts';
import { ATTEMPTS_COLLECTION } from '../retry/attempt-history.store.ts';
import { RUNS_COLLECTION } from '../run/run.store.ts';
import type { ContractServer } from './contract/scratch.ts';

/** As MongoDB names them. */
export type PrivilegeAction =
  | 'find'
  | 'insert'
  | 'update'
  | 'remove'
  | 'changeStream'
  | 'createIndex'
  | 'listIndexes'
  | 'createCollection'
  | 'convertToCapped';

export interface Privilege {
  database: 'runs' | 'daq';
  collection: string;
  actions: readonly PrivilegeAction[];
  /** What for. */
  why: string;
}

/** What the account of a manager needs; of its worker too, which uses the site's own. */
const NEEDED: readonly Privilege[] = [
  {
    ...{ database: 'runs', collection: RUNS_COLLECTION },
    actions: ['find', 'update', 'changeStream', 'listIndexes'],
    why: 'to claim runs, conclude them and list their data; changeStream to notice them at once',
  },
  {
    ...{ database: 'runs', collection: HOSTS_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'what each host does',
  },
  {
    ...{ database: 'runs', collection: HOST_HISTORY_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'load and disks of each host over two days, for curves',
  },
  {
    ...{ database: 'runs', collection: ATTEMPTS_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'the history of attempts',
  },
  {
    ...{ database: 'runs', collection: DELETIONS_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'deletions of live data',
  },
  {
    ...{ database: 'runs', collection: ACTIONS_COLLECTION },
    actions: ['find', 'insert', 'update', 'changeStream', 'listIndexes'],
    why: 'what people have asked for; changeStream to notice it at once',
  },
  {
    ...{ database: 'runs', collection: ACKNOWLEDGEMENTS_COLLECTION },
    actions: ['find', 'insert', 'update'],
    why: 'who sees to what needs attention',
  },
  {
    ...{ database: 'runs', collection: ALARMS_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'alarms, and who has been told of them',
  },
  {
    ...{ database: 'runs', collection: MAINTENANCE_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'times in which no alarm is told',
  },
  {
    ...{ database: 'runs', collection: ONLINE_MONITOR_COLLECTION },
    actions: ['find', 'insert', 'update', 'remove', 'listIndexes'],
    why: 'strax writes it while a run is processed; what a failed attempt wrote is removed',
  },
  {
    ...{ database: 'daq', collection: EB_MONITOR_COLLECTION },
    actions: ['find', 'insert', 'update', 'listIndexes'],
    why: 'heartbeats',
  },
  {
    ...{ database: 'daq', collection: LOG_COLLECTION },
    actions: ['insert'],
    why: 'messages to those who watch the data acquisition',
  },
  {
    ...{ database: 'daq', collection: RATES_COLLECTION },
    actions: ['find', 'changeStream', 'listIndexes'],
    why: 'data rates',
  },
  {
    ...{ database: 'daq', collection: HOST_TARGETS_COLLECTION },
    actions: ['find'],
    why: 'targets of single hosts, as operators set them',
  },
];

/** What a server asks for before it creates a capped collection. */
const CREATE_CAPPED = ['createCollection', 'convertToCapped'] as const;

/** The same with what creating indexes takes, if that is wanted. */
export function neededPrivileges({ manage }: { manage: boolean }): Privilege[] {
  return NEEDED.map((privilege) => {
    const { actions, collection } = privilege;
    if (!manage || !actions.includes('listIndexes')) return privilege;
    const creation = collection === EB_MONITOR_COLLECTION ? CREATE_CAPPED : [];
    return { ...privilege, actions: [...actions, 'createIndex', ...creation] };
  });
}

/** Names of the databases as the site calls them. */
export type DatabaseNames = Record<'runs' | 'daq', string>;

/** For mongosh: makes a role of these privileges. */
export function roleCommand(
  name: string,
  privileges: readonly Privilege[],
  names: DatabaseNames,
): string {
  const lines = privileges.map(({ database, collection, actions }) => {
    const resource = { db: names[database], collection };
    return `    {resource: ${JSON.stringify(resource)}, actions: ${JSON.stringify(actions)}}`;
  });
  return [
    `db.getSiblingDB("admin").createRole({`,
    `  role: ${JSON.stringify(name)},`,
    `  privileges: [`,
    lines.join(',\n'),
    `  ],`,
    `  roles: []`,
    `})`,
  ].join('\n');
}

const resourceSchema = z.looseObject({
  db: z.string().optional(),
  collection: z.string().optional(),
  anyResource: z.boolean().optional(),
});
const connectionStatusSchema = z.looseObject({
  authInfo: z.looseObject({
    authenticatedUsers: z.array(z.looseObject({ user: z.string(), db: z.string() })),
    authenticatedUserPrivileges: z
      .array(z.looseObject({ resource: resourceSchema, actions: z.array(z.string()) }))
      .optional(),
  }),
});

export type Granted =
  | { kind: 'known'; users: string[]; missing: Privilege[] }
  /** Nobody is logged in: access control is off, or nothing is allowed. */
  | { kind: 'nobody' }
  /** The server does not say. */
  | { kind: 'unknown'; why: string };

/** What is missing by the answer to `connectionStatus {showPrivileges: true}`. */
export function missingPrivileges(
  answer: unknown,
  privileges: readonly Privilege[],
  names: DatabaseNames,
): Granted {
  const parsed = connectionStatusSchema.safeParse(answer);
  if (!parsed.success) return { kind: 'unknown', why: 'its answer is of another form' };
  const { authenticatedUsers, authenticatedUserPrivileges: granted } = parsed.data.authInfo;
  if (authenticatedUsers.length === 0) return { kind: 'nobody' };
  const users = authenticatedUsers.map(({ user, db }) => `${user}@${db}`);
  if (granted === undefined) return { kind: 'unknown', why: 'it lists no privileges' };
  const missing = privileges.flatMap((privilege) => {
    const { database, collection, actions } = privilege;
    const lacking = actions.filter(
      (action) =>
        !granted.some(
          ({ resource, actions: allowed }) =>
            allowed.includes(action) && covers(resource, names[database], collection),
        ),
    );
    return lacking.length === 0 ? [] : [{ ...privilege, actions: lacking }];
  });
  return { kind: 'known', users, missing };
}

/** An empty name stands for all. */
function covers(
  { db, collection, anyResource }: z.infer<typeof resourceSchema>,
  database: string,
  name: string,
): boolean {
  if (anyResource === true) return true;
  if (db === undefined || collection === undefined) return false;
  return (db === '' || db === database) && (collection === '' || collection === name);
}

/** A login that succeeded is no anonymous connection, whatever the server lists. */
export function asLoggedIn(granted: Granted, credentials: Credentials | null): Granted {
  if (granted.kind !== 'nobody' || credentials === null) return granted;
  const why = `${credentials.username} is logged in, but the server names no user`;
  return { kind: 'unknown', why };
}

/** The embedded server lists no privileges of anybody, and lets everybody do everything who is logged in. */
function ofEmbedded(
  answer: unknown,
  privileges: readonly Privilege[],
  names: DatabaseNames,
): Granted {
  const granted = missingPrivileges(answer, privileges, names);
  const isSilent = granted.kind === 'known' && granted.missing.length === privileges.length;
  return isSilent ? { kind: 'unknown', why: 'the embedded server lists none' } : granted;
}

/** Asks a server what the present user may do. Changes nothing. */
export async function askPrivileges(
  server: ContractServer,
  privileges: readonly Privilege[],
  names: DatabaseNames,
): Promise<Granted> {
  const { credentials, callTimeoutSeconds } = server;
  const connection = createConnection('runs', server, () => undefined);
  const caller = createCaller('runs', callTimeoutSeconds, () => undefined);
  try {
    const answer = await caller.once('asking for privileges', () =>
      connection.db('admin').command({ connectionStatus: 1, showPrivileges: true }),
    );
    const build = await caller.once('asking for the version', () =>
      connection.db('admin').command({ buildInfo: 1 }),
    );
    if ('secantusVersion' in build)
      return asLoggedIn(ofEmbedded(answer, privileges, names), credentials);
    return asLoggedIn(missingPrivileges(answer, privileges, names), credentials);
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
  } finally {
    await connection.close();
  }
}
