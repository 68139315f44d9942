import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  claimDecision,
  evaluateClaim,
  type FleetFacts,
  type HostFacts,
  orderCandidates,
} from '../../../src/claim/claim.pure.ts';
import { nextRuns } from '../../../src/claim/next-runs.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { explain } from '../../../src/readmodel/explain.pure.ts';
import { parseRun } from '../../../src/run/run.pure.ts';
import { fleetOf, hostNow } from '../readmodel/fleets.ts';
import { at, NOW, parsed } from '../run/documents.ts';

const HOST: HostFacts = { host: 'eb3.xenon.local', role: 'primary', accepting: { ok: true } };
const FLEET: FleetFacts = { queueLength: 1, livePrimaries: 3 };
const ALIVE = fleetOf(hostNow(HOST.host), hostNow('eb4'));

interface Situation {
  host?: Partial<HostFacts>;
  fleet?: Partial<FleetFacts>;
}

function decide(changes: Record<string, unknown>, { host, fleet }: Situation = {}) {
  return claimDecision(
    parsed(changes),
    { ...HOST, ...host },
    { fleet: { ...FLEET, ...fleet }, rules: defaultRules, now: NOW },
  );
}

function explained(changes: Record<string, unknown>, { host, fleet }: Situation = {}) {
  return explain(
    parsed(changes),
    { ...HOST, ...host },
    { fleet: { ...FLEET, ...fleet }, rules: defaultRules, now: NOW },
    ALIVE,
  );
}

const failed = (more: Record<string, unknown> = {}) => ({
  bootstrax: { state: 'failed', n_failures: 1, next_retry: at(-0.1), ...more },
});
const tags = (...names: string[]) => ({ tags: names.map((name) => ({ name })) });
const malformed = { detectors: null };

describe('a run is claimed', () => {
  it('when it is new', () => {
    expect(decide({})).toEqual({ kind: 'claim', purpose: 'new', why: 'a new run' });
    expect(decide({ bootstrax: undefined })).toMatchObject({ kind: 'claim', purpose: 'new' });
    expect(decide(tags('messy', '_messy'))).toMatchObject({ kind: 'claim' });
  });

  it('when it failed and is due', () => {
    expect(decide(failed())).toEqual({
      kind: 'claim',
      purpose: 'retry',
      why: 'a retry after 1 failure',
    });
    expect(decide(failed({ n_failures: 9 }))).toMatchObject({ why: 'a retry after 9 failures' });
    expect(decide(failed({ next_retry: NOW }))).toMatchObject({ kind: 'claim' });
    expect(decide(failed({ n_failures: undefined }))).toMatchObject({
      why: 'a retry after 0 failures',
    });
  });
});

describe('a run is passed over', () => {
  it.each<[verdict: string, why: RegExp, changes: Record<string, unknown>]>([
    ['running', /considering on eb4/, { bootstrax: { state: 'considering', host: 'eb4' } }],
    ['running', /busy on an unnamed host/, { bootstrax: { state: 'busy' } }],
    ['finished', /done by eb4/, { bootstrax: { state: 'done', host: 'eb4' } }],
    ['abandoned', /^abandoned$/, { bootstrax: { state: 'abandoned' } }],
    ['held', /tagged hold-processing/, tags('hold-processing')],
    ['held', /tagged hold-processing/, { ...failed(), ...tags('x', 'hold-processing') }],
    ['held', /tagged/, { ...tags('hold-processing'), detectors: ['neutron_veto'] }],
    ['held', /tagged/, { ...tags('hold-processing'), ...malformed }],
    ['abandoned', /tagged abandon/, tags('abandon')],
    ['abandoned', /tagged abandon/, { ...failed(), ...tags('hold-processing', 'abandon') }],
    ['givenUp', /given up after 10 failures/, failed({ n_failures: 10 })],
    ['givenUp', /given up after 11 failures/, failed({ n_failures: 11, next_retry: undefined })],
    ['givenUp', /given up/, { ...failed({ n_failures: 10 }), ...malformed }],
    ['waiting', /no time is set/, failed({ next_retry: undefined })],
    ['malformed', /set aside/, failed({ next_retry: undefined, outcome: 'set_aside' })],
    ['malformed', /set aside/, { ...failed({ next_retry: undefined }), ...malformed }],
    ['finished', /done/, { bootstrax: { state: 'done' }, ...malformed }],
    ['malformed', /not known: bootstrax.state/, { bootstrax: { state: 'frobbed' } }],
    ['malformed', /not known: bootstrax is/, { bootstrax: 'frobbed' }],
  ])('%s: %s', (verdict, why, changes) => {
    const decision = decide(changes);
    expect(decision).toMatchObject({ kind: 'pass', verdict, until: null });
    expect(decision.why).toMatch(why);
    expect(explained(changes).verdict).toBe(verdict);
  });

  it('until its next attempt', () => {
    expect(decide(failed({ next_retry: at(2) }))).toEqual({
      kind: 'pass',
      verdict: 'waiting',
      why: `its next attempt is at ${at(2).toISOString()}`,
      until: at(2),
    });
    const oneMs = new Date(NOW.getTime() + 1);
    expect(decide(failed({ next_retry: oneMs }))).toMatchObject({ kind: 'pass', until: oneMs });
  });

  it('if it cannot be read at all', () => {
    const decision = claimDecision(parseRun(null), HOST, {
      fleet: FLEET,
      rules: defaultRules,
      now: NOW,
    });
    expect(decision).toMatchObject({ kind: 'pass', verdict: 'malformed' });
  });

  it('by a host that takes none', () => {
    const accepting = { ok: false, reason: 'the disk is full' } as const;
    for (const changes of [{}, failed(), { detectors: [] }]) {
      expect(decide(changes, { host: { accepting } })).toEqual({
        kind: 'pass',
        verdict: 'waiting',
        why: 'eb3.xenon.local takes no runs: the disk is full',
        until: null,
      });
    }
  });
});

