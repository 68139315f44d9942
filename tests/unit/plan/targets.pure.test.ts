import { describe, expect, it } from 'vitest';

import type { PluginGraph } from '../../../src/attempt/attempt.pure.ts';
import { defaultRules, type TargetRules } from '../../../src/infra/config/rules.pure.ts';
import { dropped, matches, suitsDetectors } from '../../../src/infra/config/type-names.pure.ts';
import {
  selectTargets,
  type TargetInputs,
  unknownDefaultTargets,
} from '../../../src/plan/targets.pure.ts';
import straxenGraph from './straxen-graph.json' with { type: 'json' };

const RULES = defaultRules.targets;

function inputs(changes: Partial<TargetInputs> = {}): TargetInputs {
  return {
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    failures: 0,
    shedding: 'reference',
    graph: null,
    culprits: [],
    hostTargets: null,
    ...changes,
  };
}

function lists(changes: Partial<TargetInputs>, rules: TargetRules = RULES): [string, string] {
  const selection = selectTargets(inputs(changes), rules);
  if (selection.kind !== 'targets') throw new Error(JSON.stringify(selection));
  return [selection.targets.join(' '), selection.postProcessing.join(' ')];
}

describe('patterns', () => {
  it.each([
    ['event_info', 'event*', true],
    ['an_event', 'event*', false],
    ['Event', 'event*', false],
    ['peak_positions', '*pos*', true],
    ['online_monitor_nv', 'online_monitor_*v', true],
    ['online_monitor_nvx', 'online_monitor_*v', false],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
    ['ab', 'a?b', false],
    ['axb', 'a?b', true],
    ['a1', 'a[123]', true],
    ['a4', 'a[123]', false],
    ['a4', 'a[!123]', true],
    ['a1', 'a[!123]', false],
    ['a^', 'a[^1]', true],
    ['a2', 'a[^1]', false],
    ['a[', 'a[', true],
    ['a+b', 'a+b', true],
    ['anything\nat all', '*', true],
  ])('%j against %j: %j', (name, pattern, expected) => {
    expect(matches(name, pattern)).toBe(expected);
  });
});

it('a pattern takes and leaves what it should at once', () => {
  const fitting = (pattern: string, ...names: string[]) =>
    names.filter((name) => matches(name, pattern));
  expect(fitting('one?', 'one', 'one?', 'ones', 'onest', 'one.')).toEqual(['one?', 'ones', 'one.']);
  expect(fitting('two[ab]', 'two', 'twoa', 'twob', 'twoc', 'two[ab]')).toEqual(['twoa', 'twob']);
  expect(fitting('six[!ab]', 'sixa', 'sixc', 'six!', 'six')).toEqual(['sixc', 'six!']);
  expect(fitting('ten[!^\\\\]', 'ten^', 'ten\\', 'tenx')).toEqual(['tenx']);
  expect(fitting('($|^)', '($|^)', '', '$')).toEqual(['($|^)']);
});

describe("the reference's table", () => {
  it.each([
    ['event_info', 3],
    ['event_info_double', 3],
    ['events_nv', 3],
    ['corrected_areas', 3],
    ['energy_estimates', 3],
    ['distinct_channels', 3],
    ['peak_positions', 4],
    ['individual_peak_monitor', 4],
    ['online_monitor_nv', 4],
    ['peak_basics', 5],
    ['online_peak_monitor', 5],
    ['hitlets_nv', 5],
    ['lone_hits', 5],
    ['veto_proximity', 5],
    ['veto_intervals', 5],
    ['pulse_counts', 5],
    ['led_calibration', 5],
    ['ext_timings_nv', 5],
    ['merged_s2s', 6],
    ['peaklets', 7],
    ['peaklet_classification', 7],
    ['lone_records', 7],
    ['detector_time_offsets', 7],
    ['ref_mon_nv', 8],
    ['records', 8],
    ['raw_records', 8],
  ])('drops %s first after %i failures', (type, failures) => {
    expect(dropped(type, failures - 1, RULES.ladder)).toBe(false);
    expect(dropped(type, failures, RULES.ladder)).toBe(true);
  });
});

