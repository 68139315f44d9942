import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  missingPrivileges,
  neededPrivileges,
  type Privilege,
  roleCommand,
} from '../../../src/database/privileges.ts';

const NAMES = { runs: 'xenonnt', daq: 'daq' };
const NEEDED = neededPrivileges({ manage: false });

type Grant = { resource: Record<string, unknown>; actions: string[] };

const answer = (privileges: Grant[] | undefined) => ({
  ok: 1,
  authInfo: {
    authenticatedUsers: [{ user: 'daq', db: 'admin' }],
    ...(privileges === undefined ? {} : { authenticatedUserPrivileges: privileges }),
  },
});

const granted = ({ database, collection, actions }: Privilege): Grant => ({
  resource: { db: NAMES[database], collection },
  actions: [...actions],
});

describe('privileges', () => {
  it('are listed for every collection of the store', () => {
    const named = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.store.ts'))
      .flatMap((file) => [
        ...readFileSync(join('src', file), 'utf8').matchAll(/_COLLECTION = '(\w+)'/g),
      ])
      .map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    const listed = NEEDED.map(({ collection }) => collection);
    expect([...new Set(named)].sort()).toEqual([...new Set(listed)].sort());
  });

  it('need createIndex only where the database is ours', () => {
    const all = (manage: boolean) => neededPrivileges({ manage }).flatMap(({ actions }) => actions);
    expect(all(false)).not.toContain('createIndex');
    expect(all(true)).toContain('createIndex');
  });

  it('a role is made with exactly these', () => {
    const command = roleCommand('bootstrax', NEEDED, NAMES);
    const call = /createRole\((\{[\s\S]*\})\)$/.exec(command)![1]!;
    const role = JSON.parse(call.replace(/(\w+):(?= )/g, '"$1":')) as {
      role: string;
      privileges: Grant[];
    };
    expect(role.role).toBe('bootstrax');
    expect(role.privileges).toEqual(NEEDED.map(granted));
  });

  it.each<[string, Grant[], number]>([
    ['each of them', NEEDED.map(granted), 0],
    ['none', [], NEEDED.length],
    [
      'whole databases',
      Object.values(NAMES).map((db) => ({
        resource: { db, collection: '' },
        actions: ['find', 'insert', 'update', 'remove', 'changeStream', 'listIndexes'],
      })),
      0,
    ],
    [
      'everything',
      [
        {
          resource: { anyResource: true },
          actions: ['find', 'insert', 'update', 'remove', 'changeStream', 'listIndexes'],
        },
      ],
      0,
    ],
    [
      'another database, and the cluster',
      [
        { resource: { db: 'other', collection: '' }, actions: ['find', 'insert', 'update'] },
        { resource: { cluster: true }, actions: ['find'] },
      ],
      NEEDED.length,
    ],
  ])('granted %s', (_, grants, lacking) => {
    const found = missingPrivileges(answer(grants), NEEDED, NAMES);
    expect(found).toMatchObject({ kind: 'known', users: ['daq@admin'] });
    if (found.kind === 'known') expect(found.missing).toHaveLength(lacking);
  });

  it('tells which action is missing on which collection', () => {
    const grants = NEEDED.map(granted).map((grant) => ({
      ...grant,
      actions: grant.actions.filter((action) => action !== 'changeStream'),
    }));
    const found = missingPrivileges(answer(grants), NEEDED, NAMES);
    expect(found).toMatchObject({
      kind: 'known',
      missing: [
        { collection: 'runs', actions: ['changeStream'] },
        { collection: 'bootstrax_actions', actions: ['changeStream'] },
        { collection: 'aggregate_status', actions: ['changeStream'] },
      ],
    });
  });

  it.each([
    ['nobody is logged in', { authInfo: { authenticatedUsers: [] } }, 'nobody'],
    ['the server lists none', answer(undefined), 'unknown'],
    ['another form', { authInfo: 5 }, 'unknown'],
    ['nothing', null, 'unknown'],
  ])('are known only from an answer that lists them: %s', (_, reply, kind) => {
    expect(missingPrivileges(reply, NEEDED, NAMES).kind).toBe(kind);
  });
});
