import fc from 'fast-check';
import { type Db, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { boundFinding } from '../../../../src/cli/site/doctor/doctor-heartbeats.ts';
import { EB_MONITOR_CAPPED } from '../../../../src/host/eb-monitor.store.ts';
import { historyId } from '../../../../src/host/host-history.store.ts';
import { createCapped } from '../../../../src/infra/mongo/bounded-collections.ts';
import { createCaller } from '../../../../src/infra/mongo/call.ts';

/** A server that answers as it is told, and notes what it is asked to create. */
function server(answers: { build?: object; creation?: number; there?: boolean }) {
  const created: unknown[] = [];
  const db = {
    databaseName: 'daq',
    command: () =>
      answers.build === undefined
        ? Promise.reject(new MongoServerError({ message: 'no such command', code: 59 }))
        : Promise.resolve(answers.build),
    listCollections: () => ({
      toArray: () => Promise.resolve(answers.there === true ? [{ name: 'eb_monitor' }] : []),
    }),
    createCollection: (name: string, options: object) => {
      if (answers.creation !== undefined) {
        return Promise.reject(new MongoServerError({ message: 'no', code: answers.creation }));
      }
      created.push([name, options]);
      return Promise.resolve();
    },
    collection: (name: string) => ({
      createIndex: (key: object, options: object) => {
        created.push([name, key, options]);
        return Promise.resolve('expires');
      },
    }),
  } as unknown as Db;
  const one = { db: () => db, caller: createCaller('daq', 5, () => undefined) };
  return { created, databases: { runs: one, daq: one } };
}

const CAPPED = { capped: true, size: 256 * 2 ** 20 };

describe('the collection of heartbeats', () => {
  it.each([
    ['a MongoDB', { build: { version: '8.0.0' } }, [['eb_monitor', CAPPED]]],
    ['one that does not say what it is', {}, [['eb_monitor', CAPPED]]],
    [
      'the embedded server',
      { build: { version: '8.2.11', secantusVersion: '0.7.0' } },
      [['eb_monitor', { ...CAPPED, max: EB_MONITOR_CAPPED.embeddedDocuments }]],
    ],
    ['one that has it already', { build: {}, there: true }, []],
    ['one where another manager was quicker', { build: {}, creation: 48 }, []],
    ...[
      ['one that does not let this account', 13],
      ['one that caps no collections', 115],
    ].map(
      ([name, creation]) =>
        [
          name,
          { build: {}, creation },
          [['eb_monitor', { time: 1 }, { name: 'expires', expireAfterSeconds: 172_800 }]],
        ] as [string, { build: object; creation: number }, unknown[]],
    ),
  ] as [string, Parameters<typeof server>[0], unknown[]][])(
    'is bounded on %s',
    async (_, answers, expected) => {
      const { created, databases } = server(answers);
      await createCapped(databases, EB_MONITOR_CAPPED);
      expect(created).toEqual(expected);
    },
  );

  it.each([
    ['capped', true, 'ok', null],
    ['expiring', false, 'ok', null],
    ['none', true, 'warn', 'the command'],
    ['none', false, 'warn', 'the command'],
    ['absent', true, 'ok', null],
    ['absent', false, 'warn', 'the command'],
    ['unknown', false, 'warn', 'listCollections'],
  ] as const)('that is %s (managed: %s): doctor says %s', (bound, manage, state, todo) => {
    const finding = boundFinding({ bound, command: 'the command' }, manage);
    expect(finding.state).toBe(state);
    if (todo === null) expect(finding.todo).toBeNull();
    else expect(finding.todo).toContain(todo);
  });
});

describe('the thinned heartbeats', () => {
  it('of a host are at most 576, and no two of the same two days take the same place', () => {
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 300, max: 172_500 }), (second, later) => {
        const id = (at: number) => historyId('eb3', new Date(at * 1000));
        expect(id(second)).toMatch(/^eb3 [0-5]\d\d$/);
        expect(id(second + later)).not.toBe(id(second));
        expect(id(second + 172_800)).toBe(id(second));
      }),
    );
  });
});