describe('detectors', () => {
  it.each([
    ['event_info', ['tpc'], true],
    ['event_info', ['neutron_veto'], false],
    ['events_nv', ['tpc', 'neutron_veto'], true],
    ['events_nv', ['tpc', 'muon_veto'], false],
    ['events_mv', ['muon_veto'], true],
    ['events_mv', ['neutron_veto'], false],
    ['event_info', [], false],
  ])('%s for %j: %j', (type, detectors, expected) => {
    expect(suitsDetectors(type, detectors, RULES.detectors)).toBe(expected);
  });

  it('are those of the experiment', () => {
    const rows = [{ pattern: 'crystal_*', detector: 'crystal' }];
    expect(suitsDetectors('crystal_hits', ['crystal'], rows)).toBe(true);
    expect(suitsDetectors('crystal_hits', ['paddles'], rows)).toBe(false);
    // What no row names is made for every run.
    expect(suitsDetectors('weather', ['paddles'], rows)).toBe(true);
  });
});

describe('reference shedding', () => {
  const TPC = 'event_info online_peak_monitor veto_proximity';
  const MIDDLE = 'online_peak_monitor veto_proximity';
  const NV = ['neutron_veto'];
  const MV = ['muon_veto'];
  const BOTH = ['neutron_veto', 'muon_veto'];
  const FULL = 'event_info events_nv events_mv online_peak_monitor veto_proximity';
  it.each<
    [
      mode: string,
      detectors: string[],
      zero: [string, string],
      three: [string, string],
      five: [string, string],
    ]
  >([
    [
      'tpc_bkg',
      ['tpc'],
      [TPC, 'veto_intervals'],
      [MIDDLE, 'veto_intervals'],
      ['raw_records', 'raw_records'],
    ],
    [
      'tpc_bkg',
      ['tpc', ...NV],
      ['event_info events_nv online_peak_monitor veto_proximity', 'veto_intervals'],
      [MIDDLE, 'veto_intervals'],
      ['raw_records', 'raw_records'],
    ],
    [
      'tpc_bkg',
      ['tpc', ...MV],
      ['event_info events_mv online_peak_monitor veto_proximity', 'veto_intervals'],
      [MIDDLE, 'veto_intervals'],
      ['raw_records', 'raw_records'],
    ],
    [
      'x',
      ['tpc', ...BOTH],
      [FULL, 'veto_intervals'],
      [MIDDLE, 'veto_intervals'],
      ['raw_records', 'raw_records'],
    ],
    [
      'x',
      NV,
      ['events_nv', 'raw_records'],
      ['raw_records', 'raw_records'],
      ['raw_records', 'raw_records'],
    ],
    [
      'x',
      MV,
      ['events_mv', 'raw_records'],
      ['raw_records', 'raw_records'],
      ['raw_records', 'raw_records'],
    ],
    [
      'x',
      BOTH,
      ['events_nv events_mv', 'raw_records'],
      ['raw_records', 'raw_records'],
      ['raw_records', 'raw_records'],
    ],
    [
      'x',
      [],
      ['raw_records', 'raw_records'],
      ['raw_records', 'raw_records'],
      ['raw_records', 'raw_records'],
    ],
    [
      'tpc_kr83m',
      ['tpc'],
      [`${TPC} event_info_double`, 'veto_intervals'],
      [MIDDLE, 'veto_intervals'],
      ['raw_records', 'raw_records'],
    ],
    ...(
      [
        ['tpc_pmtgain', ['tpc'], 'led_calibration'],
        ['tpc_pmtap', ['tpc'], 'afterpulses'],
        ['tpc_pmtgain', NV, 'raw_records'],
        ['nVeto_LASER_calibration', NV, 'ref_mon_nv'],
        ['nVeto_LASER_calibration', ['tpc'], 'raw_records'],
        ['tpc_exttrig', ['tpc'], 'raw_records'],
        ['tpc_noise', ['tpc'], 'raw_records'],
        ['mv_diffuserballs', MV, 'raw_records'],
        ['mv_fibres', MV, 'raw_records'],
        ['mv_darkrate', MV, 'raw_records'],
      ] as [string, string[], string][]
    ).map(
      ([mode, detectors, target]): [
        string,
        string[],
        [string, string],
        [string, string],
        [string, string],
      ] => [
        mode,
        detectors,
        [target, 'raw_records'],
        [target, 'raw_records'],
        [target, 'raw_records'],
      ],
    ),
  ])('%s %j', (...[mode, detectors, zero, three, five]) => {
    const rungs = Array.from({ length: 10 }, (_, failures) => lists({ mode, detectors, failures }));
    expect(rungs).toEqual([zero, zero, zero, three, three, five, five, five, five, five]);
  });

  it('takes the first rule that fits the mode', () => {
    expect(lists({ mode: 'kr83m_noise' })).toEqual(['raw_records', 'raw_records']);
    expect(lists({ mode: 'noise_pmtgain' })).toEqual(['led_calibration', 'raw_records']);
  });

  it("takes the host's targets for AmBe, whatever failed, and the default where there are none", () => {
    const hostTargets = { targets: ['peak_basics', 'hits_nv'], postProcessing: ['event_info'] };
    for (const failures of [0, 5]) {
      expect(lists({ mode: 'ambe_linked', hostTargets, failures })).toEqual([
        'peak_basics',
        'event_info',
      ]);
    }
    expect(lists({ mode: 'ambe_linked' })[0]).toBe(TPC);
    expect(lists({ mode: 'tpc_bkg', hostTargets })[0]).toBe(TPC);
  });

  it('appends for kr83m also if event_info is post-processed, and never twice', () => {
    const rules = { ...RULES, default: ['peaklets'], postProcessing: ['event_info'] };
    expect(lists({ mode: 'kr83m' }, rules)).toEqual(['peaklets event_info_double', 'event_info']);
    expect(lists({ mode: 'kr83m' }, { ...RULES, default: ['peaklets'] })[0]).toBe('peaklets');
    const both = { ...RULES, default: ['event_info', 'event_info_double'] };
    expect(lists({ mode: 'kr83m' }, both)[0]).toBe('event_info event_info_double');
  });

  it('says what was wanted, what is left out, and why', () => {
    expect(selectTargets(inputs({ failures: 3 }), RULES)).toEqual({
      kind: 'targets',
      targets: ['online_peak_monitor', 'veto_proximity'],
      postProcessing: ['veto_intervals'],
      wanted: ['event_info', 'online_peak_monitor', 'veto_proximity', 'veto_intervals'],
      dropped: ['event_info'],
      reasons: ['Targets of the configuration.', 'Dropped after 3 failures: event_info.'],
    });
    expect(selectTargets(inputs({ mode: 'tpc_kr83m', failures: 5 }), RULES)).toMatchObject({
      dropped: [
        'event_info',
        'online_peak_monitor',
        'veto_proximity',
        'event_info_double',
        'veto_intervals',
      ],
      reasons: [
        "Targets of modes with 'kr83m'.",
        'Dropped after 5 failures: event_info, online_peak_monitor, veto_proximity, ' +
          'event_info_double, veto_intervals.',
        'Made instead: raw_records.',
      ],
    });
    expect(selectTargets(inputs({ failures: 1, mode: 'pmtgain' }), RULES)).toMatchObject({
      dropped: [],
      reasons: ["Targets of modes with 'pmtgain'."],
    });
    expect(selectTargets(inputs({ failures: 1 }), { ...RULES, ladder: ONE_RUNG })).toMatchObject({
      reasons: [
        'Targets of the configuration.',
        'Dropped after 1 failure: event_info, veto_intervals.',
        'Made instead: raw_records.',
      ],
    });
  });

  it('names the culprits of the failures so far', () => {
    const graph = straxenGraph as unknown as PluginGraph;
    const culprits = [
      { type: 'peaklets', failures: 2 },
      { type: 'merged_s2s', failures: 1 },
      { type: 'peaklets', failures: 1 },
      { type: 'records', failures: 3 },
    ];
    const reasonsAfter = (failures: number, told = culprits) => {
      const graded = inputs({ shedding: 'graded', graph, failures, culprits: told });
      const selection = selectTargets(graded, RULES);
      return selection.kind === 'targets' ? selection.reasons : [];
    };
    const named = (names: string) =>
      `Failed before, so dropped with all that depends on it: ${names}.`;
    expect(reasonsAfter(2)[1]).toBe(named('merged_s2s, peaklets'));
    expect(reasonsAfter(1, culprits.slice(0, 2))[1]).toBe(named('merged_s2s'));
    expect(reasonsAfter(3, []).slice(1)).toEqual([
      'Dropped after 3 failures: event_info, online_peak_monitor, veto_proximity.',
      'Made instead: peak_basics, peak_positions_cnf.',
    ]);
    expect(reasonsAfter(0)).toEqual(['Targets of the configuration.']);
    for (const none of [reasonsAfter(1, []), reasonsAfter(1, culprits.slice(3))]) {
      expect(none.join(' ')).not.toContain('Failed before');
    }
  });
});

