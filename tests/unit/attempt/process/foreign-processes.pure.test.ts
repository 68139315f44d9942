import { describe, expect, it } from 'vitest';

import {
  type StraxProcess,
  toWaitFor,
  waitText,
} from '../../../../src/attempt/process/foreign-processes.pure.ts';

const process = (changes: Partial<StraxProcess>): StraxProcess => ({
  ...{ pid: 7, orphan: false, makes: null },
  ...changes,
});
const NOTHING = { unfinished: false, wasHere: false, quietSeconds: null };
const BEGUN = { unfinished: true, wasHere: false, quietSeconds: 500 };

describe('a process that others have left here is waited for', () => {
  it.each<[string, Partial<StraxProcess>, Parameters<typeof toWaitFor>[1], boolean]>([
    ['if it has files of the run open', { makes: 'this' }, NOTHING, true],
    ['not if it makes another run', { makes: 'other', orphan: true }, BEGUN, false],
    ['if its manager is gone and the run has unfinished folders', { orphan: true }, BEGUN, true],
    [
      'if its manager is gone and the run was here before',
      { orphan: true },
      { ...NOTHING, wasHere: true },
      true,
    ],
    ['not if nothing of the run was ever here', { orphan: true }, NOTHING, false],
    ['not if its manager lives and the folders lie still', {}, BEGUN, false],
    ['if its manager lives and the folders change', {}, { ...BEGUN, quietSeconds: 3 }, true],
    ['not if its manager lives and there are no folders', {}, { ...NOTHING, wasHere: true }, false],
  ])('%s', (_, changes, folders, expected) => {
    expect(toWaitFor([process(changes)], folders).length > 0).toBe(expected);
  });

  it('and is named by its number', () => {
    expect(waitText([process({ pid: 41 }), process({ pid: 42 })])).toContain('processes 41, 42');
  });
});
