import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { type ResourceFacts, selectResources } from '../../../src/plan/resources.pure.ts';

const RULES = defaultRules.resources;

function select(changes: Partial<ResourceFacts>, table = 'new', rules = RULES) {
  const facts: ResourceFacts = {
    mode: 'tpc_bkg',
    rateMBps: null,
    failures: 0,
    memoryFailures: 0,
    chunkSeconds: 5,
    overlapSeconds: 0.5,
    ...changes,
  };
  return selectResources(facts, table, rules);
}

function figures(changes: Partial<ResourceFacts>, table = 'new'): string {
  const { cores, maxMessages, timeoutSeconds } = select(changes, table);
  return `${cores} ${maxMessages} ${timeoutSeconds}`;
}

describe('resources by rate and failures', () => {
  // The columns of the reference's vectors: new n=0, old n=0, new n=1, new n=5, new n=9, old n=9.
  const columns: [table: string, failures: number][] = [
    ['new', 0],
    ['old', 0],
    ['new', 1],
    ['new', 5],
    ['new', 9],
    ['old', 9],
  ];
  it.each<[rate: number | null, ...string[]]>([
    [0.5, '24 60 1200', '38 20 1200', '21 54 1320', '14 37 1932', '10 25 2829', '16 8 2829'],
    [80, '24 47 1225', '35 17 1225', '21 42 1347', '14 29 1972', '10 19 2888', '14 7 2888'],
    [130, '21 27 1350', '30 12 1350', '19 24 1485', '13 16 2174', '8 11 3183', '12 5 3183'],
    [180, '16 25 1475', '25 10 1475', '14 22 1622', '9 15 2375', '6 10 3477', '10 4 3477'],
    [325, '15 25 1837', '12 10 1837', '13 22 2020', '9 15 2958', '6 10 3600', '5 4 3600'],
    [400, '15 18 2025', '10 10 2025', '13 16 2227', '9 11 3261', '6 7 3600', '4 4 3600'],
    [525, '12 12 2337', '9 7 2337', '10 10 2570', '7 7 3600', '5 5 3600', '4 4 3600'],
    [550, '10 12 2400', '8 6 2400', '9 10 2640', '6 7 3600', '4 5 3600', '4 4 3600'],
    [5000, '10 12 2400', '8 6 2400', '9 10 2640', '6 7 3600', '4 5 3600', '4 4 3600'],
    [null, '8 10 1000', '8 10 1000', '7 9 1100', '4 6 1610', '4 4 2357', '4 4 2357'],
    [0, '8 10 1000', '8 10 1000', '7 9 1100', '4 6 1610', '4 4 2357', '4 4 2357'],
  ])('%s MB/s', (rateMBps, ...expected) => {
    expect(columns.map(([table, failures]) => figures({ rateMBps, failures }, table))).toEqual(
      expected,
    );
  });

  it.each([
    [70, '24 60 1200', '35 20 1200'],
    [90, '24 35 1250', '35 15 1250'],
    [110, '24 30 1300', '30 15 1300'],
    [150, '18 25 1400', '30 10 1400'],
    [220, '15 25 1575', '20 10 1575'],
    [290, '15 25 1750', '12 10 1750'],
    [360, '15 25 1925', '12 10 1925'],
    [390, '15 20 2000', '10 10 2000'],
    [420, '15 15 2075', '10 10 2075'],
    [500, '15 12 2275', '10 8 2275'],
  ])('%i MB/s, a row of the table', (rateMBps, ofNew, ofOld) => {
    expect([figures({ rateMBps }, 'new'), figures({ rateMBps }, 'old')]).toEqual([ofNew, ofOld]);
  });

  it('of a mode with ambe are those of 550 MB/s, if there is a rate at all', () => {
    expect(select({ mode: 'tpc_ambe_linked', rateMBps: 20 })).toEqual({
      cores: 10,
      maxMessages: 12,
      timeoutSeconds: 2400,
      recordsCompressor: 'lz4',
      reasons: [
        "Resources of the 'new' table for 550 MB/s, which the mode 'tpc_ambe_linked' is always given.",
      ],
    });
    expect(figures({ mode: 'tpc_ambe_linked', rateMBps: null })).toBe('8 10 1000');
    expect(figures({ mode: 'tpc_ambe_linked', rateMBps: 0 })).toBe('8 10 1000');
  });

  it('say where they come from', () => {
    expect(select({}).reasons).toEqual(['Default resources: the data rate is not known.']);
    expect(select({ rateMBps: 90, failures: 1 }).reasons).toEqual([
      "Resources of the 'new' table for 90 MB/s.",
      'Fewer cores and messages and a longer timeout after one failure.',
    ]);
    expect(select({ failures: 3 }).reasons[1]).toMatch(/after 3 failures/);
    expect(select({ rateMBps: 90 }, 'huge')).toMatchObject({
      cores: 8,
      reasons: ["Default resources: there is no resource table 'huge'."],
    });
    expect(select({ rateMBps: 90 }, 'none', { ...RULES, tables: { none: [] } }).cores).toBe(8);
  });

  it('do not depend on the order of the table, and hold with a single row', () => {
    const rows = [...(RULES.tables.new ?? [])].reverse();
    const one = [{ rateMBps: 100, cores: 3, maxMessages: 4, timeoutSeconds: 700 }];
    const rules = { ...RULES, tables: { reversed: rows, one } };
    expect(select({ rateMBps: 80 }, 'reversed', rules)).toMatchObject({
      cores: 24,
      maxMessages: 47,
      timeoutSeconds: 1225,
    });
    for (const rateMBps of [1, 100, 900]) {
      expect(select({ rateMBps }, 'one', rules)).toMatchObject({
        cores: 3,
        maxMessages: 4,
        timeoutSeconds: 700,
      });
    }
  });

  it('have the default timeout where the table says nothing of it', () => {
    const row = { cores: 3, maxMessages: 4, timeoutSeconds: null };
    const silent = [
      { rateMBps: 100, ...row },
      { rateMBps: 200, ...row },
    ];
    const some = [...silent, { rateMBps: 300, ...row, timeoutSeconds: 800 }];
    const rules = { ...RULES, tables: { silent, some } };
    expect(select({ rateMBps: 150 }, 'silent', rules)).toMatchObject({
      cores: 3,
      maxMessages: 4,
      timeoutSeconds: 1000,
    });
    expect(select({ rateMBps: 150 }, 'some', rules).timeoutSeconds).toBe(800);
  });

  it('stay within limits however many failures a document claims', () => {
    expect(figures({ rateMBps: 0.5, failures: 2 ** 50 })).toBe('4 4 3600');
    const rules = { ...RULES, fallback: { cores: 90, maxMessages: 900, timeoutSeconds: 10 } };
    expect(select({ failures: 1 }, 'new', rules)).toMatchObject({
      cores: 40,
      maxMessages: 100,
      timeoutSeconds: 500,
    });
  });
});