describe('roles', () => {
  const veto = { detectors: ['neutron_veto', 'muon_veto'] };
  it.each<[role: HostFacts['role'], FleetFacts, changes: Record<string, unknown>, claims: boolean]>(
    [
      ['primary', { queueLength: 0, livePrimaries: 0 }, {}, true],
      ['primary', { queueLength: 0, livePrimaries: 3 }, veto, true],
      ['backup', { queueLength: 3, livePrimaries: 1 }, {}, false],
      ['backup', { queueLength: 4, livePrimaries: 1 }, {}, true],
      ['backup', { queueLength: 1, livePrimaries: 0 }, {}, true],
      ['backup', { queueLength: 1, livePrimaries: 1 }, veto, true],
      ['backup', { queueLength: 1, livePrimaries: 1 }, { detectors: [] }, true],
      ['backup', { queueLength: 1, livePrimaries: 1 }, { detectors: ['muon_veto', 'tpc'] }, false],
      ['backup', { queueLength: 1, livePrimaries: 1 }, failed(), true],
      ['never', { queueLength: 9, livePrimaries: 0 }, {}, false],
      ['never', { queueLength: 9, livePrimaries: 0 }, veto, true],
      ['never', { queueLength: 0, livePrimaries: 9 }, failed(), true],
    ],
  )('%s with %j: %j', (role, fleet, changes, claims) => {
    const decision = decide(changes, { host: { role }, fleet });
    expect(decision.kind).toBe(claims ? 'claim' : 'pass');
    if (!claims) expect(decision).toMatchObject({ verdict: 'waiting', until: null });
  });

  it('say whom a run is left to', () => {
    const fleet = { queueLength: 2, livePrimaries: 1 };
    expect(decide({}, { host: { role: 'backup' }, fleet }).why).toBe(
      'left to the primary hosts: 1 primary host is alive and 2 runs wait',
    );
    expect(decide({}, { host: { role: 'never' } }).why).toMatch(/never takes new runs/);
  });
});

describe('a malformed document', () => {
  const problem = { field: 'detectors', problem: 'is absent' };
  it('is set aside when it would be taken, by any host', () => {
    for (const role of ['primary', 'backup', 'never'] as const) {
      expect(decide(malformed, { host: { role } })).toEqual({
        kind: 'set_aside',
        why: 'its document is malformed: detectors is absent',
        problems: [problem],
      });
    }
    expect(decide({ ...failed(), ...malformed })).toMatchObject({ kind: 'set_aside' });
    expect(explained(malformed).verdict).toBe('malformed');
  });

  it('is left alone by a host that takes no runs, and before its next attempt', () => {
    const accepting = { ok: false, reason: 'x' } as const;
    expect(decide(malformed, { host: { accepting } })).toMatchObject({
      kind: 'pass',
      verdict: 'malformed',
    });
    expect(decide({ ...failed({ next_retry: at(1) }), ...malformed })).toMatchObject({
      kind: 'pass',
      verdict: 'waiting',
      until: at(1),
    });
  });
});

