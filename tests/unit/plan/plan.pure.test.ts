import { describe, expect, it } from 'vitest';

import { planSchema } from '../../../src/attempt/attempt.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import {
  decidePlan,
  makePlan,
  type PlanInputs,
  planLine,
  resolveLiveDirectory,
} from '../../../src/plan/plan.pure.ts';
import { at, parsed, run } from '../run/documents.ts';

const INPUTS: PlanInputs = {
  rules: defaultRules,
  hostTable: 'new',
  shedding: 'reference',
  graph: null,
  culprits: [],
  memoryFailures: 0,
  hostTargets: null,
  rateMBps: null,
  attempt: '0123456789abcdef01234567',
  runDocument: '65f000000000000000000052',
  host: 'eb3.xenon.local',
  context: 'straxen.contexts:xenonnt_online',
  contextOptions: { a: 1 },
  processor: 'threaded_mailbox',
  liveDataRoots: ['/live_data'],
  outputDirectory: '/data/pre_processed',
  stagingDirectory: '/data/pre_processed.staging',
};

describe('a plan', () => {
  it('holds all that an attempt is told', () => {
    const made = makePlan(
      run({
        number: 52,
        bootstrax: { state: 'failed', n_failures: 3, next_retry: at(-1) },
        start: new Date('2026-03-01T11:00:00.250Z'),
        rate: { tpc: { max: 90 } },
        daq_config: {
          processing_threads: { reader0: 3 },
          compressor: 'bz2',
          strax_fragment_payload_bytes: 221,
          strax_chunk_length: 2.5,
          strax_chunk_overlap: 0.25,
        },
        data: [{ type: 'live', host: 'daq', location: '/live_data//xenonnt/./' }],
      }),
      INPUTS,
    );
    expect(made).toEqual({
      kind: 'plan',
      wanted: ['event_info', 'online_peak_monitor', 'veto_proximity', 'veto_intervals'],
      plan: {
        version: 1,
        attempt: '0123456789abcdef01234567',
        runDocument: '65f000000000000000000052',
        run: 52,
        runId: '000052',
        host: 'eb3.xenon.local',
        context: 'straxen.contexts:xenonnt_online',
        contextOptions: { a: 1 },
        targets: ['online_peak_monitor', 'veto_proximity'],
        postProcessing: ['veto_intervals'],
        processor: 'threaded_mailbox',
        cores: 18,
        maxMessages: 26,
        timeoutSeconds: 1663,
        recordsCompressor: 'lz4',
        runConfig: {
          readout_threads: { reader0: 3 },
          daq_chunk_duration: 2_500_000_000,
          daq_overlap_chunk_duration: 250_000_000,
          record_length: 110,
          daq_compressor: 'bz2',
          run_start_time: 1772362800.25,
          daq_input_dir: '/live_data/xenonnt/000052',
          check_raw_record_overlaps: true,
        },
        liveDataDirectory: '/live_data/xenonnt/000052',
        outputDirectory: '/data/pre_processed',
        place: '/data/pre_processed.staging/0123456789abcdef01234567',
        failures: 3,
        dropped: ['event_info'],
        orphanLimitSeconds: 900,
        reasons: [
          'Targets of the configuration.',
          'Dropped after 3 failures: event_info.',
          "Resources of the 'new' table for 90 MB/s.",
          'Fewer cores and messages and a longer timeout after 3 failures.',
        ],
      },
    });
    expect(made.kind === 'plan' && planSchema.parse(made.plan)).toBeTruthy();
  });

  it('has whole nanoseconds of chunk settings that are no whole numbers', () => {
    const daq_config = { processing_threads: { r: 1 }, strax_chunk_length: 0.1 + 0.2 };
    const made = makePlan(run({ daq_config }), INPUTS);
    expect(made).toMatchObject({ plan: { runConfig: { daq_chunk_duration: 300_000_000 } } });
  });

  it("uses the document's rate before that of the DAQ's status", () => {
    expect(decidePlan(run(), { ...INPUTS, rateMBps: 400 })).toMatchObject({
      cores: 15,
      maxMessages: 18,
    });
    const rated = run({ rate: { tpc: { max: 80 } } });
    expect(decidePlan(rated, { ...INPUTS, rateMBps: 400 })).toMatchObject({ maxMessages: 47 });
    expect(decidePlan(run(), INPUTS)).toMatchObject({ cores: 8, maxMessages: 10 });
  });

  it('uses the chunk settings of the document for the compressor', () => {
    const daq_config = { processing_threads: { r: 1 }, strax_chunk_length: 20 };
    expect(decidePlan(run({ daq_config }), { ...INPUTS, rateMBps: 100 })).toMatchObject({
      recordsCompressor: 'lz4',
    });
  });

  const small = {
    version: 1 as const,
    context: 'small',
    types: { raw_records: { plugin: 'R', dependsOn: [], saved: 'always' as const } },
  };

  it('is not made of what cannot be made', () => {
    expect(makePlan(run({ mode: 'pmtap' }), { ...INPUTS, graph: small })).toMatchObject({
      kind: 'malformed',
      problems: [{ field: 'mode' }],
    });
    expect(makePlan(run(), { ...INPUTS, graph: small }).kind).toBe('host_problem');
    expect(makePlan(run(), { ...INPUTS, liveDataRoots: ['/elsewhere'] }).kind).toBe('host_problem');
  });

  it('passes culprits, shedding and the targets of the host on', () => {
    const graph = {
      ...small,
      types: {
        ...small.types,
        low: { plugin: 'L', dependsOn: ['raw_records'], saved: 'always' as const },
        high: { plugin: 'H', dependsOn: ['low'], saved: 'always' as const },
      },
    };
    const rules = {
      ...defaultRules,
      targets: { ...defaultRules.targets, default: ['high'], postProcessing: ['raw_records'] },
    };
    const failed = run({ bootstrax: { state: 'failed', n_failures: 1 } });
    const graded = { ...INPUTS, rules, graph, shedding: 'graded' as const };
    expect(decidePlan(failed, graded)).toMatchObject({
      targets: ['low'],
      wanted: ['high', 'raw_records'],
    });
    expect(
      decidePlan(failed, { ...graded, culprits: [{ type: 'low', failures: 1 }] }),
    ).toMatchObject({ targets: ['raw_records'] });
    expect(decidePlan(failed, { ...graded, shedding: 'reference' })).toMatchObject({
      targets: ['high'],
    });
    const hostTargets = { targets: ['low'], postProcessing: ['high'] };
    expect(decidePlan(run({ mode: 'ambe' }), { ...graded, hostTargets })).toMatchObject({
      targets: ['low'],
      postProcessing: ['high'],
    });
  });

  it('leaves out no plugin for a failure that a person asked for', () => {
    const plan = (failures: number, asked: number[], more: Partial<PlanInputs> = {}) => {
      const bootstrax = { state: 'failed', n_failures: failures, asked_failures: asked };
      return decidePlan(run({ bootstrax }), { ...INPUTS, shedding: 'reference', ...more });
    };
    for (let failures = 1; failures <= 9; failures++) {
      const all = Array.from({ length: failures }, (_, index) => index + 1);
      expect(plan(failures, all)).toEqual(plan(0, []));
      expect(plan(failures, all.slice(1))).toEqual(plan(1, []));
    }
    // Numbers beyond the count are of an earlier one.
    expect(plan(2, [5, 7])).toEqual(plan(2, []));
  });

  describe('line', () => {
    it('has the contract’s fields', () => {
      expect(planLine(parsed({ number: 9 }), INPUTS, null)).toEqual({
        run: 9,
        targets: ['event_info', 'online_peak_monitor', 'veto_proximity'],
        postProcessing: ['veto_intervals'],
        cores: 8,
        maxMessages: 10,
        timeoutSeconds: 1000,
        recordsCompressor: 'zstd',
        reasons: [
          'Targets of the configuration.',
          'Default resources: the data rate is not known.',
        ],
      });
    });

    it('counts failures as told, or as the document says', () => {
      const failed = parsed({ bootstrax: { state: 'failed', n_failures: 3 } });
      expect(planLine(failed, INPUTS, null)).toMatchObject({
        targets: ['online_peak_monitor', 'veto_proximity'],
      });
      expect(planLine(failed, INPUTS, 5)).toMatchObject({ targets: ['raw_records'] });
      expect(planLine(failed, INPUTS, 0)).toMatchObject({
        postProcessing: ['veto_intervals'],
        cores: 8,
      });
    });

    it('names what is malformed', () => {
      expect(planLine(parsed({ number: 9, detectors: null }), INPUTS, null)).toEqual({
        run: 9,
        malformed: [{ field: 'detectors', problem: 'is absent' }],
      });
      expect(planLine(parsed({ number: null }), INPUTS, null)).toMatchObject({ run: null });
      expect(
        planLine(parsed({ number: 9, mode: 'pmtap' }), { ...INPUTS, graph: small }, null),
      ).toMatchObject({ run: 9, malformed: [{ field: 'mode' }] });
      expect(planLine(parsed({ number: 9 }), { ...INPUTS, graph: small }, null)).toMatchObject({
        run: 9,
        malformed: [
          { field: '(configuration)', problem: expect.stringContaining('event_info') as string },
        ],
      });
    });
  });
});