describe('after a failure for want of memory', () => {
  it.each<[rateMBps: number | null, failures: number, memoryFailures: number, expected: string]>([
    [0.5, 1, 0, '21 54 1320'],
    [0.5, 1, 1, '10 27 1320'],
    [0.5, 2, 2, '4 12 1452'],
    [0.5, 5, 1, '7 18 1932'],
    [0.5, 5, 5, '1 4 1932'],
    [525, 1, 1, '5 5 2570'],
    [525, 2, 2, '2 4 2827'],
    [null, 1, 1, '3 4 1100'],
    [null, 9, 9, '1 4 2357'],
  ])(
    '%s MB/s, %i failures, %i of them for memory: %s',
    (rateMBps, failures, memoryFailures, expected) => {
      expect(figures({ rateMBps, failures, memoryFailures })).toBe(expected);
    },
  );

  it('there are never more cores or messages than without it', () => {
    const rules = { ...RULES, fallback: { cores: 1, maxMessages: 3, timeoutSeconds: 1000 } };
    const clips = { ...rules.clips, cores: { min: 1, max: 40 }, maxMessages: { min: 1, max: 9 } };
    for (const each of [rules, { ...rules, clips }]) {
      const without = select({ failures: 1 }, 'new', each);
      const after = select({ failures: 1, memoryFailures: 1 }, 'new', each);
      expect(after.cores).toBeLessThanOrEqual(without.cores);
      expect(after.maxMessages).toBeLessThanOrEqual(without.maxMessages);
      expect(after.cores).toBeGreaterThanOrEqual(1);
      expect(after.maxMessages).toBeGreaterThanOrEqual(1);
    }
  });

  it('the factor is a site’s choice, and the reason is given', () => {
    const rules = { ...RULES, memoryFailureFactor: 4 };
    const { cores, maxMessages, reasons } = select(
      { rateMBps: 0.5, failures: 1, memoryFailures: 1 },
      'new',
      rules,
    );
    expect([cores, maxMessages]).toEqual([5, 13]);
    expect(reasons.at(-1)).toBe('Only 5 cores and 13 messages, because it ran out of memory.');
    expect(select({ failures: 3, memoryFailures: 2 }).reasons.at(-1)).toMatch(
      /because 2 times it ran out of memory\.$/,
    );
    expect(select({ failures: 3 }).reasons.join(' ')).not.toContain('memory');
  });
});

