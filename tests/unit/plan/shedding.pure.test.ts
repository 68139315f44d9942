import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { PluginGraph } from '../../../src/attempt/attempt.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { dropped } from '../../../src/infra/config/type-names.pure.ts';
import { type Culprit, selectTargets, type TargetInputs } from '../../../src/plan/targets.pure.ts';
import straxenGraph from './straxen-graph.json' with { type: 'json' };

const RULES = defaultRules.targets;
const STRAXEN = straxenGraph as unknown as PluginGraph;

function inputs(changes: Partial<TargetInputs>): TargetInputs {
  return {
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    failures: 0,
    shedding: 'graded',
    graph: STRAXEN,
    culprits: [],
    hostTargets: null,
    ...changes,
  };
}

function select(changes: Partial<TargetInputs>, rules = RULES) {
  const selection = selectTargets(inputs(changes), rules);
  if (selection.kind !== 'targets') throw new Error(JSON.stringify(selection));
  return selection;
}

function rungs(changes: Partial<TargetInputs>, rules = RULES) {
  return Array.from({ length: 11 }, (_, failures) => select({ ...changes, failures }, rules));
}

/** The plugins that strax runs for some types: told anew here, by the plainest search. */
function pluginsFor(graph: PluginGraph, types: readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = [...types];
  for (let type = queue.pop(); type !== undefined; type = queue.pop()) {
    const plugin = graph.types[type]?.plugin;
    if (plugin === undefined || found.has(plugin)) continue;
    found.add(plugin);
    for (const other of Object.values(graph.types)) {
      if (other.plugin === plugin) queue.push(...other.dependsOn);
    }
  }
  return found;
}

function typesOf(graph: PluginGraph, plugins: ReadonlySet<string>): string[] {
  return Object.keys(graph.types).filter((type) => plugins.has(graph.types[type]?.plugin ?? ''));
}

const RAW = { targets: ['raw_records'], postProcessing: ['raw_records'] };

function isRawAlone(selection: { targets: string[]; postProcessing: string[] }): boolean {
  return (
    selection.targets.join() === 'raw_records' && selection.postProcessing.join() === 'raw_records'
  );
}

/** All that must hold of a ladder, whatever the graph. */
function checkLadder(graph: PluginGraph, changes: Partial<TargetInputs>, rules = RULES): void {
  const ladder = rungs({ graph, ...changes }, rules);
  const floor = pluginsFor(graph, ['raw_records']);
  const computed = ladder.map(({ targets, postProcessing }) =>
    pluginsFor(graph, [...targets, ...postProcessing]),
  );
  ladder.forEach((selection, rung) => {
    const { targets, postProcessing, wanted } = selection;
    const plugins = computed[rung] ?? new Set();
    expect(new Set(targets).size).toBe(targets.length);
    expect(new Set(postProcessing).size).toBe(postProcessing.length);
    expect(selection.dropped).toEqual(
      wanted.filter((type) => ![...targets, ...postProcessing].includes(type)),
    );
    if (rung >= 8) expect(selection).toMatchObject(RAW);
    if (rung === 0) return;
    const before = computed[rung - 1] ?? new Set();
    if (isRawAlone(selection)) {
      // Smaller than before, unless there was nothing but the reader before.
      const onlyReader = [...before].every((plugin) => floor.has(plugin));
      if (!onlyReader) expect(plugins.size).toBeLessThan(before.size);
      return;
    }
    expect(plugins.size).toBeLessThan(before.size);
    // Nothing comes back.
    expect([...plugins].filter((plugin) => !before.has(plugin) && !floor.has(plugin))).toEqual([]);
    expect(typesOf(graph, plugins).filter((type) => dropped(type, rung, rules.ladder))).toEqual([]);
    for (const culprit of changes.culprits ?? []) {
      if (culprit.failures > rung) continue;
      expect([...plugins]).not.toContain(graph.types[culprit.type]?.plugin);
    }
  });
}

const PREFIXES = [
  'event',
  'peak_',
  'peaklet',
  'merged_s2s',
  'online_peak',
  'pos',
  'free',
  'other',
  'lone_',
];

