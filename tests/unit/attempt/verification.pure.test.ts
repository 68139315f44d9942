import { describe, expect, it } from 'vitest';

import type { Product } from '../../../src/attempt/attempt.pure.ts';
import { verifyProducts } from '../../../src/attempt/verification.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { at, run } from '../run/documents.ts';

const START = at(-1).getTime();
const END = at(-0.9).getTime();
const LENGTH = 360;

/** Nanoseconds since 1970, this many seconds after the start of the run. */
function ns(seconds: number): string {
  return String(BigInt(START) * 1_000_000n + BigInt(Math.round(seconds * 1e9)));
}

function product(type: string, changes: Partial<Product> = {}): Product {
  return {
    type,
    location: `/data/004711-${type}-abc`,
    lineageHash: 'abc',
    lineage: {},
    chunks: 10,
    rows: 1000,
    bytes: 5000,
    startNs: ns(0),
    endNs: ns(LENGTH),
    ...changes,
  };
}

const ended = (changes: Record<string, unknown> = {}) => run({ end: new Date(END), ...changes });

function verify(products: Product[], changes: Record<string, unknown> = {}) {
  return verifyProducts(products, ended(changes), defaultRules);
}

describe('the products of a run', () => {
  it('are right if the raw records cover it', () => {
    expect(
      verify([product('raw_records'), product('peaks', { startNs: null, endNs: null })]),
    ).toEqual({
      kind: 'ok',
    });
  });

  it.each([
    [LENGTH + 4.999999999, true],
    [LENGTH + 5, false],
    [LENGTH - 4.999999999, true],
    [LENGTH - 5, false],
    [0, false],
    [-LENGTH, false],
  ])('that cover %d s of 360: %j', (seconds, ok) => {
    const found = verify([product('raw_records', { endNs: ns(seconds) })]);
    expect(found.kind).toBe(ok ? 'ok' : 'bad');
  });

  it('must cover something, however short the run', () => {
    const instant = { end: at(-1) };
    expect(verify([product('raw_records', { endNs: ns(0) })], instant).kind).toBe('no_end');
    expect(verify([product('raw_records', { endNs: ns(1) })], instant).kind).toBe('ok');
    expect(verify([product('raw_records', { endNs: ns(-1) })], instant).kind).toBe('no_end');
  });

  it.each([at(-1), at(-2), 'soon'])('have no end to be held against: %s', (end) => {
    const found = verify([product('raw_records', { endNs: ns(20) })], { end });
    expect(found).toMatchObject({ kind: 'no_end', problem: { field: 'end' } });
  });

  it('may cover it by their rows or by their chunks', () => {
    const quiet = { firstTimeNs: ns(100), lastTimeNs: ns(101) };
    expect(verify([product('raw_records', quiet)]).kind).toBe('ok');
    const lastChunk = {
      endNs: ns(LENGTH + 5.01),
      firstTimeNs: ns(0.1),
      lastTimeNs: ns(LENGTH + 0.3),
    };
    expect(verify([product('raw_records', lastChunk)]).kind).toBe('ok');
    const cut = { endNs: ns(100), firstTimeNs: ns(1), lastTimeNs: ns(99) };
    expect(verify([product('raw_records', cut)])).toEqual({
      kind: 'bad',
      problem:
        'raw_records covers 98.0 s of a run of 360.0 s in /data/004711-raw_records-abc; ' +
        'they must differ by less than 5 s.',
    });
    expect(verify([product('raw_records', { firstTimeNs: null, lastTimeNs: null })]).kind).toBe(
      'ok',
    );
  });

  it('cover nothing if they tell no times', () => {
    expect(verify([product('raw_records', { startNs: null, endNs: null })])).toMatchObject({
      kind: 'bad',
      problem: expect.stringContaining('covers nothing of') as string,
    });
    expect(verify([product('raw_records', { startNs: null })]).kind).toBe('bad');
  });

  it('are judged by the raw types of the experiment', () => {
    const { targets, limits } = defaultRules;
    const detectors = [{ pattern: 'crystal_*', detector: 'crystal' }];
    const rules = {
      limits,
      targets: {
        ...targets,
        rawTypes: ['crystal_pulses'],
        lastResort: 'crystal_pulses',
        detectors,
      },
    };
    const crystal = ended({ detectors: ['crystal'] });
    expect(verifyProducts([product('crystal_pulses')], crystal, rules)).toEqual({ kind: 'ok' });
    expect(verifyProducts([product('raw_records')], crystal, rules)).toEqual({
      kind: 'bad',
      problem: 'there are no raw records (crystal_pulses) among them.',
    });
  });

  it('are judged when the run has ended', () => {
    expect(verify([product('raw_records')], { end: null })).toEqual({ kind: 'not_ended' });
    expect(verify([product('raw_records', { chunks: 0 })], { end: null }).kind).toBe('bad');
  });

  it('are not right without raw records, chunks or bytes', () => {
    expect(verify([])).toEqual({
      kind: 'bad',
      problem: expect.stringMatching(/^there are no raw records /) as string,
    });
    expect(verify([product('peaks')]).kind).toBe('bad');
    expect(verify([product('raw_records', { chunks: 0, rows: 0, bytes: 0 })])).toEqual({
      kind: 'bad',
      problem: 'raw_records has no chunks in /data/004711-raw_records-abc.',
    });
    expect(verify([product('raw_records'), product('peaks', { bytes: 0 })])).toEqual({
      kind: 'bad',
      problem: 'peaks has 1000 rows but no bytes in /data/004711-peaks-abc.',
    });
    expect(verify([product('raw_records'), product('peaks', { rows: 0, bytes: 0 })]).kind).toBe(
      'ok',
    );
  });

  const bad = { endNs: ns(10) };
  it.each<[string, string[], Product[], boolean]>([
    [
      'a quiet TPC',
      ['tpc', 'neutron_veto'],
      [product('raw_records', { rows: 0, ...bad }), product('raw_records_nv')],
      true,
    ],
    [
      'the TPC first',
      ['tpc', 'neutron_veto'],
      [product('raw_records_nv'), product('raw_records', bad)],
      false,
    ],
    [
      'high energy channels next',
      ['tpc', 'muon_veto'],
      [
        product('raw_records', { rows: 0 }),
        product('raw_records_mv'),
        product('raw_records_he', bad),
      ],
      false,
    ],
    [
      'the muon veto before the neutron veto',
      ['muon_veto', 'neutron_veto'],
      [product('raw_records_nv'), product('raw_records_mv', bad)],
      false,
    ],
    [
      'the neutron veto alone',
      ['neutron_veto'],
      [product('raw_records', bad), product('raw_records_nv')],
      true,
    ],
    [
      'all quiet',
      ['tpc'],
      [
        product('raw_records', { rows: 0, bytes: 0 }),
        product('raw_records_he', { rows: 0, ...bad }),
      ],
      true,
    ],
    [
      'only of detectors that did not take part',
      ['neutron_veto'],
      [product('raw_records', bad)],
      false,
    ],
    ['only of detectors that did not take part, complete', [], [product('raw_records')], true],
    ['of no detector at all', ['tpc'], [product('peaks', bad), product('raw_records_x')], true],
    ['of no raw records', ['tpc'], [product('peaks'), product('no_raw_records')], false],
  ])('are judged by the detectors that took part: %s', (_, detectors, products, ok) => {
    expect(verify(products, { detectors }).kind).toBe(ok ? 'ok' : 'bad');
  });
});
