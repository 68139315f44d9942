import { describe, expect, it, test } from 'vitest';

import { ownNames } from '../../../src/dashboard/access/host-names.ts';
import { isLoopback } from '../../../src/dashboard/address.ts';
import { runsQuery } from '../../../src/dashboard/inputs.ts';
import { resumeFrom } from '../../../src/dashboard/streams.ts';
import { overviewFilter, taggedFilters } from '../../../src/readmodel/overview.store.ts';
import { CONDITIONS } from '../../../src/readmodel/run-condition.pure.ts';

describe('who can reach it', () => {
  test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('%s is this machine alone', (each) => {
    expect(isLoopback(each)).toBe(true);
  });
  test.each(['0.0.0.0', '::', '10.0.0.4', 'eb0', '127.evil.org', '1270.0.0.1', ''])(
    '%s is not',
    (each) => {
      expect(isLoopback(each)).toBe(false);
    },
  );
  test.each([
    ['localhost:8580', true],
    ['127.0.0.1', true],
    ['[::1]:8580', true],
    ['LOCALHOST:1', true],
    ['evil.org:8580', false],
    ['127.0.0.1.evil.org', false],
    ['localhost:8580@evil.org', false],
    ['eb0.example.org', true],
    ['EB0.example.org:8580', true],
    ['eb0', false],
    ['10.0.0.4', false],
    ['', false],
  ])('a request to %s: %s', (header, own) => {
    expect(ownNames('127.0.0.1', ['eb0.example.org'])(header)).toBe(own);
  });
  test.each([
    ['10.0.0.4:8580', true],
    ['[fe80::1]', true],
    ['evil.org', false],
  ])('on an address of a network, a request to %s: %s', (header, own) => {
    expect(ownNames('0.0.0.0', [])(header)).toBe(own);
  });
});

describe('filters of people', () => {
  test.each([
    { condition: 'nonsense' },
    { from: '-1' },
    { from: '1e3' },
    { to: '12345678' },
    { mode: 'a\u0000b' },
    { mode: '' },
    { limit: '0' },
    { limit: '201' },
    { 'mode[$ne]': 'x' },
    { unknown: '1' },
  ])('%j is refused', (query) => {
    expect(runsQuery.safeParse(query).success).toBe(false);
  });

  it('are values to compare with, never operators', () => {
    const evil = '{"$gt":""}';
    const { also, tags } = overviewFilter({
      mode: evil,
      host: evil,
      tag: '$where',
      detector: 'a.b',
    });
    const values = {
      mode: { $eq: evil },
      detectors: { $eq: 'a.b' },
      'bootstrax.host': { $eq: evil },
    };
    expect(also).toEqual(values);
    expect(taggedFilters(also, tags)).toEqual([
      { ...values, 'tags.name': { $all: ['$where'] } },
      { ...values, tags: { $all: ['$where'] } },
    ]);
  });

  it('find each condition by a state that has an index, except what may be in any state', () => {
    const states = CONDITIONS.map((condition) => overviewFilter({ condition }).state);
    expect(CONDITIONS.filter((_, i) => states[i] === undefined)).toEqual(['held']);
  });
});

it('a stream resumes only within the same life of the server', () => {
  expect(resumeFrom(undefined)).toBe(0);
  expect(resumeFrom('zzz.12')).toBe(0);
  expect(resumeFrom('nonsense')).toBe(0);
});
