import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { PluginGraph, Product, Result } from '../../../../src/attempt/attempt.pure.ts';
import {
  type CheckedProduct,
  configuredRoot,
  liveFolderOf,
  productsToCheck,
  requiredRawTypes,
  stillOurs,
  vouchersOf,
} from '../../../../src/features/deletion/deletion.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import { at, parsed, run } from '../../run/documents.ts';

const HOST = 'eb3.xenon.local';
const ATTEMPT = 'a'.repeat(24);
const CONTEXT = 'straxen.contexts:xenonnt_online';
const ROOTS = ['/live_data/xenonnt'];
const LIVE = { type: 'live', host: 'daq', location: '/live_data/xenonnt' };
const [START, END] = [at(-1), at(-0.9)];
const LENGTH = 360;

const TYPES = [
  ...['raw_records', 'raw_records_he', 'raw_records_aqmon', 'raw_records_sc'],
  ...['raw_records_nv', 'raw_records_aqmon_nv', 'raw_records_coin_nv'],
  ...['raw_records_mv', 'raw_records_aux_mv'],
];

function graph(changes: PluginGraph['types'] = {}, types: readonly string[] = TYPES): PluginGraph {
  const made = types.map((type) => [
    type,
    { plugin: 'DAQReader', dependsOn: [], saved: 'always' as const },
  ]);
  const peaks = { plugin: 'Peaks', dependsOn: ['raw_records'], saved: 'always' as const };
  return {
    version: 1,
    context: CONTEXT,
    types: { ...(Object.fromEntries(made) as PluginGraph['types']), peaks_nv: peaks, ...changes },
  };
}

function done(changes: Record<string, unknown> = {}, bootstrax: Record<string, unknown> = {}) {
  return {
    start: START,
    end: END,
    bootstrax: { state: 'done', host: HOST, time: END, n_failures: 2, ...bootstrax },
    ...changes,
  };
}

const ns = (seconds: number) =>
  String(BigInt(START.getTime()) * 1_000_000n + BigInt(Math.round(seconds * 1e9)));

function product(type: string, changes: Partial<Product> = {}): Product {
  return {
    type,
    location: `/data/004711-${type}-abc`,
    lineageHash: 'abc',
    lineage: {},
    ...{ chunks: 10, rows: 1000, bytes: 5000, startNs: ns(0), endNs: ns(LENGTH) },
    ...changes,
  };
}

function found(of: Product, changes: Partial<CheckedProduct> = {}): CheckedProduct {
  const { type, location, chunks, rows, bytes, startNs, endNs, digest = null } = of;
  const times = { startNs, endNs, firstTimeNs: startNs, lastTimeNs: endNs };
  return { type, location, chunks, rows, bytes, ...times, digest, problem: null, ...changes };
}

