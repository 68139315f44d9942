import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { NoticedRuns } from '../../../src/claim/noticed-runs.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const moment = (monotonicSeconds: number, due: Date | null = null) => ({
  now: NOW,
  monotonicSeconds,
  due,
});
const hint = (id: ObjectId, kind: 'insert' | 'update', touched: string[] = []) => ({
  kind,
  id,
  number: null,
  touched,
});

describe('when a run was noticed', () => {
  it('is the first time that this host learned of it, by the server’s clock', () => {
    const notices = new NoticedRuns();
    const id = new ObjectId();
    notices.hinted(hint(id, 'insert'), 100);
    notices.note(id, 130);
    expect(notices.take(id, moment(160))).toEqual(before(60));
    expect(notices.take(id, moment(160))).toBeNull();
  });

  it('is not before the run fell due', () => {
    const notices = new NoticedRuns();
    const [early, late] = [new ObjectId(), new ObjectId()];
    notices.note(early, 100);
    notices.note(late, 155);
    expect(notices.take(early, moment(160, before(20)))).toEqual(before(20));
    expect(notices.take(late, moment(160, before(20)))).toEqual(before(5));
  });

  it('is anew after its tags have changed: one may have kept it back', () => {
    const notices = new NoticedRuns();
    const id = new ObjectId();
    notices.hinted(hint(id, 'insert'), 100);
    notices.hinted(hint(id, 'update', ['bootstrax.state']), 110);
    expect(notices.take(id, moment(160))).toEqual(before(60));
    notices.hinted(hint(id, 'insert'), 100);
    notices.hinted(hint(id, 'update', ['tags.0']), 120);
    notices.note(id, 150);
    expect(notices.take(id, moment(160))).toEqual(before(10));
  });

  it('is remembered of the newest runs only', () => {
    const notices = new NoticedRuns();
    const ids = Array.from({ length: 1001 }, () => new ObjectId());
    ids.forEach((id, i) => notices.note(id, i));
    expect(notices.take(ids[0]!, moment(1001))).toBeNull();
    expect(notices.take(ids[1]!, moment(1001))).toEqual(before(1000));
  });
});