describe('the order', () => {
  const run = (number: number, start: Date, bootstrax: unknown = { state: null }) => ({
    parsed: parsed({ number, start, bootstrax }),
    number,
  });
  const retry = (number: number, start: Date, nextRetry: Date | undefined) =>
    run(number, start, { state: 'failed', n_failures: 1, next_retry: nextRetry });
  const order = (candidates: { parsed: ReturnType<typeof parsed>; number: number }[]) =>
    orderCandidates(candidates, defaultRules, NOW).map(({ number }) => number);

  it('is newest first', () => {
    expect(order([run(1, at(-3)), run(3, at(-1)), run(2, at(-2))])).toEqual([3, 2, 1]);
    expect(order([retry(1, at(-30), at(-1)), retry(2, at(-20), at(-2))])).toEqual([2, 1]);
  });

  it('is by number where runs start together', () => {
    expect(order([run(1, at(-1)), run(3, at(-1)), run(2, at(-1))])).toEqual([3, 2, 1]);
  });

  it('puts new runs before retries', () => {
    expect(order([retry(9, at(-0.5), at(-0.1)), run(1, at(-5))])).toEqual([1, 9]);
  });

  it('puts first what has waited for more than six hours, longest first', () => {
    const justNot = run(1, at(-6));
    const candidates = [
      run(10, at(-1)),
      justNot,
      run(2, at(-7)),
      retry(3, at(-100), at(-6.5)),
      retry(4, at(-2), at(-8)),
      retry(5, at(-90), at(-1)),
    ];
    expect(order(candidates)).toEqual([4, 2, 3, 10, 1, 5]);
  });

  it('does not call overdue what is not due or has no time', () => {
    expect(order([retry(1, at(-50), at(1)), retry(2, at(-60), undefined), run(3, at(-1))])).toEqual(
      [3, 1, 2],
    );
  });

  it('puts malformed documents before all, newest first, and one without a number last of them', () => {
    const bad = (number: number | null) => ({
      parsed: parsed({ number, data: [] }),
      number: number ?? -1,
    });
    expect(order([run(1, at(-30)), bad(null), bad(7), bad(8)])).toEqual([8, 7, -1, 1]);
  });

  it('changes nothing of its input', () => {
    const candidates = [run(1, at(-3)), run(3, at(-1))];
    order(candidates);
    expect(candidates.map(({ number }) => number)).toEqual([1, 3]);
  });
});

describe('next', () => {
  it('lists what this host would take, in order, and why others are passed over', () => {
    const candidates = [
      parsed({ number: 1, start: at(-2) }),
      parsed({ number: 2, start: at(-1) }),
      parsed({ number: 3, ...tags('hold-processing') }),
      parsed({ number: 4, ...failed({ next_retry: at(1) }) }),
      parsed({ number: 5, ...failed() }),
      parsed({ number: 6, ...malformed }),
      parsed({ number: 'x' }),
    ];
    expect(nextRuns(candidates, HOST, { fleet: FLEET, rules: defaultRules, now: NOW })).toEqual({
      runs: [
        { run: 2, why: 'a new run' },
        { run: 1, why: 'a new run' },
        { run: 5, why: 'a retry after 1 failure' },
      ],
      passedOver: [
        { run: 6, why: 'its document is malformed: detectors is absent' },
        { run: null, why: 'its document is malformed: number is not a non-negative integer' },
        { run: 3, why: 'tagged hold-processing' },
        { run: 4, why: `its next attempt is at ${at(1).toISOString()}` },
      ],
    });
  });
});

describe('the explanation', () => {
  const cases: Record<string, [Record<string, unknown>, Situation]> = {
    eligible: [{}, {}],
    retry: [failed(), {}],
    waiting: [failed({ next_retry: at(1) }), {}],
    left: [{}, { host: { role: 'backup' } }],
    full: [{}, { host: { accepting: { ok: false, reason: 'the disk is full' } } }],
    running: [{ bootstrax: { state: 'busy', host: 'eb4', time: at(0) } }, {}],
    considering: [{ bootstrax: { state: 'considering', host: 'eb4', time: at(0) } }, {}],
    stuck: [{ bootstrax: { state: 'considering' } }, {}],
    held: [tags('hold-processing'), {}],
    done: [{ bootstrax: { state: 'done', host: 'eb4' } }, {}],
    doneTagged: [{ bootstrax: { state: 'done', host: 'eb4' }, ...tags('abandon') }, {}],
    givenUp: [failed({ n_failures: 10 }), {}],
    abandoned: [{ bootstrax: { state: 'abandoned' } }, {}],
    toBeAbandoned: [{ ...failed(), ...tags('abandon') }, {}],
    newTagged: [tags('abandon'), {}],
    malformed: [malformed, {}],
    setAside: [failed({ next_retry: undefined, outcome: 'set_aside' }), {}],
    nameless: [{ number: null }, {}],
    unknownState: [{ bootstrax: { state: 'frobbed' } }, {}],
    twoProblems: [{ detectors: null, data: [] }, {}],
    vetoOnly: [{ detectors: ['neutron_veto'] }, { host: { role: 'never' } }],
    never: [{}, { host: { role: 'never' } }],
  };

  it.each(Object.entries(cases))('says why and what comes next: %s', (_, [changes, situation]) => {
    const { run: number, state, verdict, rules, next, commands } = explained(changes, situation);
    const lines = [
      `run ${number}, state ${state}: ${verdict}`,
      ...rules.map(({ rule, value, holds }) => `${holds ? 'yes' : 'NO '} ${rule}: ${value}`),
      next === null ? 'next: nothing' : `next: ${next.what}; at ${next.at}; by ${next.who}`,
      ...commands.map((command) => `$ ${command}`),
    ];
    expect(lines).toMatchSnapshot();
  });

  it('lists all rules that could be applied, not only up to the first broken one', () => {
    const { rules } = explained({ ...failed({ n_failures: 10 }), ...tags('hold-processing') });
    expect(rules.filter(({ holds }) => !holds).map(({ rule }) => rule)).toEqual([
      'not tagged hold-processing',
      'fewer than 10 failures',
    ]);
    expect(rules.length).toBeGreaterThan(6);
  });
});

