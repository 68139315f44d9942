import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type AttemptSeen,
  type Finding,
  type FolderSeen,
  type Listing,
  liveFolderOf,
  type LiveSeen,
  type RunSeen,
} from '../../../../src/attempt/files/folder-listing.pure.ts';
import { reconcile, stillPermitted } from '../../../../src/features/reconcile/reconcile.pure.ts';

const HERE = 'eb3.lab';
const THERE = 'eb4.lab';
const OUT = '/data/pre_processed';
const LIVE = '/live_data/xenonnt';
const NOW = Date.UTC(2026, 0, 10);
const DAY = 86_400_000;
const ENDED = NOW - DAY;
const NAME = '000007-peaks-abcdef';
const LOCATION = `${OUT}/${NAME}`;

function folder(more: Partial<FolderSeen> = {}): FolderSeen {
  const path = more.path ?? LOCATION;
  return {
    ...{ path, run: 7, location: path.replace(/_temp$/, ''), unfinished: path.endsWith('_temp') },
    ...{ condemned: false, isFolder: true, files: 3, bytes: 10, newestMs: ENDED - 1000 },
    ...more,
  };
}

function run(more: Partial<RunSeen> = {}): RunSeen {
  return {
    ...{ id: 'd1', run: 7, state: 'failed', host: HERE, entries: [] },
    ...{ start: new Date(NOW - 2 * DAY), end: new Date(NOW - 2 * DAY + 3_600_000) },
    ...more,
  };
}

function attempt(more: Partial<AttemptSeen> = {}): AttemptSeen {
  return {
    ...{ id: 'a1', run: 7, outcome: 'failed', endedMs: ENDED, locations: [LOCATION] },
    ...{ open: false, alive: false },
    ...more,
  };
}

function live(more: Partial<LiveSeen> = {}): LiveSeen {
  return {
    ...{ path: `${LIVE}/000007`, run: 7, beingDeleted: false },
    content: { chunks: 5, files: 40, bytes: 1e6, firstMs: NOW - DAY, lastMs: NOW - DAY + 5000 },
    ...more,
  };
}

function listing(more: Partial<Listing> = {}): Listing {
  return {
    ...{ host: HERE, nowMs: NOW, serverTime: new Date(NOW), outputDirectory: OUT },
    ...{ liveRoots: [{ path: '/live_data', unreadable: null }], folders: [], live: [], runs: [] },
    ...{ attempts: [], hosts: [], missing: new Set(), managerRuns: true, presumedDeadSeconds: 300 },
    ...more,
  };
}

/** Kind, whether a person is needed, and the action, of each finding. */
function short(findings: readonly Finding[]): string[] {
  return findings.map(
    ({ kind, needsPerson, action }) =>
      `${kind}${action === null ? '' : ` ${action.kind}`}${needsPerson ? '!' : ''}`,
  );
}

const entry = (location = LOCATION, host = HERE) => ({ type: 'peaks', host, location });
const liveEntry = { type: 'live', host: 'daq', location: LIVE };

