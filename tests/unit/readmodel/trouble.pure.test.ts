import { describe, expect, it, test } from 'vitest';

import { attention } from '../../../src/readmodel/attention.pure.ts';
import { openGroups } from '../../../src/readmodel/attention-groups.pure.ts';
import { type RunRow, runRow } from '../../../src/readmodel/run-row.pure.ts';
import {
  type LastCause,
  runAdvice,
  troubleOf,
  wantedIn,
  withFound,
} from '../../../src/readmodel/trouble.pure.ts';
import { CAUSE_CLASSES } from '../../../src/retry/causes.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';
import { runView } from '../../../src/run/run-view.pure.ts';

const NOW = new Date('2026-03-01T12:30:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const LIMITS = {
  ...{ promiseGraceSeconds: 60, busyLeaseSeconds: 120, consideringLeaseSeconds: 60 },
  ...{ overdueSeconds: 3600, stalledAttentionSeconds: 300 },
};
const EVIL = 'eb0:\nstrax failed: ValueError: Bad data in /live/000007/000001/reader0_1';

function row(bootstrax: object, more: object = {}, number = 7): RunRow {
  const document = {
    ...{ number, start: ago(600), end: ago(60), mode: 'radon', detectors: ['tpc'] },
    data: [{ type: 'live', host: 'daq', location: '/live/7' }],
    daq_config: { processing_threads: { reader0: 1 } },
    bootstrax: { host: 'eb0', ...bootstrax },
    ...more,
  };
  return runRow(`id${number}`, runView(readRun(document), NOW), 10, `seen${number}`);
}

const GIVEN_UP = { state: 'failed', n_failures: 10, outcome: 'given_up', reason: EVIL };
const RETRIED = { state: 'failed', n_failures: 2, outcome: 'failed', next_retry: ago(-60) };
const aside = (field: string) => ({
  ...{ state: 'failed', outcome: 'set_aside', reason: EVIL },
  malformed: [{ field, problem: 'is odd: /live/7 is no folder' }],
});
const of = (name: (typeof CAUSE_CLASSES)[number]): LastCause => ({ class: name, plugin: null });

describe('the trouble of a run', () => {
  test.each([
    ['nothing while it is done', row({ state: 'done' }), of('disk'), null],
    ['nothing while it is new', row({}), null, null],
    ['the cause of its last failure', row(RETRIED), of('hang'), 'hang'],
    [
      'an end that is not written',
      row(GIVEN_UP, { end: null }),
      of('input_not_ready'),
      'end_not_written',
    ],
    ['live data, once the end is written', row(GIVEN_UP), of('input_not_ready'), 'input_not_ready'],
    ['unknown, without a history', row(GIVEN_UP), null, 'unknown'],
    ['a field of its document', row(aside('end')), null, 'document'],
    ['its document, which cannot be read', row(RETRIED, { detectors: 3 }), null, 'document'],
    ['live data that cannot be read', row(aside('(live data)')), null, 'live_data'],
    ['the configuration of the hosts', row(aside('(configuration)')), null, 'configuration'],
    [
      'a number that is taken',
      row({ ...aside('number'), same_number: ['x'] }),
      null,
      'same_number',
    ],
  ] as const)('is %s', (_, run, cause, expected) => {
    expect(troubleOf(run, cause)).toBe(expected);
  });
});

describe('the button that helps', () => {
  it('is none for a run that would fail the same way again, whatever its cause', () => {
    const pressed = CAUSE_CLASSES.flatMap((name) => {
      const button = runAdvice(row(GIVEN_UP), of(name))?.button ?? null;
      return button === null ? [] : [[name, button.kind]];
    });
    expect(pressed).toEqual([
      ['disk', 'drain'],
      ['host', 'drain'],
      ['operator', 'reprocess'],
      ['manager', 'reprocess'],
    ]);
  });

  it('is none while a host tries the run again by itself', () => {
    for (const name of CAUSE_CLASSES) {
      expect(runAdvice(row(RETRIED), of(name))?.button).toBeNull();
    }
  });
});

