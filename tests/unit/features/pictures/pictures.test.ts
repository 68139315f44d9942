import { describe, expect, it } from 'vitest';

import { medianOf, oddChannels } from '../../../../src/features/pictures/channel-test.pure.ts';
import {
  type PicturedAttempt,
  standingOf,
} from '../../../../src/features/pictures/picture-standing.pure.ts';
import {
  centresOf,
  edgesOf,
  type Picture,
  ratesPerSecond,
  shownValues,
} from '../../../../src/features/pictures/pictures.pure.ts';

const PICTURE: Picture = {
  ...{ name: 'things', type: 'peak_basics', shape: 'histogram', title: 'Things' },
  ...{ normal: 'flat.', otherwise: 'look.', version: 1, minimum: 100, scaled: true },
  value: { label: 'things', unit: '1/s', log: false },
  axes: {},
  ...{ entries: 500, outside: 0, seconds: 10, problem: null },
  lines: [],
  scalars: {},
};
const line = (sums: (number | null)[], weights: number[] | null = null) => ({
  ...{ label: 'all', sums, weights },
});

describe('what a line shows', () => {
  it('is counts per second of live time where it may be scaled', () => {
    expect(shownValues(PICTURE, line([10, 0]))).toEqual([1, 0]);
    expect(shownValues({ ...PICTURE, scaled: false }, line([10, 0]))).toEqual([10, 0]);
    expect(shownValues({ ...PICTURE, seconds: 0 }, line([10]))).toEqual([null]);
  });

  it('is a mean where there are weights, and nothing where they are zero', () => {
    expect(shownValues(PICTURE, line([6, 0], [3, 0]))).toEqual([2, null]);
  });

  it('is the rate of each bin of a series, and nothing where nothing was live', () => {
    const series: Picture = {
      ...PICTURE,
      ...{ shape: 'series', time: { start: 0, step: 5, live: [5, 0, 2.5] } },
    };
    expect(shownValues(series, line([10, 0, 10]))).toEqual([2, null, 4]);
    expect(ratesPerSecond([10, null], [5, 5])).toEqual([2, null]);
  });

  it('is percent of the time for shares', () => {
    expect(shownValues({ ...PICTURE, shape: 'shares' }, line([1]))).toEqual([10]);
  });
});

describe('the bins of an axis', () => {
  it('are equal on its own scale', () => {
    const axis = { label: 'area', unit: 'PE', low: 1, high: 100, bins: 2, log: true };
    expect(edgesOf(axis).map(Math.round)).toEqual([1, 10, 100]);
    expect(centresOf({ ...axis, low: 0, high: 4, log: false })).toEqual([1, 3]);
  });
});

describe('a picture that shows nothing says why', () => {
  const attempt: PicturedAttempt = { hasEnded: false, failures: 0, dropped: [], makes: [] };
  const nothing = { ...PICTURE, seconds: 0, entries: 0 };

  it.each([
    [PICTURE, attempt, 'drawn', null],
    [
      { ...PICTURE, entries: 7 },
      attempt,
      'too few',
      'Cannot be judged: 7 of at least 100 entries.',
    ],
    [nothing, attempt, 'waiting', 'It waits for the first chunk of peak_basics.'],
    [nothing, { ...attempt, hasEnded: true }, 'not made', 'This attempt has made no peak_basics.'],
    [
      nothing,
      { ...attempt, makes: ['events_mv'] },
      'not made',
      'This attempt does not make peak_basics.',
    ],
    [
      nothing,
      { ...attempt, failures: 3, dropped: ['peak_basics'] },
      'left out',
      'Left out after 3 failures: this attempt does not make peak_basics.',
    ],
    [
      nothing,
      { ...attempt, failures: 1, dropped: ['event_info'] },
      'left out',
      'Left out after 1 failure: this attempt does not make what peak_basics is made for.',
    ],
    [
      { ...PICTURE, problem: 'KeyError: area' },
      attempt,
      'cannot be made',
      'It cannot be made: KeyError: area',
    ],
  ] as const)('%#', (picture, facts, kind, why) => {
    expect(standingOf(picture, facts)).toEqual({ kind, why });
  });
});

describe('the test of the channels', () => {
  const channels = (values: number[], more: Partial<Picture>): Picture => ({
    ...PICTURE,
    shape: 'channels',
    axes: {
      x: {
        ...{ label: 'channel', unit: '', low: 1000, high: 1000 + values.length },
        ...{ bins: values.length, log: false },
      },
    },
    lines: [line(values)],
    ...more,
  });

  it('names the dead and the hot ones by their own numbers', () => {
    const values = Array.from({ length: 40 }, () => 100);
    values[3] = 0;
    values[20] = 5000;
    expect(oddChannels(channels(values, { dead: 0, hot: 10 }))).toEqual({
      ...{ dead: [1003], hot: [1020] },
    });
    expect(oddChannels(channels(values, {}))).toEqual({ dead: [], hot: [] });
  });

  it('calls nobody hot beside dead neighbours, or at a step of a whole board', () => {
    const dead = [0, 0, 0, 0, 50, 0, 0, 0, 0];
    expect(oddChannels(channels(dead, { dead: 0, hot: 10 })).hot).toEqual([]);
    const step = [...Array<number>(20).fill(10), ...Array<number>(20).fill(60)];
    expect(oddChannels(channels(step, { dead: 0, hot: 10 })).hot).toEqual([]);
  });

  it('takes the middle value of its neighbours', () => {
    expect(medianOf([])).toBeNull();
    expect(medianOf([3, 1, 2])).toBe(2);
  });
});