describe('the compressor of records', () => {
  it.each<[string, Partial<ResourceFacts>]>([
    ['zstd', { rateMBps: null }],
    ['zstd', { rateMBps: 64.9 }],
    ['zstd', { rateMBps: 64.9, chunkSeconds: 500 }],
    ['lz4', { rateMBps: 65, chunkSeconds: 500 }],
    ['zstd', { rateMBps: 300 }],
    ['zstd', { rateMBps: 1800 / 5.5 }],
    ['lz4', { rateMBps: 328 }],
    ['zstd', { rateMBps: 328, overlapSeconds: 0 }],
    ['zstd', { rateMBps: 900, failures: 1 }],
    ['lz4', { rateMBps: 1, failures: 2 }],
    ['lz4', { rateMBps: null, failures: 9 }],
    ['lz4', { mode: 'ambe', rateMBps: 1 }],
  ])('%s for %j', (expected, facts) => {
    expect(select(facts).recordsCompressor).toBe(expected);
  });
});

describe('resources that somebody has settled', () => {
  const settled = {
    ...RULES,
    byRate: false,
    fallback: { cores: 5, maxMessages: 7, timeoutSeconds: 900 },
  };
  const text = (changes: Partial<ResourceFacts>, rules: typeof RULES) => {
    const chosen = select(changes, 'new', rules);
    return `${chosen.cores} ${chosen.maxMessages} ${chosen.timeoutSeconds} ${chosen.recordsCompressor}`;
  };

  // Reference, sections 6.2 and 6.4: the rate still decides on the compressor.
  it.each([
    ['tpc_bkg', null, '5 7 900 zstd'],
    ['tpc_bkg', 30, '5 7 900 zstd'],
    ['tpc_bkg', 500, '5 7 900 lz4'],
    ['tpc_ambe', 100, '5 7 900 zstd'],
  ])('do not follow the rate: %s at %s MB/s', (mode, rateMBps, expected) => {
    expect(text({ mode, rateMBps }, settled)).toBe(expected);
  });

  it.each([
    [0, '24 60 1200 zstd'],
    [1, '24 60 1200 zstd'],
    [9, '24 60 1200 zstd'],
  ])('are not lowered by %i failures', (failures, expected) => {
    const facts = { rateMBps: 10, failures, memoryFailures: failures };
    expect(text(facts, { ...RULES, fixed: true })).toBe(expected);
  });
});
