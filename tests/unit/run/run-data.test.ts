import { describe, expect, it } from 'vitest';

import { registerStage, unregisterStage } from '../../../src/run/run-data.ts';
import { unregisterUpdate } from '../../../src/run/run-updates.ts';
import { NOW, updated } from '../database/updates.ts';

const HOST = 'eb3.xenon.local';
const ENTRY = { type: 'peaks', location: '/p', lineage: { $odd: ['a.b', '$c'] } };
const STORED = {
  type: 'peaks',
  host: HOST,
  location: '/p',
  protocol: 'FileSytemBackend',
  meta: { lineage: ENTRY.lineage },
};

describe('listing of data', () => {
  it('adds each entry once per host and location', () => {
    const listed = updated({}, [registerStage(HOST, [ENTRY])]);
    expect(listed).toEqual({ data: [STORED] });
    expect(updated(listed, [registerStage(HOST, [ENTRY])])).toEqual(listed);
    expect(updated(listed, [registerStage('eb4', [ENTRY])]).data).toEqual([
      STORED,
      { ...STORED, host: 'eb4' },
    ]);
    const other = { ...ENTRY, location: '/q' };
    expect(updated(listed, [registerStage(HOST, [other, ENTRY])]).data).toEqual([
      STORED,
      { ...STORED, location: '/q' },
    ]);
    expect(updated(listed, [registerStage(HOST, [])])).toEqual(listed);
  });

  it('is not kept from it by what stands there otherwise', () => {
    const odd = [null, 5, { location: '/p' }, { host: null, location: '/p' }, [STORED]];
    expect(updated({ data: odd }, [registerStage(HOST, [ENTRY])]).data).toEqual([...odd, STORED]);
    const alone = updated({ data: 'odd' }, [registerStage(HOST, [ENTRY])]);
    expect(alone.data).toEqual(['odd', STORED]);
  });

  it('refreshes the heartbeat', () => {
    const before = { bootstrax: { state: 'busy', time: new Date(0) } };
    const bootstrax = { state: 'busy', time: NOW, attempt_time: NOW };
    expect(updated({ ...before, data: [] }, unregisterUpdate(HOST, ['/p']))).toEqual({
      bootstrax,
      data: [],
      deleted_data: [],
    });
  });
});

describe('unlisting of data', () => {
  const gone = { type: 'peaks', host: HOST, file_count: 7, at: NOW, by: HOST };
  const listed = { ...STORED, file_count: 7 };

  it('moves entries of this host at these locations, without what no longer holds', () => {
    const others = [
      { ...listed, host: 'eb4' },
      { ...listed, location: '/q' },
      { type: 'live', host: HOST },
      null,
    ];
    const before = { data: [others[0], listed, ...others.slice(1)], deleted_data: ['earlier'] };
    expect(updated(before, [unregisterStage(HOST, ['/p', '/r'])])).toEqual({
      data: others,
      deleted_data: ['earlier', gone],
    });
    const both = { data: [listed, { ...listed, location: '/r' }] };
    expect(updated(both, [unregisterStage(HOST, ['/p', '/r'])])).toEqual({
      data: [],
      deleted_data: [gone, gone],
    });
  });

  it('takes names with $ as text', () => {
    const odd = { ...listed, host: '$h', location: '$$ROOT' };
    expect(updated({ data: [odd] }, [unregisterStage('$h', ['$$ROOT'])])).toEqual({
      data: [],
      deleted_data: [{ ...gone, host: '$h', by: '$h' }],
    });
  });

  it.each([undefined, null, 'odd', 5])('leaves data %j as it is', (data) => {
    const before = data === undefined ? {} : { data };
    const after = { ...before, deleted_data: [] };
    expect(updated(before, [unregisterStage(HOST, ['/p'])])).toEqual(after);
    const odd = { ...before, deleted_data: 'odd' };
    expect(updated(odd, [unregisterStage(HOST, ['/p'])])).toEqual({
      ...before,
      deleted_data: ['odd'],
    });
  });
});
