import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { withoutCredentials } from '../../../src/infra/mongo/store-error.ts';
import { sumRates } from '../../../src/plan/data-rate.store.ts';
import { groupFailures } from '../../../src/retry/attempt-history.store.ts';
import { hintOf } from '../../../src/run/run-watch.ts';
import { seenOf } from '../../../src/run/stored-runs.ts';
import { storedRun } from '../run/documents.ts';

const id = new ObjectId();

describe('seenOf', () => {
  it.each([undefined, null, 'odd', 5])('reads bootstrax %j as untouched', (bootstrax) => {
    expect(seenOf(storedRun({ _id: id, number: 1, bootstrax }))).toEqual({
      id,
      number: 1,
      state: null,
      host: null,
      time: null,
      attempt: null,
    });
  });
});

describe('hintOf', () => {
  it('knows the new state whether it was written alone or with the sub-document', () => {
    const event = { operationType: 'update', documentKey: { _id: id } };
    const alone = hintOf({
      ...event,
      touched: [
        { k: 'bootstrax.state', v: 'failed' },
        { k: 'end', v: null },
      ],
    });
    expect(alone).toEqual({
      kind: 'update',
      id,
      number: null,
      touched: ['bootstrax.state', 'end'],
      state: 'failed',
    });
    const whole = hintOf({
      ...event,
      touched: [{ k: 'bootstrax', v: null }],
      updateDescription: { updatedFields: { bootstrax: { state: 'busy' } } },
    });
    expect(whole).toMatchObject({ touched: ['bootstrax'], state: 'busy' });
    expect(hintOf({ ...event, touched: [{ k: 'end', v: null }] })).not.toHaveProperty('state');
  });

  it('gives no number that is none', () => {
    const event = { operationType: 'insert', documentKey: { _id: id } };
    expect(hintOf({ ...event, fullDocument: { number: 'x' } })?.number).toBeNull();
    expect(hintOf({ ...event, fullDocument: { number: 7 } })?.number).toBe(7);
    expect(hintOf({ operationType: 'invalidate' })).toBeNull();
  });
});

describe('sumRates', () => {
  it('is null until a detector shows a rate', () => {
    expect(sumRates([])).toBeNull();
    expect(
      sumRates([
        { _id: 'tpc', rate: 0 },
        { _id: 'muon_veto', rate: null },
      ]),
    ).toBeNull();
    expect(
      sumRates([
        { _id: 'tpc', rate: 1.5 },
        { _id: null, rate: 7 },
      ]),
    ).toEqual({
      total: 1.5,
      detectors: { tpc: 1.5 },
    });
  });
});

describe('groupFailures', () => {
  it('keeps each run once, at most 20, and the newest reason', () => {
    const failures = Array.from({ length: 50 }, (_, i) => ({
      run: i % 25,
      ended: new Date(1000 - i),
      result: { fingerprint: i === 49 ? null : 'f', reason: `reason ${i}` },
    }));
    const groups = groupFailures(failures);
    expect(groups).toMatchObject([
      { fingerprint: 'f', count: 49, last: new Date(1000), reason: 'reason 0' },
      { fingerprint: 'unknown', count: 1, runs: [24] },
    ]);
    expect(groups[0]!.runs).toHaveLength(20);
  });
});

describe('credentials', () => {
  it('are struck from messages', () => {
    const text = 'cannot reach mongodb+srv://u:p%40x@host/db and mongodb://a:b@c';
    expect(withoutCredentials(text)).toBe(
      'cannot reach mongodb+srv://***@host/db and mongodb://***@c',
    );
    const options = 'tlsCertificateKeyFilePassword=a&authMechanismProperties=AWS_SESSION_TOKEN:b';
    expect(withoutCredentials(`mongodb://c/?w=1&${options}&my_token=d&tls=true`)).toBe(
      'mongodb://c/?w=1&tlsCertificateKeyFilePassword=***&authMechanismProperties=***&my_token=***&tls=true',
    );
  });
});