describe('a run is still as this host concluded it', () => {
  const ours = (
    changes: Record<string, unknown> = {},
    bootstrax: Record<string, unknown> = {},
    lastAttempt: unknown = ATTEMPT,
  ) => stillOurs(parsed(done(changes, bootstrax)), lastAttempt, { host: HOST, attempt: ATTEMPT });

  it('if it is done, here, by this attempt', () => {
    expect(ours()).toMatchObject({ kind: 'allowed', end: END });
    expect(ours({ tags: [{ name: 'messy' }], status: 'eb_ready_to_upload' }).kind).toBe('allowed');
  });

  it.each<[Record<string, unknown>, Record<string, unknown>, unknown, RegExp]>([
    [{}, { state: 'failed' }, ATTEMPT, /not done any more, but failed/],
    [{}, { state: 'abandoned' }, ATTEMPT, /but abandoned/],
    [{}, { state: 'busy' }, ATTEMPT, /but busy/],
    [{}, { state: null }, ATTEMPT, /but new/],
    [{}, { host: 'eb4.xenon.local' }, ATTEMPT, /eb4.xenon.local has concluded it since/],
    [{}, { host: null }, ATTEMPT, /nobody has concluded it since/],
    [{}, { attempt: 'b'.repeat(24) }, ATTEMPT, /another attempt/],
    [{}, {}, 'b'.repeat(24), /another attempt/],
    [{}, {}, null, /another attempt/],
    [{}, {}, { $ne: null }, /another attempt/],
    [{}, { outcome: 'failed' }, ATTEMPT, /not by this host's attempt: that one was failed/],
    [{}, { outcome: 'requeued' }, ATTEMPT, /that one was requeued/],
    [{ tags: [{ name: 'hold-processing' }] }, {}, ATTEMPT, /tagged hold-processing/],
    [{ tags: [{ name: 'x' }, { name: 'abandon' }] }, {}, ATTEMPT, /tagged abandon/],
    [{ end: null }, {}, ATTEMPT, /end is not known/],
    [{ detectors: null }, {}, ATTEMPT, /malformed: detectors is absent/],
    [{ detectors: 'tpc' }, {}, ATTEMPT, /odd: detectors is text/],
    [{ tags: 'hold-processing' }, {}, ATTEMPT, /odd: tags is not an array/],
    [{ status: 7 }, {}, ATTEMPT, /odd: status is not a string/],
  ])('but not with %j %j %j', (changes, bootstrax, lastAttempt, cause) => {
    const answer = ours(changes, bootstrax, lastAttempt);
    expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
  });
});

describe('the folder of live data', () => {
  const folder = (data: unknown[], roots = ROOTS) => liveFolderOf(run(done({ data })), roots);

  it('is the run’s, in a configured root', () => {
    expect(folder([LIVE])).toEqual({ kind: 'allowed', root: ROOTS[0], location: ROOTS[0] });
    expect(folder([LIVE], ['/a', '/live_data/xenonnt/'])).toMatchObject({ root: ROOTS[0] });
    expect(folder([{ ...LIVE, location: '/live_data/xenonnt//' }])).toMatchObject({
      root: ROOTS[0],
    });
  });

  it.each<[unknown[], RegExp]>([
    [[{ ...LIVE, type: 'peaks' }], /lists no live data any more/],
    [[LIVE, LIVE], /more than once/],
    [[{ ...LIVE, host: HOST }], /listed under eb3/],
    [[{ type: 'live', location: LIVE.location }], /listed under no host/],
    ...[
      ...['/live_data', '/', '//', '/live_data/xenonnt2', '/live_data/xenonnt/sub', '/live_data/x'],
      ...[
        '/live_data//xenonnt',
        '/live_data/./xenonnt',
        '/LIVE_DATA/xenonnt',
        '/live_data/xenonnt ',
      ],
    ].map((location): [unknown[], RegExp] => [
      [{ ...LIVE, location }],
      /not the configured folder/,
    ]),
  ])('is refused for %j', (data, cause) => {
    const answer = folder(data);
    expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
  });

  it('is never taken from a location that is not a root word for word', () => {
    const segment = fc.constantFrom('live_data', 'xenonnt', '..', '.', '', 'xenonnt ', '\0', 'a');
    const path = fc.array(segment, { maxLength: 5 }).map((all) => `/${all.join('/')}`);
    fc.assert(
      fc.property(path, (location) => {
        const root = configuredRoot(location, ROOTS);
        expect(root === null || location.replace(/\/+$/, '') === ROOTS[0]).toBe(true);
        if (root !== null) expect(root).toBe(ROOTS[0]);
      }),
    );
    expect(configuredRoot('/', ['/'])).toBeNull();
    expect(configuredRoot('/a/../b', ['/a/../b'])).toBeNull();
    expect(configuredRoot('relative', ['relative'])).toBeNull();
  });
});

describe('raw types that must exist', () => {
  const required = (detectors: string[], of = graph(), context = CONTEXT) =>
    requiredRawTypes(detectors, of, context, defaultRules.targets);
  const tpc = ['raw_records', 'raw_records_aqmon', 'raw_records_he', 'raw_records_sc'];
  const nv = ['raw_records_aqmon_nv', 'raw_records_coin_nv', 'raw_records_nv'];
  const mv = ['raw_records_aux_mv', 'raw_records_mv'];

  it.each([
    [['tpc'], tpc],
    [['neutron_veto'], nv],
    [['muon_veto'], mv],
    [
      ['tpc', 'neutron_veto'],
      [...tpc, ...nv],
    ],
    [
      ['tpc', 'neutron_veto', 'muon_veto'],
      [...tpc, ...nv, ...mv],
    ],
  ])('of %j are all that the context makes of them', (detectors, types) => {
    expect(required(detectors)).toEqual({ kind: 'allowed', types: types.toSorted() });
  });

  it('are all there are where types are not assigned to detectors', () => {
    const rules = { ...defaultRules.targets, detectors: [] };
    expect(requiredRawTypes(['paddles'], graph(), CONTEXT, rules)).toEqual({
      kind: 'allowed',
      types: TYPES.toSorted(),
    });
  });

  it.each<[string, ReturnType<typeof required>, RegExp]>([
    ['no detector', required([]), /names no detector/],
    ['an unknown one', required(['tpc', 'radon']), /detector radon is not known/],
    ['another context', required(['tpc'], graph(), 'a:b'), /processed with a:b/],
    ['no raw types', required(['tpc'], graph({}, [])), /detector tpc is not known/],
    [
      'a detector without raw types',
      required(['tpc', 'muon_veto'], graph({}, tpc)),
      /detector muon_veto is not known/,
    ],
    [
      'a type that is never stored',
      required(['tpc'], graph({ raw_records_x: { plugin: 'X', dependsOn: [], saved: 'never' } })),
      /never stores raw_records_x/,
    ],
  ])('cannot be told for %s', (_, answer, cause) => {
    expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
  });
});

describe('products to check', () => {
  const made = [product('raw_records'), product('raw_records_he'), product('peaks')];
  const entries = made.map(({ type, location }) => ({ type, location, host: HOST }));
  const read = {
    ...{ accounted: true, chunks: 3, files: 9, bytes: 100, rows: 9 },
    ...{ missing: [], unreadable: [], unread: [], quiet: [] },
    ...{ missingCount: 0, unreadableCount: 0, unreadCount: 0 },
  };
  const check = (
    products: Product[],
    data: unknown[] = [LIVE, ...entries],
    ok = true,
    input: Result['input'] = read,
  ) =>
    productsToCheck(run(done({ data })), HOST, ['raw_records', 'raw_records_he'], {
      ok,
      products,
      input,
    } as Result);

  it('are the raw ones of the attempt', () => {
    expect(check(made)).toEqual({ kind: 'allowed', products: made.slice(0, 2) });
  });

  it.each<[string, ReturnType<typeof check>, RegExp]>([
    ['failed', check(made, [LIVE, ...entries], false), /it failed/],
    [
      'lacks a reader',
      check(made, [LIVE, ...entries], true, {
        ...read,
        missing: [{ chunk: '000001', reader: 'reader1', files: 2 }],
        missingCount: 1,
      }),
      /Live data of a reader is missing: chunk 000001 of reader1/,
    ],
    ['did not account', check(made, [LIVE, ...entries], true, null), /not accounted for/],
    ['made too little', check(made.slice(0, 1)), /raw_records_he was not made/],
    ['made one twice', check([...made, product('raw_records')]), /made more than once/],
    ['made what is not listed', check(made, [LIVE, entries[0]]), /raw_records_he is not listed/],
    [
      'made what is listed elsewhere',
      check(made, [LIVE, entries[0], { ...entries[1], location: '/x' }]),
      /is not listed for this host/,
    ],
    [
      'made what another host has',
      check(made, [LIVE, entries[0], { ...entries[1], host: 'eb4' }]),
      /is not listed for this host/,
    ],
  ])('are refused if it %s', (_, answer, cause) => {
    expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
  });
});

describe('products stand in for live data', () => {
  const made = [product('raw_records'), product('raw_records_he', { rows: 0 })];
  const vouch = (checked: CheckedProduct[], products = made) =>
    vouchersOf({ run: run(done()), end: END }, products, checked, defaultRules.limits);

  it('if each is as it was made and covers the run', () => {
    const answer = vouch(made.map((each) => found(each)));
    expect(answer).toMatchObject({ kind: 'allowed' });
    expect(answer.kind === 'allowed' && answer.vouchers).toEqual(
      made.map(({ lineageHash: _, lineage: __, ...rest }) => ({ ...rest, digest: null })),
    );
  });

  it.each([
    ['the one it was made with', 'f'.repeat(64), 'f'.repeat(64), null],
    ['another', 'f'.repeat(64), 'e'.repeat(64), /its digest is e{64}, and was f{64} when it/],
    ['none any more', 'f'.repeat(64), null, /its digest is none, and was f{64} when it was made/],
    ['empty', 'f'.repeat(64), '', /its digest is , and was f{64}/],
    ['in capitals', 'f'.repeat(64), 'F'.repeat(64), /its digest is F{64}/],
    ['none, as when it was made', null, null, null],
    ['none, and the release that made it knew none', undefined, null, null],
    ['there, and the release that made it knew none', undefined, 'f'.repeat(64), null],
  ])('if its digest is %s', (_, madeWith, now, cause) => {
    const [first, second] = made as [Product, Product];
    const before = { ...first, ...(madeWith === undefined ? {} : { digest: madeWith }) };
    const answer = vouch([found(before, { digest: now }), found(second)], [before, second]);
    if (cause === null) {
      expect(answer.kind === 'allowed' && answer.vouchers[0]?.digest).toBe(madeWith ?? null);
    } else {
      expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
    }
  });

  it.each<[Partial<CheckedProduct>, RegExp]>([
    [{ rows: 999 }, /rows is 999, and was 1000/],
    [{ bytes: 4999 }, /bytes is 4999, and was 5000/],
    [{ chunks: 9 }, /chunks is 9/],
    [{ endNs: ns(LENGTH - 1) }, /endNs is/],
    [{ startNs: null }, /startNs is none/],
    [{ problem: 'chunk 3 does not decompress' }, /^raw_records: chunk 3 does not decompress/],
    [{ location: '/data/elsewhere' }, /was not checked/],
  ])('but not with %j', (changes, cause) => {
    const answer = vouch([found(made[0]!, changes), found(made[1]!)]);
    expect(answer.kind === 'refused' && answer.cause).toMatch(cause);
  });

  it('but not if there are none, or one has no chunks', () => {
    expect(vouch([], [])).toMatchObject({ kind: 'refused' });
    const empty = product('raw_records', { chunks: 0, rows: 0, startNs: null, endNs: null });
    const answer = vouch([found(empty)], [empty]);
    expect(answer.kind === 'refused' && answer.cause).toMatch(/has no chunks/);
  });

  it.each([
    [0, LENGTH, true],
    [4.999999, LENGTH - 4.999999, true],
    [-4.999999, LENGTH + 4.999999, true],
    [5, LENGTH, false],
    [-5, LENGTH, false],
    [0, LENGTH - 5, false],
    [0, LENGTH + 5, false],
    // As long as the run, but of another time.
    [6, LENGTH + 6, false],
    [-3600, LENGTH - 3600, false],
  ])('from %f s to %f s of the run: %j', (begin, end, covers) => {
    const moved = product('raw_records', { startNs: ns(begin), endNs: ns(end) });
    expect(vouch([found(moved)], [moved]).kind).toBe(covers ? 'allowed' : 'refused');
  });

  it('by their rows where the last chunk reaches far beyond the end', () => {
    const long = product('raw_records', { endNs: ns(LENGTH + 9) });
    const rows = { firstTimeNs: ns(0.1), lastTimeNs: ns(LENGTH - 0.1) };
    expect(vouch([found(long, rows)], [long]).kind).toBe('allowed');
    const quiet = { firstTimeNs: null, lastTimeNs: null };
    expect(vouch([found(long, quiet)], [long]).kind).toBe('refused');
    const far = { firstTimeNs: ns(0.1), lastTimeNs: ns(LENGTH - 9) };
    expect(vouch([found(long, far)], [long]).kind).toBe('refused');
  });

  it('only if every one does: whichever is spoilt, and however', () => {
    const types = TYPES.map((type) => product(type));
    const spoil = fc.constantFrom<Partial<CheckedProduct>>(
      { rows: 1 },
      { bytes: 1 },
      { problem: 'x' },
      { location: '/x' },
      { type: 'y' },
      { startNs: ns(100) },
    );
    fc.assert(
      fc.property(fc.nat(TYPES.length - 1), spoil, (which, how) => {
        const checked = types.map((each, i) => found(each, i === which ? how : {}));
        expect(vouch(checked, types).kind).toBe('refused');
      }),
    );
    expect(
      vouch(
        types.map((each) => found(each)),
        types,
      ).kind,
    ).toBe('allowed');
  });
});