it('the advice for a document names each field, what is wrong with it and what belongs there', () => {
  const advice = runAdvice(row({}, { detectors: 3, start: 'soon' }), null);
  expect(advice?.fields).toEqual([
    { field: 'start', problem: 'is not a date', found: null, wanted: 'a date' },
    {
      field: 'detectors',
      problem: expect.stringContaining('array') as string,
      found: null,
      wanted: wantedIn('detectors'),
    },
  ]);
  const document = { start: 'soon', detectors: 'x'.repeat(999) };
  const found = withFound(advice, document)?.fields.map((each) => each.found);
  expect(found).toEqual(['"soon"', expect.stringMatching(/^"x{70,}…$/)]);
  expect(withFound(advice, {})?.fields[0]?.found).toBe('nothing');
  expect(wantedIn('daq_config.processing_threads.reader0')).toMatch(/whole number/);
  expect(wantedIn('data.3.location')).toMatch(/path/);
  expect(wantedIn('something')).toBeNull();
});

describe('headlines', () => {
  const items = (runs: RunRow[], cause: LastCause, known: readonly number[] = []) =>
    attention(
      {
        runs: runs.map((run) => ({ ...run, lastCause: cause, notHandedOn: 'no /out/7 is there' })),
        hosts: [],
        changedAt: new Map(),
      },
      LIMITS,
      NOW,
    ).map((item) =>
      known.includes(item.run ?? NaN)
        ? { ...item, acknowledged: { by: 'anna', reason: 'mine', at: '', expires: null } }
        : item,
    );

  it('hold neither a path nor the text of an exception, which are told on demand', () => {
    const part = { kind: 'unreadable', chunk: '000001', reader: null, bytes: 1, rows: null };
    const incomplete = {
      ...{ missing: 0, unreadable: 1, unread: 0 },
      parts: [{ ...part, problem: 'OSError: /live/7' }],
    };
    const found = items(
      [
        ...[row(GIVEN_UP), row(aside('(live data)'), {}, 8), row(aside('end'), {}, 9)],
        ...[
          row({ state: 'done', incomplete }, {}, 10),
          row({ ...RETRIED, reason: EVIL, next_retry: ago(7200) }, {}, 11),
        ],
      ],
      of('corrupt_data'),
    );
    expect(found.length).toBeGreaterThan(5 - 1);
    for (const { what } of found) expect(what).not.toMatch(/\/|Error|Traceback/);
    expect(found.find(({ kind }) => kind === 'given_up')?.detail).toContain('/live/000007');
  });

  it('say what and why first', () => {
    expect(items([row(GIVEN_UP)], of('corrupt_data'))[0]?.what).toBe(
      'Run 7 is given up after 10 failures: corrupt data',
    );
    expect(items([row(aside('end'))], null)[0]?.what).toBe('Run 7 is set aside: correct end');
  });

  it('are one for all runs of one cause, with their oldest time', () => {
    const three = [7, 8, 9].map((number) => row(GIVEN_UP, {}, number));
    const groups = openGroups(items(three, of('corrupt_data')));
    expect(groups).toHaveLength(1);
    expect(groups[0]?.what).toBe('3 runs are given up: corrupt data');
    expect(groups[0]?.items.map(({ run }) => run)).toEqual([9, 8, 7]);
  });

  it('keep apart what somebody takes care of, and say so beside what is new', () => {
    const three = [7, 8, 9].map((number) => row(GIVEN_UP, {}, number));
    const [group, ...more] = openGroups(items(three, of('corrupt_data'), [7, 8]));
    expect(more).toEqual([]);
    expect(group?.what).toBe('Run 9 is given up after 10 failures: corrupt data');
    expect(group?.takenOn.map(({ run }) => run)).toEqual([8, 7]);
  });

  it('differ where the causes differ', () => {
    const one = items([row(GIVEN_UP)], of('corrupt_data'));
    const other = items([row(GIVEN_UP, {}, 8)], of('hang'));
    expect(openGroups([...one, ...other])).toHaveLength(2);
  });
});