describe('the directory of live data', () => {
  const located = (location: string) =>
    run({ number: 7, data: [{ type: 'live', host: 'daq', location }] });
  it.each([
    ['/live_data/xenonnt', ['/live_data/xenonnt'], '/live_data/xenonnt/000007'],
    ['/live_data/xenonnt/', ['/live_data/xenonnt/'], '/live_data/xenonnt/000007'],
    ['/live_data/xenonnt', ['/other', '/live_data'], '/live_data/xenonnt/000007'],
    ['/live_data', ['/'], '/live_data/000007'],
    ['/', ['/'], '/000007'],
  ])('%s below %j', (location, roots, path) => {
    expect(resolveLiveDirectory(located(location), roots)).toEqual({ kind: 'directory', path });
  });

  it.each([
    ['/live_data2', ['/live_data']],
    ['/live', ['/live/data']],
    ['/etc', ['/live_data', '/other']],
    ['/live_data', []],
  ])('%s is not below %j', (location, roots) => {
    const refused = resolveLiveDirectory(located(location), roots);
    expect(refused.kind).toBe('host_problem');
    expect('reason' in refused && refused.reason).toContain(`run 7 names ${location}`);
    expect('reason' in refused && refused.reason).toContain(
      roots.length > 0 ? `in ${roots.join(', ')}.` : 'in nowhere.',
    );
  });

  it('never leaves its root, even if a path was not checked before', () => {
    const tampered = { ...located('/live_data'), liveLocation: '/live_data/../etc' };
    expect(resolveLiveDirectory(tampered, ['/live_data']).kind).toBe('host_problem');
  });

  it('is none once the live data is deleted: the run’s problem', () => {
    const deleted = { ...located('/live_data'), liveLocation: null };
    expect(resolveLiveDirectory(deleted, ['/live_data'])).toEqual({
      kind: 'run_problem',
      reason: 'Run 7 has no live data: its document has no live entry.',
    });
  });
});

describe('live data that cannot be read', () => {
  const salvage = (failures: number, changes: Partial<PlanInputs> = {}, mode = 'background') => {
    const made = makePlan(
      run({ mode, bootstrax: { state: 'failed', n_failures: failures, next_retry: at(-1) } }),
      { ...INPUTS, ...changes },
    );
    return made.kind === 'plan' ? made.plan.salvage : made;
  };

  it.each<[failures: number, what: true | undefined]>([
    [0, undefined],
    [7, undefined],
    [8, true],
    [9, true],
  ])('after %s failures: left out is %s', (failures, expected) => {
    expect(salvage(failures)).toBe(expected);
    // A run of which only raw records are wanted is tried as often as any other.
    expect(salvage(failures, {}, 'noise')).toBe(expected);
  });

  it('is never left out beneath data that is more than raw records', () => {
    const fixed = { ...defaultRules.targets, fixed: true, default: ['peaklets'] };
    expect(salvage(9, { rules: { ...defaultRules, targets: fixed } })).toBeUndefined();
  });
});
