import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { hostTargetsOf } from '../../../src/plan/host-targets.pure.ts';
import { dependsOnHost } from '../../../src/plan/targets.pure.ts';

const HOST = 'eb3.xenon.local';
const LOW = { targets: ['raw_records', 'peaklets'], post_process: ['peaks'] };
const DOCUMENT = {
  name: 'bootstrax_config',
  ambe_modes: { eb3: 'low', eb4: 'default', eb5: null },
  modes_definitions: { low: LOW },
};

describe('the targets that operators set for a host', () => {
  it('are those of its mode', () => {
    expect(hostTargetsOf(DOCUMENT, HOST)).toEqual({
      kind: 'targets',
      hostTargets: { targets: LOW.targets, postProcessing: LOW.post_process },
    });
    const none = { ...DOCUMENT, modes_definitions: { low: { ...LOW, post_process: [] } } };
    expect(hostTargetsOf(none, HOST)).toMatchObject({ hostTargets: { postProcessing: [] } });
  });

  it.each([
    ['raw_records', 'peaks', ['raw_records'], ['peaks']],
    [['peaks'], 'raw_records', ['peaks'], ['raw_records']],
    [[], [], [], []],
  ])('may be text, as strax takes it, or none at all: %j, %j', (targets, post, ...expected) => {
    const definition = { targets, post_process: post };
    expect(hostTargetsOf({ ...DOCUMENT, modes_definitions: { low: definition } }, HOST)).toEqual({
      kind: 'targets',
      hostTargets: { targets: expected[0], postProcessing: expected[1] },
    });
  });

  it.each(['eb4.xenon.local', 'eb5.xenon.local', 'eb0.xenon.local', 'constructor'])(
    'are the usual ones for %s',
    (host) => {
      expect(hostTargetsOf(DOCUMENT, host)).toEqual({ kind: 'default' });
    },
  );

  it.each<[string, unknown]>([
    ['there is no such document', null],
    ['there is no such document', 'text'],
    ['ambe_modes is not an object', { ...DOCUMENT, ambe_modes: ['eb3'] }],
    ['ambe_modes is not an object', { modes_definitions: {} }],
    ['ambe_modes.eb3 is not a string', { ...DOCUMENT, ambe_modes: { eb3: 7 } }],
    ['modes_definitions is not an object', { ...DOCUMENT, modes_definitions: null }],
    ['modes_definitions.low is not an object', { ...DOCUMENT, modes_definitions: {} }],
    [
      'modes_definitions.toString is not an object',
      { ...DOCUMENT, ambe_modes: { eb3: 'toString' } },
    ],
    ...[undefined, null, '', [7], ['']].map((targets): [string, unknown] => [
      'modes_definitions.low.targets is not a list of data types',
      { ...DOCUMENT, modes_definitions: { low: { ...LOW, targets } } },
    ]),
    ...[undefined, {}, [null]].map((types): [string, unknown] => [
      'modes_definitions.low.post_process is not a list of data types',
      { ...DOCUMENT, modes_definitions: { low: { ...LOW, post_process: types } } },
    ]),
  ])('cannot be known: %s', (problem, document) => {
    expect(hostTargetsOf(document, HOST)).toEqual({ kind: 'broken', problem });
  });
});

it('matter in the modes that the rules name', () => {
  const { targets } = defaultRules;
  expect(dependsOnHost('tpc_ambe_linked', targets)).toBe(true);
  expect(dependsOnHost('tpc_bkg', targets)).toBe(false);
  expect(dependsOnHost('tpc_pmtgain', targets)).toBe(false);
});