describe('explain and claim', () => {
  const date = fc.option(
    fc.integer({ min: -10_000, max: 10_000 }).map((minutes) => at(minutes / 60)),
    { nil: undefined },
  );
  const document = fc.record({
    number: fc.oneof(fc.nat(), fc.constant('x')),
    detectors: fc.oneof(fc.subarray(['tpc', 'neutron_veto', 'muon_veto']), fc.constant(null)),
    tags: fc
      .subarray(['hold-processing', 'abandon', 'messy'])
      .map((names) => names.map((name) => ({ name }))),
    bootstrax: fc.record({
      state: fc.constantFrom(
        null,
        'considering',
        'busy',
        'done',
        'failed',
        'failed',
        'abandoned',
        '?',
      ),
      n_failures: fc.nat({ max: 12 }),
      next_retry: date,
      time: date,
      host: fc.constantFrom('eb3.xenon.local', 'eb4', undefined),
      outcome: fc.constantFrom('set_aside', 'failed', undefined),
    }),
  });
  const host = fc.record({
    host: fc.constant('eb3.xenon.local'),
    role: fc.constantFrom('primary', 'backup', 'never'),
    accepting: fc.constantFrom({ ok: true } as const, { ok: false, reason: 'disk' } as const),
  });
  const fleet = fc.record({ queueLength: fc.nat({ max: 6 }), livePrimaries: fc.nat({ max: 3 }) });

  it('agree: eligible is what is claimed, and then all rules hold', () => {
    fc.assert(
      fc.property(document, host, fleet, (changes, hostFacts, fleetFacts) => {
        const run = parsed(changes);
        const decision = claimDecision(run, hostFacts, {
          fleet: fleetFacts,
          rules: defaultRules,
          now: NOW,
        });
        const explanation = explain(
          run,
          hostFacts,
          { fleet: fleetFacts, rules: defaultRules, now: NOW },
          ALIVE,
        );
        expect(explanation.verdict === 'eligible').toBe(decision.kind === 'claim');
        expect(explanation.rules.every(({ holds }) => holds)).toBe(decision.kind === 'claim');
        if (decision.kind === 'pass') expect(explanation.verdict).toBe(decision.verdict);
        if (decision.kind === 'set_aside') expect(explanation.verdict).toBe('malformed');
        expect(decision.why).not.toBe('');
        expect(
          evaluateClaim(run, hostFacts, { fleet: fleetFacts, rules: defaultRules, now: NOW })
            .decision,
        ).toEqual(decision);
      }),
      { numRuns: 3000 },
    );
  });

  it('agree with next: what is claimed is listed, all else is passed over', () => {
    fc.assert(
      fc.property(
        fc.array(document, { maxLength: 8 }),
        host,
        fleet,
        (documents, hostFacts, fleetFacts) => {
          const runs = documents.map((changes) => parsed(changes));
          const next = nextRuns(runs, hostFacts, {
            fleet: fleetFacts,
            rules: defaultRules,
            now: NOW,
          });
          const claims = runs.filter(
            (run) =>
              claimDecision(run, hostFacts, { fleet: fleetFacts, rules: defaultRules, now: NOW })
                .kind === 'claim',
          );
          // A backup host stops once its own claims have left too few runs to help with.
          if (hostFacts.role !== 'backup') expect(next.runs).toHaveLength(claims.length);
          expect(next.runs.length).toBeLessThanOrEqual(claims.length);
          expect(next.runs.length + next.passedOver.length).toBe(runs.length);
        },
      ),
    );
  });

  it('a held run is never claimed, nor one tagged abandon', () => {
    fc.assert(
      fc.property(
        document,
        host,
        fleet,
        fc.constantFrom('hold-processing', 'abandon'),
        (changes, hostFacts, fleetFacts, tag) => {
          const run = parsed({ ...changes, tags: [...changes.tags, { name: tag }] });
          expect(
            claimDecision(run, hostFacts, { fleet: fleetFacts, rules: defaultRules, now: NOW })
              .kind,
          ).toBe('pass');
        },
      ),
    );
  });
});