/** Graphs in which all rests on a reader of raw_records. */
const graphs = fc
  .array(
    fc.record({
      prefixes: fc.array(fc.tuple(fc.constantFrom(...PREFIXES), fc.constantFrom('', '', '_nv')), {
        minLength: 1,
        maxLength: 3,
      }),
      saved: fc.constantFrom('always', 'always', 'target', 'explicit', 'never'),
      below: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((plugins): PluginGraph => {
    const types: PluginGraph['types'] = {
      raw_records: { plugin: 'Reader', dependsOn: [], saved: 'always' },
      raw_records_nv: { plugin: 'Reader', dependsOn: [], saved: 'always' },
    };
    plugins.forEach(({ prefixes, saved, below }, i) => {
      const earlier = Object.keys(types);
      const dependsOn = [
        ...new Set(below.map((n) => earlier[n % earlier.length] ?? 'raw_records')),
      ];
      prefixes.forEach(([prefix, suffix], k) => {
        types[`${prefix}${i}_${k}${suffix}`] = { plugin: `Plugin${i}`, dependsOn, saved };
      });
    });
    return { version: 1, context: 'random', types };
  });

const cases = graphs.chain((graph) => {
  const all = Object.keys(graph.types);
  return fc.record({
    graph: fc.constant(graph),
    targets: fc.shuffledSubarray(all, { minLength: 1, maxLength: Math.min(6, all.length) }),
    postProcessing: fc.shuffledSubarray(all, { maxLength: Math.min(3, all.length) }),
    detectors: fc.subarray(['tpc', 'neutron_veto']),
    culprits: fc.array(
      fc.record({
        type: fc.constantFrom(...all, 'unknown'),
        failures: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 4 },
    ),
  });
});

describe('graded shedding', () => {
  it('of any graph: fewer plugins on each rung, nothing that the table drops, no culprit', () => {
    fc.assert(
      fc.property(cases, ({ graph, targets, postProcessing, detectors, culprits }) => {
        checkLadder(graph, { detectors, culprits }, { ...RULES, default: targets, postProcessing });
      }),
      { numRuns: 2000 },
    );
  });

  it('is the reference without failures', () => {
    fc.assert(
      fc.property(cases, ({ graph, targets, postProcessing, detectors, culprits }) => {
        const rules = { ...RULES, default: targets, postProcessing };
        const graded = select({ graph, detectors, culprits }, rules);
        expect(graded).toEqual(
          select({ graph, detectors, culprits, shedding: 'reference' }, rules),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('depends on nothing but what it is told: not on the order of the graph, nor on later culprits', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 9 }),
        ({ graph, targets, postProcessing, detectors, culprits }, failures) => {
          const rules = { ...RULES, default: targets, postProcessing };
          const types = Object.fromEntries(Object.entries(graph.types).reverse());
          const all = select({ graph, detectors, culprits, failures }, rules);
          const known: Culprit[] = culprits.filter((culprit) => culprit.failures <= failures);
          expect(
            select(
              { graph: { ...graph, types }, detectors, culprits: known.reverse(), failures },
              rules,
            ),
          ).toEqual(all);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each<[mode: string, detectors: string[]]>([
    ['tpc_bkg', ['tpc']],
    ['tpc_bkg', ['tpc', 'neutron_veto']],
    ['tpc_bkg', ['tpc', 'muon_veto']],
    ['tpc_bkg', ['tpc', 'neutron_veto', 'muon_veto']],
    ['tpc_bkg', ['neutron_veto']],
    ['tpc_bkg', ['muon_veto']],
    ['tpc_bkg', ['neutron_veto', 'muon_veto']],
    ['tpc_bkg', []],
    ['tpc_kr83m', ['tpc']],
    ['tpc_pmtgain', ['tpc']],
    ['tpc_pmtap', ['tpc']],
    ['nVeto_LASER_calibration', ['neutron_veto']],
    ['tpc_noise', ['tpc']],
  ])('of the real plugins: %s %j', (mode, detectors) => {
    const changes = { mode, detectors };
    checkLadder(STRAXEN, changes);
    for (const type of ['event_basics', 'peak_basics', 'peaklets', 'hitlets_nv', 'raw_records']) {
      checkLadder(STRAXEN, { ...changes, culprits: [{ type, failures: 2 }] });
    }
    const shown = rungs(changes).map(
      ({ targets, postProcessing }) => `${targets.join(' ')} | ${postProcessing.join(' ')}`,
    );
    expect(shown).toMatchSnapshot();
  });

  const chain: PluginGraph = {
    version: 1,
    context: 'chain',
    types: {
      raw_records: { plugin: 'Reader', dependsOn: [], saved: 'always' },
      raw_records_extra: { plugin: 'Reader', dependsOn: [], saved: 'always' },
      records: { plugin: 'Records', dependsOn: ['raw_records'], saved: 'target' },
      hidden: { plugin: 'Hidden', dependsOn: ['records'], saved: 'never' },
      low: { plugin: 'Low', dependsOn: ['hidden'], saved: 'always' },
      side: { plugin: 'Side', dependsOn: ['records'], saved: 'always' },
      side_nv: { plugin: 'SideNv', dependsOn: ['records'], saved: 'always' },
      middle: { plugin: 'Middle', dependsOn: ['low', 'side', 'side_nv'], saved: 'always' },
      middle_b: { plugin: 'Middle', dependsOn: ['low', 'side', 'side_nv'], saved: 'explicit' },
      top: { plugin: 'Top', dependsOn: ['middle', 'middle_b'], saved: 'always' },
    },
  };
  const chainRules = { ...RULES, default: ['top'], postProcessing: ['raw_records'] };
  const chainTargets = (failures: number, culprits: Culprit[] = [], detectors = ['tpc']) =>
    select({ graph: chain, failures, culprits, detectors }, chainRules).targets;

  it('asks for the types that a dropped one was made of', () => {
    expect(chainTargets(0)).toEqual(['top']);
    expect(chainTargets(1)).toEqual(['middle']);
    expect(chainTargets(2)).toEqual(['low', 'side']);
    expect(chainTargets(3)).toEqual(['side']);
    expect(chainTargets(4)).toEqual(['records']);
    expect(chainTargets(5)).toEqual(['raw_records']);
  });

  it('does not ask for what the detectors do not give, or strax does not store', () => {
    expect(chainTargets(2, [], ['tpc', 'neutron_veto'])).toEqual(['low', 'side', 'side_nv']);
    expect(chainTargets(1, [{ type: 'low', failures: 1 }])).toEqual(['side']);
    expect(chainTargets(1, [{ type: 'hidden', failures: 1 }])).toEqual(['side']);
    const onlyLow = { ...chainRules, default: ['low'] };
    expect(select({ graph: chain, failures: 1 }, onlyLow).targets).toEqual(['records']);
  });

  it('sheds only the culprit and what rests on it where one is named', () => {
    expect(chainTargets(1, [{ type: 'middle_b', failures: 1 }])).toEqual(['low', 'side']);
    expect(chainTargets(1, [{ type: 'records', failures: 1 }])).toEqual(['raw_records']);
    expect(chainTargets(1, [{ type: 'raw_records', failures: 1 }])).toEqual(['raw_records']);
    expect(chainTargets(1, [{ type: 'low', failures: 2 }])).toEqual(['middle']);
    expect(chainTargets(2, [{ type: 'low', failures: 2 }])).toEqual(['side']);
    expect(chainTargets(1, [{ type: 'unknown', failures: 1 }])).toEqual(['middle']);
  });

  it('sheds an eighth of the plugins where nothing is named, rounded up', () => {
    const types = Object.fromEntries(
      Array.from({ length: 17 }, (_, i) => [
        i === 0 ? 'raw_records' : `t${String(i).padStart(2, '0')}`,
        {
          plugin: `P${i}`,
          dependsOn:
            i === 0 ? [] : [i === 1 ? 'raw_records' : `t${String(i - 1).padStart(2, '0')}`],
          saved: 'always' as const,
        },
      ]),
    );
    const graph: PluginGraph = { version: 1, context: 'long', types };
    const rules = { ...RULES, default: ['t16'], postProcessing: ['raw_records'] };
    const shown = rungs({ graph }, rules).map(({ targets }) => targets.join(' '));
    expect(shown.slice(0, 9)).toEqual([
      't16',
      't13',
      't10',
      't07',
      't04',
      't01',
      'raw_records',
      'raw_records',
      'raw_records',
    ]);
  });

  it('keeps post-processing apart, and asks for nothing twice', () => {
    const rules = { ...RULES, default: ['top'], postProcessing: ['side'] };
    const second = select({ graph: chain, failures: 2 }, rules);
    expect(second).toMatchObject({ targets: ['low'], postProcessing: ['side'] });
    const lost = select(
      { graph: chain, failures: 1, culprits: [{ type: 'top', failures: 1 }] },
      { ...RULES, default: ['middle'], postProcessing: ['top'] },
    );
    expect(lost).toMatchObject({ targets: ['middle'], postProcessing: ['raw_records'] });
    const gone = select(
      { graph: chain, failures: 1, culprits: [{ type: 'low', failures: 1 }] },
      { ...RULES, default: ['low'], postProcessing: ['side'] },
    );
    expect(gone).toMatchObject({ targets: ['raw_records'], postProcessing: ['side'] });
  });

  it('says what it sheds and why', () => {
    const { reasons } = select({
      failures: 2,
      culprits: [
        { type: 'event_basics', failures: 1 },
        { type: 'peak_basics', failures: 3 },
      ],
    });
    expect(reasons[1]).toBe('Failed before, so dropped with all that depends on it: event_basics.');
    expect(reasons[2]).toMatch(/^Dropped after 2 failures: event_info, /);
    expect(reasons[3]).toMatch(/^Made instead: /);
    expect(select({ failures: 0 }).reasons).toEqual(['Targets of the configuration.']);
    expect(select({ failures: 1 }).reasons.join()).toContain('Dropped after 1 failure:');
  });

  it("falls back to the reference's lists without a graph, and says so", () => {
    const selection = select({ graph: null, failures: 3 });
    expect(selection.targets).toEqual(['online_peak_monitor', 'veto_proximity']);
    expect(selection.reasons).toContain(
      'Shed by the lists of the reference: the plugin graph of the context is not known.',
    );
    expect(select({ graph: null, failures: 0 }).reasons).toHaveLength(1);
  });

  it('makes raw records alone without walking, however many failures a document claims', () => {
    expect(select({ failures: 2 ** 50 })).toMatchObject(RAW);
    const rules = { ...RULES, rawRecordsAfter: 2 };
    expect(select({ failures: 1 }, rules).targets).not.toEqual(['raw_records']);
    expect(select({ failures: 2 }, rules)).toMatchObject(RAW);
  });

  it('comes to an end on a graph that goes round', () => {
    const graph: PluginGraph = {
      version: 1,
      context: 'round',
      types: {
        a: { plugin: 'A', dependsOn: ['b'], saved: 'always' },
        b: { plugin: 'B', dependsOn: ['a', 'nowhere'], saved: 'always' },
      },
    };
    const rules = { ...RULES, default: ['a'] };
    for (const failures of [1, 5, 8]) {
      expect(select({ graph, failures }, rules).targets.length).toBe(1);
    }
  });
});

describe('failures that fewer plugins would not mend', () => {
  const listsOf = ({
    targets,
    postProcessing,
  }: {
    targets: string[];
    postProcessing: string[];
  }) => ({
    targets,
    postProcessing,
  });
  const failureNumbers = fc.uniqueArray(fc.integer({ min: 1, max: 10 }));
  const someCulprits = fc.array(
    fc.record({
      type: fc.constantFrom(...Object.keys(STRAXEN.types)),
      failures: fc.integer({ min: 1, max: 10 }),
    }),
    { maxLength: 3 },
  );

  it('take no rung', () => {
    expect(listsOf(select({ failures: 3, futile: [1, 2, 3] }))).toEqual(listsOf(select({})));
    expect(listsOf(select({ failures: 3, futile: [2] }))).toEqual(listsOf(select({ failures: 2 })));
  });

  it('say so, and name no culprit', () => {
    const culprits = [{ type: 'peaklets', failures: 1 }];
    const selection = select({ failures: 1, futile: [1], culprits });
    expect(selection.dropped).toEqual([]);
    expect(selection.reasons.join(' ')).toMatch(/Fewer plugins would not prevent the failure/);
    expect(selection.reasons.join(' ')).not.toMatch(/peaklets/);
  });

  it('never keep a run from its last resort, and are nothing to the reference', () => {
    fc.assert(
      fc.property(failureNumbers, someCulprits, fc.nat(11), (futile, culprits, failures) => {
        const change = { failures, culprits, futile };
        if (failures >= RULES.rawRecordsAfter) expect(select(change)).toMatchObject(RAW);
        expect(select({ ...change, shedding: 'reference' })).toEqual(
          select({ failures, shedding: 'reference' }),
        );
        expect(select({ ...change, graph: null })).toEqual(
          select({ ...change, graph: null, futile: [] }),
        );
      }),
    );
  });

  it('hold the rung of the failure before, and what was shed never comes back', () => {
    fc.assert(
      fc.property(failureNumbers, someCulprits, fc.nat(6), (numbers, culprits, before) => {
        const futile = numbers.filter((number) => number <= before);
        const now = select({ failures: before, culprits, futile });
        const held = select({ failures: before + 1, culprits, futile: [...futile, before + 1] });
        expect(listsOf(held)).toEqual(listsOf(now));
        const next = select({ failures: before + 1, culprits, futile });
        const computed = pluginsFor(STRAXEN, [...now.targets, ...now.postProcessing]);
        for (const plugin of pluginsFor(STRAXEN, [...next.targets, ...next.postProcessing])) {
          expect(computed).toContain(plugin);
        }
      }),
    );
  });
});