describe('folders of the output', () => {
  it.each<[string, Partial<Listing>, string[]]>([
    ['registered', { folders: [folder()], runs: [run({ entries: [entry()] })] }, []],
    ['no document', { folders: [folder()] }, ['folder_without_document!']],
    [
      'made by a failed attempt',
      { folders: [folder()], runs: [run()], attempts: [attempt()] },
      ['folder_unregistered remove!'],
    ],
    [
      'unfinished, made by a superseded attempt',
      {
        folders: [folder({ path: `${LOCATION}_temp` })],
        runs: [run({ state: 'failed', host: THERE })],
        attempts: [attempt({ outcome: 'superseded' })],
      },
      ['folder_unfinished remove!'],
    ],
    [
      'nobody is known to have made it',
      { folders: [folder()], runs: [run()] },
      ['folder_unregistered!'],
    ],
    [
      'a successful attempt made it',
      { folders: [folder()], runs: [run()], attempts: [attempt({ outcome: 'done' })] },
      ['folder_unregistered!'],
    ],
    [
      'one attempt failed, another made the same with success',
      {
        folders: [folder()],
        runs: [run()],
        attempts: [attempt(), attempt({ id: 'a2', outcome: 'done' })],
      },
      ['folder_unregistered!'],
    ],
    [
      'changed after the attempt',
      {
        folders: [folder({ newestMs: ENDED + 61_000 })],
        runs: [run()],
        attempts: [attempt()],
      },
      ['folder_unregistered!'],
    ],
    [
      'the outcome is not known',
      { folders: [folder()], runs: [run()], attempts: [attempt({ outcome: null })] },
      ['folder_unregistered!'],
    ],
    [
      'being processed here',
      { folders: [folder()], runs: [run({ state: 'busy' })], attempts: [attempt()] },
      [],
    ],
    [
      'being considered elsewhere',
      {
        folders: [folder()],
        runs: [run({ state: 'considering', host: THERE })],
        attempts: [attempt()],
      },
      ['folder_unregistered'],
    ],
    [
      'done here',
      { folders: [folder()], runs: [run({ state: 'done' })], attempts: [attempt()] },
      ['folder_unregistered!'],
    ],
    [
      'done elsewhere',
      {
        folders: [folder()],
        runs: [run({ state: 'done', host: THERE })],
        attempts: [attempt({ outcome: 'superseded' })],
      },
      ['done_elsewhere remove!'],
    ],
    [
      'done elsewhere, and listed there under the same path: perhaps a shared disk',
      {
        folders: [folder()],
        runs: [run({ state: 'done', host: THERE, entries: [entry(LOCATION, THERE)] })],
        attempts: [attempt({ outcome: 'superseded' })],
      },
      ['done_elsewhere!'],
    ],
    [
      'done elsewhere, still listed here',
      { folders: [folder()], runs: [run({ state: 'done', host: THERE, entries: [entry()] })] },
      ['done_elsewhere'],
    ],
    [
      'two documents of this number',
      { folders: [folder()], runs: [run(), run()], attempts: [attempt()] },
      ['same_number!', 'folder_unregistered!'],
    ],
    [
      'a link',
      { folders: [folder({ isFolder: false })], runs: [run()], attempts: [attempt()] },
      ['folder_unregistered!'],
    ],
    [
      'outside the output folder',
      {
        folders: [folder({ path: `/elsewhere/${NAME}` })],
        runs: [run()],
        attempts: [attempt({ locations: [`/elsewhere/${NAME}`] })],
      },
      ['folder_unregistered!'],
    ],
    [
      'an attempt that is not concluded, while a manager runs',
      {
        folders: [folder()],
        runs: [run()],
        attempts: [attempt(), attempt({ id: 'a2', endedMs: null, open: true })],
      },
      ['folder_unregistered', 'attempt_unfinished'],
    ],
    [
      'the same without a manager',
      {
        folders: [folder()],
        runs: [run()],
        attempts: [attempt(), attempt({ id: 'a2', endedMs: null, open: true })],
        managerRuns: false,
      },
      ['folder_unregistered!', 'attempt_unfinished!'],
    ],
    [
      'a removal that was cut',
      {
        folders: [folder({ path: `${LOCATION}0removed0123456789ab_temp`, condemned: true })],
        runs: [run({ entries: [entry()] })],
      },
      ['folder_unfinished remove!'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(short(reconcile(listing(seen)))).toEqual(expected);
  });
});

describe('data entries', () => {
  const gone = new Set([LOCATION]);
  it.each<[string, Partial<Listing>, string[]]>([
    ['there', { runs: [run({ entries: [entry()] })] }, []],
    [
      'gone, made by a failed attempt of this host',
      { runs: [run({ entries: [entry()] })], missing: gone, attempts: [attempt()] },
      ['entry_without_data withdraw!'],
    ],
    [
      'gone, made by nobody known',
      { runs: [run({ entries: [entry()] })], missing: gone },
      ['entry_without_data!'],
    ],
    [
      'gone, of a run that is done here',
      { runs: [run({ state: 'done', entries: [entry()] })], missing: gone, attempts: [attempt()] },
      ['entry_without_data!'],
    ],
    [
      'gone, of a run that is being processed here',
      { runs: [run({ state: 'busy', entries: [entry()] })], missing: gone },
      [],
    ],
    [
      'gone, but of another host',
      { runs: [run({ entries: [entry(LOCATION, THERE)] })], missing: gone, attempts: [attempt()] },
      [],
    ],
    [
      'only the unfinished folder is there',
      {
        runs: [run({ entries: [entry()] })],
        missing: gone,
        attempts: [attempt()],
        folders: [folder({ path: `${LOCATION}_temp` })],
      },
      ['folder_unfinished!', 'entry_without_data!'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(short(reconcile(listing(seen)))).toEqual(expected);
  });
});

describe('live data', () => {
  const path = liveFolderOf(LIVE, 7);
  it.each<[string, Partial<Listing>, string[]]>([
    ['listed', { live: [live()], runs: [run({ entries: [liveEntry] })] }, []],
    ['its document was never written', { live: [live()] }, ['live_without_document!']],
    [
      'its document may come yet',
      {
        live: [
          live({
            content: { chunks: 1, files: 1, bytes: 1, firstMs: NOW - 5000, lastMs: NOW - 100 },
          }),
        ],
      },
      ['live_without_document'],
    ],
    ['not listed', { live: [live()], runs: [run()] }, ['live_unlisted!']],
    [
      'being deleted',
      { live: [live({ path: `${path}-deleting`, beingDeleted: true })], runs: [run()] },
      ['live_being_deleted'],
    ],
    [
      'listed, but gone',
      { runs: [run({ entries: [liveEntry] })], missing: new Set([path]) },
      ['live_missing!'],
    ],
    [
      'listed, but not yet there',
      {
        runs: [run({ entries: [liveEntry], start: new Date(NOW - 10_000), end: null })],
        missing: new Set([path]),
      },
      [],
    ],
    [
      'not to be seen',
      { liveRoots: [{ path: '/live_data', unreadable: 'ENOENT' }] },
      ['live_unreadable!'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(short(reconcile(listing(seen)))).toEqual(expected);
  });

  it('says of a run whose document was never written what is known of it', () => {
    const [finding] = reconcile(listing({ live: [live()] }));
    expect(finding).toMatchObject({
      run: 7,
      path,
      details: { chunks: 5, files: 40, bytes: 1e6, first: '2026-01-09T00:00:00.000Z' },
    });
    expect(finding!.says).toContain('has not written a document of run 7');
    expect(finding!.says).toContain('5 chunks');
  });
});

describe('hosts and attempts', () => {
  const held = run({ entries: [entry(LOCATION, THERE), entry(`${OUT}/x`, THERE)] });
  it.each<[string, number | null, string[]]>([
    ['heard of lately', 299, []],
    ['silent for too long', 301, ['dead_host!']],
    ['never heard of', null, ['dead_host!']],
  ])('a host with data, %s', (_, silentSeconds, expected) => {
    const hosts = [{ host: THERE, silentSeconds }];
    const found = reconcile(listing({ runs: [held], hosts }));
    expect(short(found)).toEqual(expected);
    if (found[0] !== undefined) expect(found[0].details).toMatchObject({ entries: 2, runs: [7] });
  });

  it.each<[string, Partial<AttemptSeen>, Partial<Listing>, string[]]>([
    ['concluded', {}, {}, []],
    ['running', { open: true, endedMs: null }, { managerRuns: true }, ['attempt_unfinished']],
    ['left alone', { open: true, endedMs: null }, { managerRuns: false }, ['attempt_unfinished!']],
    ['without an end', { endedMs: null }, { managerRuns: false }, ['attempt_unfinished!']],
  ])('an attempt, %s', (_, seen, more, expected) => {
    const found = reconcile(listing({ runs: [run()], attempts: [attempt(seen)], ...more }));
    expect(short(found)).toEqual(expected);
  });
});

const anyHost = fc.constantFrom(HERE, THERE, 'daq');
const anyRun = fc.constantFrom(7, 8, 1_000_001);
const anyName = fc.constantFrom(
  ...['000007-peaks-abc', '000008-peaks-abc', '1000001-a-b', '000007-events-xyz'],
  ...['../000007-peaks-abc', '000007-peaks-abc/..', '..', '', '000007-', 'notes.txt'],
);
const anyPath = fc
  .tuple(
    fc.constantFrom(OUT, OUT, OUT, '/elsewhere', `${OUT}/sub`, `${OUT}x`, '/data'),
    anyName,
    fc.constantFrom('', '', '_temp', '0removed0123456789ab_temp'),
  )
  .map(([root, name, end]) => `${root}/${name}${end}`);
const anyLocation = anyPath.map((path) => path.replace(/_temp$/, ''));
const anyState = fc.constantFrom(
  ...[null, 'considering', 'busy', 'done', 'failed', 'abandoned', 'odd', 5],
);
const someMs = fc.constantFrom(ENDED - 1000, ENDED, ENDED + 10_000, ENDED + 100_000, NOW);

const anyListing: fc.Arbitrary<Listing> = fc.record({
  host: fc.constant(HERE),
  nowMs: fc.constant(NOW),
  serverTime: fc.constant(new Date(NOW)),
  outputDirectory: fc.constant(OUT),
  liveRoots: fc.constant([{ path: '/live_data', unreadable: null }]),
  folders: fc.uniqueArray(
    fc.tuple(anyPath, anyRun, fc.boolean(), someMs).map(([path, number, isFolder, newestMs]) =>
      folder({
        ...{ path, run: number, isFolder, newestMs },
        condemned: path.endsWith('0removed0123456789ab_temp'),
      }),
    ),
    { maxLength: 6, selector: ({ path }) => path },
  ),
  live: fc.array(
    anyRun.map((number) => live({ run: number, path: liveFolderOf(LIVE, number) })),
    { maxLength: 2 },
  ),
  runs: fc.array(
    fc
      .record({
        run: anyRun,
        state: anyState,
        host: fc.constantFrom(HERE, THERE, null),
        entries: fc.array(
          fc.record({
            type: fc.constantFrom('peaks', 'live'),
            host: anyHost,
            location: fc.option(anyLocation),
          }),
          { maxLength: 3 },
        ),
      })
      .map(run),
    { maxLength: 4 },
  ),
  attempts: fc
    .array(
      fc
        .record({
          run: anyRun,
          outcome: fc.constantFrom('failed', 'superseded', 'requeued', 'done', null),
          endedMs: fc.constantFrom(ENDED, ENDED, null),
          locations: fc.array(anyLocation, { maxLength: 3 }),
          open: fc.constantFrom(false, false, false, true),
        })
        .map(attempt),
      { maxLength: 5 },
    )
    .map((all) => all.map((each, i) => ({ ...each, id: `a${i}` }))),
  hosts: fc.constant([{ host: THERE, silentSeconds: 500 }]),
  missing: fc.array(anyLocation, { maxLength: 4 }).map((paths) => new Set(paths)),
  managerRuns: fc.boolean(),
  presumedDeadSeconds: fc.constant(300),
});

describe('what may be done', () => {
  it('is only ever done to what a failed attempt of this host made and nobody uses', () => {
    let proposed = 0;
    fc.assert(
      fc.property(anyListing, (seen) => {
        for (const { action } of reconcile(seen)) {
          if (action === null) continue;
          proposed++;
          const target = action.kind === 'remove' ? action.path : action.location;
          const documents = seen.runs.filter((each) => each.run === action.run);
          // Directly in the output folder, under a name of that run.
          const name = target.slice(OUT.length + 1);
          expect(target).toBe(`${OUT}/${name}`);
          expect(name).toMatch(/^[\w-]+$/);
          expect(name.startsWith(`${String(action.run).padStart(6, '0')}-`)).toBe(true);
          // Nobody works on the run.
          for (const { state } of documents) expect(['considering', 'busy']).not.toContain(state);
          if (action.kind === 'withdraw') {
            expect(seen.missing.has(target)).toBe(true);
          } else {
            const found = seen.folders.find(({ path }) => path === target)!;
            expect(found.isFolder).toBe(true);
            if (found.condemned) continue;
            // No document of any run lists it, for whatever host.
            const listed = seen.runs.flatMap(({ entries }) => entries.map((e) => e.location));
            expect(listed).not.toContain(found.location);
            expect(listed).not.toContain(target);
            const maker = seen.attempts.find(({ id }) => id === action.attempt)!;
            expect(found.newestMs).toBeLessThanOrEqual(maker.endedMs! + 60_000);
          }
          for (const { state, host } of documents) {
            expect(state === 'done' && host === HERE).toBe(false);
          }
          const location = target.replace(/_temp$/, '');
          const makers = seen.attempts.filter(
            (each) => each.run === action.run && each.locations.includes(location),
          );
          expect(makers.length).toBeGreaterThan(0);
          for (const { outcome } of makers) expect(outcome).not.toBe('done');
          for (const { outcome } of makers) expect(outcome).not.toBeNull();
        }
      }),
      { numRuns: 20_000 },
    );
    // A property over nothing would prove nothing.
    expect(proposed).toBeGreaterThan(20);
  });

  it('is no longer permitted once somebody holds, registers or finishes the run', () => {
    const seen = listing({ folders: [folder()], runs: [run()], attempts: [attempt()] });
    const [finding] = reconcile(seen);
    const action = finding!.action!;
    expect(stillPermitted(action, seen)).toBe(true);
    for (const changed of [
      run({ state: 'considering', host: THERE }),
      run({ state: 'busy' }),
      run({ state: 'done' }),
      run({ entries: [entry()] }),
    ]) {
      expect(stillPermitted(action, { ...seen, runs: [changed] })).toBe(false);
    }
    expect(stillPermitted(action, { ...seen, folders: [folder({ newestMs: NOW })] })).toBe(false);
    expect(stillPermitted(action, { ...seen, folders: [] })).toBe(false);
  });

  it('names all documents of one number, and removes no folder of it', () => {
    const runs = [run(), run({ id: 'd2', state: 'done', host: THERE })];
    const found = reconcile(listing({ folders: [folder()], runs, attempts: [attempt()] }));
    const [shared] = found.filter(({ kind }) => kind === 'same_number');
    expect(shared).toMatchObject({ run: 7, needsPerson: true, action: null });
    expect(shared?.says).toContain(`d1 (failed on ${HERE}), d2 (done on ${THERE})`);
    expect(found.map(({ action }) => action)).toEqual(found.map(() => null));
    expect(reconcile(listing({ runs: [run()] }))).toEqual([]);
  });

  it('each finding says what is known and what to do', () => {
    fc.assert(
      fc.property(anyListing, (seen) => {
        for (const { says, todo, action, needsPerson } of reconcile(seen)) {
          expect(says.length).toBeGreaterThan(20);
          expect(todo.length).toBeGreaterThan(10);
          if (action !== null) expect(needsPerson).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