const ONE_RUNG = [
  { pattern: 'event_info', failures: 0 },
  { pattern: 'veto_intervals', failures: 0 },
];

describe('targets that cannot be made', () => {
  const graph = straxenGraph as unknown as PluginGraph;
  const small: PluginGraph = {
    version: 1,
    context: 'small',
    types: { raw_records: { plugin: 'Reader', dependsOn: [], saved: 'always' } },
  };

  it("are the document's fault if its mode asks for them", () => {
    expect(selectTargets(inputs({ mode: 'tpc_pmtgain', graph: small }), RULES)).toEqual({
      kind: 'malformed',
      problems: [
        {
          field: 'mode',
          problem:
            "'tpc_pmtgain' asks for 'led_calibration', which the context 'small' does not make",
        },
      ],
    });
    const hostTargets = { targets: ['raw_records', 'raw_records'], postProcessing: [] };
    expect(selectTargets(inputs({ mode: 'ambe', hostTargets }), RULES)).toMatchObject({
      kind: 'malformed',
      problems: [{ field: 'mode', problem: "'ambe' asks for 'raw_records' twice" }],
    });
    const post = { targets: ['raw_records'], postProcessing: ['a', 'a'] };
    expect(selectTargets(inputs({ mode: 'ambe', hostTargets: post }), RULES)).toMatchObject({
      kind: 'malformed',
    });
  });

  it('are the host’s fault if the configuration asks for them', () => {
    expect(selectTargets(inputs({ graph: small }), RULES)).toEqual({
      kind: 'host_problem',
      reason:
        "The configuration of targets asks for 'event_info', which the context 'small' does not make.",
    });
    expect(
      selectTargets(inputs(), { ...RULES, default: ['raw_records', 'raw_records'] }),
    ).toMatchObject({ kind: 'host_problem', reason: expect.stringContaining('twice') as string });
    const named = { ...RULES, default: ['constructor'] };
    expect(selectTargets(inputs({ graph: small }), named).kind).toBe('host_problem');
  });

  it('do not matter where the run does not need them, nor in post-processing', () => {
    expect(selectTargets(inputs({ detectors: [], graph: small }), RULES).kind).toBe('targets');
    const rules = { ...RULES, default: ['raw_records'], postProcessing: ['unheard_of'] };
    expect(selectTargets(inputs({ graph: small }), rules).kind).toBe('targets');
  });

  it('are found before any run asks for them', () => {
    expect(unknownDefaultTargets(RULES, small)).toEqual(RULES.default);
    expect(unknownDefaultTargets(RULES, graph)).toEqual([]);
    expect(unknownDefaultTargets({ ...RULES, default: ['toString'] }, graph)).toEqual(['toString']);
  });
});

describe('fixed targets', () => {
  const fixed = { ...RULES, default: ['peaks', 'events_nv'], postProcessing: [], fixed: true };

  it.each([
    { mode: 'tpc_bkg', detectors: ['tpc'], failures: 0 },
    { mode: 'pmtgain', detectors: ['tpc'], failures: 0 },
    { mode: 'tpc_kr83m', detectors: [], failures: 9 },
    { mode: 'ambe', detectors: ['muon_veto'], failures: 3 },
  ])('stay as they are for $mode with $detectors after $failures failures', (changes) => {
    expect(lists(changes, fixed)).toEqual(['peaks events_nv', '']);
    expect(lists({ ...changes, shedding: 'graded' }, fixed)).toEqual(['peaks events_nv', '']);
  });

  it('that the context does not make are a fault of the configuration', () => {
    const graph = straxenGraph as PluginGraph;
    const rules = { ...fixed, default: ['nonsense'] };
    expect(selectTargets(inputs({ graph }), rules).kind).toBe('host_problem');
  });
});
