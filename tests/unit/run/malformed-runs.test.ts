import { describe, expect, it } from 'vitest';

import {
  isMissing,
  readDate,
  readInteger,
  readNumber,
} from '../../../src/infra/values/bson-values.pure.ts';
import { parseRun } from '../../../src/run/run.pure.ts';
import { run, runDocument } from './documents.ts';

const UNTOUCHED = {
  state: null,
  host: null,
  time: null,
  startedProcessing: null,
  reason: null,
  failures: 0,
  nextRetry: null,
  attempt: null,
  outcome: null,
  uncounted: 0,
  holdersLost: 0,
};

function malformed(changes: Record<string, unknown>) {
  const result = parseRun(runDocument(changes));
  if (result.kind !== 'malformed') throw new Error('the document is well');
  return result.malformed;
}

describe('what is known of a malformed run', () => {
  it('is nothing if it is no object or cannot be read', () => {
    const nothing = { number: null, bootstrax: UNTOUCHED, tags: [], oddities: [] };
    const broken = {
      get number(): number {
        throw new Error('gone');
      },
    };
    for (const [raw, problem] of [
      [5, 'is not an object'],
      [null, 'is not an object'],
      [broken, 'cannot be read'],
    ] as const) {
      expect(parseRun(raw)).toEqual({
        kind: 'malformed',
        malformed: { ...nothing, problems: [{ field: '(document)', problem }] },
      });
    }
  });

  it('is its number, its tags and who owns it', () => {
    const tags = [null, { name: 'abandon' }, 5, { name: 6 }, { other: 'x' }, { name: 'y' }];
    const bootstrax = { state: 'busy', host: 5 };
    expect(malformed({ number: 7, start: null, tags, bootstrax })).toEqual({
      number: 7,
      tags: ['abandon', 'y'],
      bootstrax: { ...UNTOUCHED, state: 'busy' },
      problems: [{ field: 'start', problem: 'is absent' }],
      oddities: [
        { field: 'bootstrax.host', problem: 'is not a string' },
        { field: 'tags.0', problem: 'is not an object' },
        { field: 'tags.2', problem: 'is not an object' },
        { field: 'tags.3.name', problem: 'is not a string' },
      ],
    });
    expect(malformed({ tags: 'abandon', bootstrax: [] })).toMatchObject({
      tags: ['abandon'],
      bootstrax: UNTOUCHED,
    });
  });

  it('is every field that is wrong, not only the first', () => {
    const { problems } = malformed({
      start: null,
      detectors: [5],
      data: [],
      daq_config: { processing_threads: {} },
    });
    expect(problems).toEqual([
      { field: 'start', problem: 'is absent' },
      { field: 'data', problem: 'is empty' },
      { field: 'detectors', problem: 'is not an array of strings' },
      { field: 'daq_config.processing_threads', problem: 'is empty' },
    ]);
  });

  it.each([
    ['data', 'odd', 'is not an array'],
    ['data', undefined, 'is absent'],
    ['daq_config', 5, 'is not an object'],
    ['daq_config', null, 'is absent'],
  ])('%s %j is told of once', (field, value, problem) => {
    expect(malformed({ [field]: value }).problems).toEqual([{ field, problem }]);
  });

  it('data entries that are no objects are told of, and lack a live one', () => {
    expect(malformed({ data: [5, { type: 'raw_records', location: '/x' }] }).problems).toEqual([
      { field: 'data', problem: "has no element of type 'live'" },
    ]);
    expect(malformed({ data: [{ host: 'daq', location: '/x' }] }).problems).toEqual([
      { field: 'data', problem: "has no element of type 'live'" },
    ]);
  });

  it('processing threads of no object or under names that are none', () => {
    const threads = (value: unknown) =>
      malformed({ daq_config: { processing_threads: value } }).problems;
    const field = 'daq_config.processing_threads';
    expect(threads([1])).toEqual([{ field, problem: 'is not an object' }]);
    expect(threads(undefined)).toEqual([{ field, problem: 'is absent' }]);
    const problem = (reader: string) =>
      `has a reader '${reader}', which cannot be part of a file name`;
    for (const reader of ['', 'a/b', 'a\0b']) {
      expect(threads({ [reader]: 1 })).toEqual([{ field, problem: problem(reader) }]);
    }
    for (const count of [0, -1, 1.5, '2.5', 'two', null]) {
      expect(threads({ r: count })).toEqual([
        { field: `${field}.r`, problem: 'is not a positive integer' },
      ]);
    }
  });
});

describe('the least that is allowed', () => {
  it('counts of 0', () => {
    const { bootstrax } = run({ bootstrax: { n_failures: 0, uncounted: 0, holders_lost: 0 } });
    expect(bootstrax).toEqual(UNTOUCHED);
  });

  it('no overlap, two bytes, a little time, one thread', () => {
    const daq = (changes: object) =>
      run({ daq_config: { processing_threads: { r: 1 }, ...changes } }).daq;
    expect(daq({ strax_chunk_overlap: 0 }).overlapSeconds).toBe(0);
    expect(daq({ strax_fragment_payload_bytes: 2 }).fragmentBytes).toBe(2);
    expect(daq({ strax_chunk_length: 0.001 }).chunkSeconds).toBe(0.001);
    expect(daq({}).threads).toEqual({ r: 1 });
  });

  it('an entry of data that says no type is passed over', () => {
    const live = { type: 'live', host: 'daq', location: '/live_data/xenonnt' };
    expect(run({ data: [{ host: 'x', location: '/x' }, live] }).data).toEqual([live]);
  });

  it('no detectors, and none of the rates', () => {
    expect(run({ detectors: [] }).detectors).toEqual([]);
    expect(run({ rate: {} }).rateMBps).toBeNull();
    expect(run({ rate: { tpc: null, muon_veto: { max: null }, x: { max: 2 } } }).rateMBps).toBe(2);
    expect(run({ rate: { tpc: { max: -2 } } }).rateMBps).toBeNull();
    expect(run({ rate: { tpc: { max: Infinity } } }).rateMBps).toBeNull();
  });
});

describe('values of the database', () => {
  it.each([
    [null, true],
    [undefined, true],
    [0, false],
    ['', false],
    [{}, false],
  ])('%j is missing: %j', (value, missing) => {
    expect(isMissing(value)).toBe(missing);
  });

  it.each<[unknown, number | null, number | null]>([
    [1.5, 1.5, null],
    [NaN, NaN, null],
    [Infinity, Infinity, null],
    [2 ** 53, 2 ** 53, null],
    [2n ** 60n, 2 ** 60, null],
    [7n, 7, 7],
    ['7', null, null],
    [null, null, null],
    [undefined, null, null],
    [{}, null, null],
    [[], null, null],
    [true, null, null],
    [{ _bsontype: 'Int32', value: '7' }, null, null],
    [{ _bsontype: 'Double', value: 7 }, 7, 7],
    [{ _bsontype: 'Long', low: -1, high: 0 }, 2 ** 32 - 1, 2 ** 32 - 1],
    [{ _bsontype: 'Long', high: 0 }, null, null],
    [{ _bsontype: 'Long', low: 1 }, null, null],
    [{ _bsontype: 'Decimal128', value: 7 }, null, null],
  ])('%s is the number %j and the integer %j', (value, number, integer) => {
    expect(readNumber(value)).toBe(number);
    expect(readInteger(value)).toBe(integer);
  });

  it.each([null, undefined, 5, 'x', {}, new Date(NaN), { $date: 5 }])('%s is no date', (value) => {
    expect(readDate(value)).toBeNull();
  });
});
