import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { cutOf } from '../../../../src/infra/crash-points/cut.ts';
import {
  CRASH_POINTS,
  type CrashPoint,
  WORKER_CRASH_POINTS,
} from '../../../../src/infra/crash-points/points.ts';
import { remove, writeFileDurable } from '../../../../src/infra/disk/durable.ts';
import type { Collection } from '../../../../src/infra/mongo/collection.ts';

const WORKER = resolve(import.meta.dirname, '../../../../worker/bootstrax_worker');

describe('crash points', () => {
  it('are different from each other', () => {
    expect(new Set(CRASH_POINTS).size).toBe(CRASH_POINTS.length);
  });

  it('are the same on the Python side', () => {
    const names: unknown = JSON.parse(readFileSync(join(WORKER, 'crash_points.json'), 'utf8'));
    expect(names).toEqual({ all: CRASH_POINTS, worker: WORKER_CRASH_POINTS });
  });

  it('come with each write: one without a listed name does not compile', () => {
    // Checked by the compiler, never called.
    const unnamed = async (collection: Collection) => {
      // @ts-expect-error a database write that is not listed
      await collection.updateOne('runs.unheard_of', {}, []);
      // @ts-expect-error a database write without a name
      await collection.updateOne({}, []);
      // @ts-expect-error a file that is not listed
      await writeFileDurable('unheard-of.json', '/nowhere', '');
      // @ts-expect-error a removal that is not listed
      await remove('everything', '/nowhere');
    };
    expect(unnamed).toBeTypeOf('function');
    const point: CrashPoint = 'runs.claim:before';
    expect(CRASH_POINTS).toContain(point);
  });
});

describe('BOOTSTRAX_CRASH_AT', () => {
  it('names a point, and a passage if not the first', () => {
    expect(cutOf('runs.claim:after')).toEqual({ point: 'runs.claim:after', passage: 1 });
    expect(cutOf('exit.json:temporary#12')).toEqual({ point: 'exit.json:temporary', passage: 12 });
  });

  it('may be empty or absent', () => {
    expect(cutOf(undefined)).toBeNull();
    expect(cutOf('')).toBeNull();
  });

  it.each(['runs.claim', 'claim', 'runs.claim:after#0', 'runs.claim:after#', '#1', ' '])(
    'is refused where it names none: %j',
    (text) => {
      expect(() => cutOf(text)).toThrow(`BOOTSTRAX_CRASH_AT is "${text}", which is no crash point`);
    },
  );
});
