import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type DebtFacts,
  debtFacts,
  type Debtor,
  debtorOf,
  madeOf,
  offerable,
  sourceOfDebt,
} from '../../../../src/attempt/debt/debt.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import { readRun } from '../../../../src/run/run.pure.ts';

const DEBTOR: Debtor = { attempt: 'a1', host: 'eb3', outputDirectory: '/data/pre_processed/' };
const RAW = {
  type: 'raw_records',
  host: 'eb3',
  location: '/data/pre_processed/000007-raw_records-abc',
};
const LIVE = { type: 'live', host: 'daq', location: '/live_data/xenonnt' };
const FACTS: DebtFacts = {
  state: 'done',
  host: 'eb3',
  lastAttempt: 'a1',
  debtAttempt: null,
  debtPaid: null,
  status: 'eb_finished_pre',
  restrax: null,
  tags: [],
  incomplete: false,
  data: [LIVE, RAW],
};

const answer = (changes: Partial<DebtFacts>, debtor = DEBTOR) =>
  offerable(debtor, { ...FACTS, ...changes }, defaultRules);

describe('a debt can be made up for', () => {
  it.each<[string, Partial<DebtFacts>]>([
    ['after it is done', {}],
    ['without a status', { status: null }],
    ['after restrax has given up', { restrax: 'failed' }],
    ['of live data alone', { data: [LIVE] }],
    ['with tags of no account', { tags: ['messy'] }],
    ['with data of the run elsewhere', { data: [RAW, { ...RAW, host: 'eb4', location: '/x' }] }],
  ])('%s', (_name, changes) => {
    expect(answer(changes)).toEqual({ ok: true });
  });

  it.each<[string, Partial<DebtFacts>, RegExp]>([
    ['of a run that is not done', { state: 'failed' }, /^it is failed, not done/],
    ['of a new run', { state: null }, /^it is new/],
    ['once it was processed again', { lastAttempt: 'a2' }, /processed again/],
    ['once it was processed elsewhere', { host: 'eb4' }, /processed again/],
    ['while it is made up for', { debtAttempt: 'a3' }, /is being made up for/],
    ['of a run to be abandoned', { tags: ['abandon'] }, /tagged abandon/],
    ['of a run that is held', { tags: ['hold-processing'] }, /tagged hold-processing/],
    ['once it is ready to upload', { status: 'eb_ready_to_upload' }, /eb_ready_to_upload/],
    ['once it is transferred', { status: 'transferred' }, /transferred/],
    ['while restrax has it', { restrax: 'busy' }, /restrax has it: busy/],
    ['of raw data that is incomplete', { incomplete: true }, /its raw data is incomplete/],
    ['once restrax is done', { restrax: 'done' }, /restrax has it: done/],
    [
      'once its data was moved',
      { data: [{ ...RAW, location: '/data/processed/000007-raw_records-abc' }] },
      /its raw_records is not in/,
    ],
    [
      'with data that lies deeper, or nowhere',
      { data: [{ ...RAW, location: '/data/pre_processed/x/000007-raw_records-abc' }] },
      /is not in/,
    ],
    ['with an entry without location', { data: [{ ...RAW, location: null }] }, /in no place/],
    ['once all data is gone', { data: [] }, /its data is gone/],
    ['with data of others alone', { data: [{ ...RAW, host: 'eb4' }] }, /its data is gone/],
  ])('not %s', (_name, changes, reason) => {
    expect(answer(changes)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('not without knowing where it was written', () => {
    expect(answer({}, { ...DEBTOR, outputDirectory: null })).toMatchObject({ ok: false });
  });

  it('of raw data first, of live data else', () => {
    const source = (data: DebtFacts['data']) =>
      sourceOfDebt(DEBTOR, { ...FACTS, data }, defaultRules);
    expect(source([LIVE, RAW])).toBe('raw data');
    expect(source([{ ...RAW, type: 'raw_records_nv' }])).toBe('raw data');
    expect(source([LIVE, { ...RAW, host: 'eb4' }])).toBe('live data');
    expect(source([])).toBe('none');
  });
});

it('a run document is read whatever is in it', () => {
  const document = {
    bootstrax: {
      ...{ state: 'done', host: 'eb3', last_attempt: 'a1', debt: { attempt: 'a2' } },
      debt_paid: 'a0',
      incomplete: { missing: 0, unreadable: 1, unread: 0, parts: [] },
    },
    ...{ status: 'eb_finished_pre', restrax: { state: 'busy' }, tags: [{ name: 'x' }] },
    data: [RAW],
  };
  expect(debtFacts(readRun(document))).toEqual({
    ...FACTS,
    ...{ debtAttempt: 'a2', debtPaid: 'a0', restrax: 'busy', tags: ['x'], data: [RAW] },
    incomplete: true,
  });
  // Whatever restrax has written there, it has written something.
  expect(debtFacts(readRun({ restrax: {} })).restrax).toBe('of unknown state');
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
      fc.jsonValue(),
      (any, bad) => {
        for (const field of ['bootstrax', 'data', 'tags', 'restrax', 'status']) {
          const facts = debtFacts(readRun({ ...any, [field]: bad }));
          expect(offerable(DEBTOR, facts, defaultRules)).toMatchObject({ ok: false });
        }
      },
    ),
  );
});

it('what was made and what was wanted are told from the plan', () => {
  const plan = {
    ...{ targets: ['peaks'], postProcessing: ['raw_records', 'peaks'] },
    outputDirectory: '/data',
  };
  expect(madeOf(plan, ['events'])).toEqual({
    got: ['peaks', 'raw_records'],
    wanted: ['peaks', 'raw_records', 'events'],
  });
  expect(madeOf(null, ['events'])).toEqual({ got: [], wanted: ['events'] });
  expect(debtorOf({ attempt: 'a', host: 'h', plan })).toMatchObject({ outputDirectory: '/data' });
  expect(debtorOf({ attempt: 'a', host: 'h', plan: null }).outputDirectory).toBeNull();
});
