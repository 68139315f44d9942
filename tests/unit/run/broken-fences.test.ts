import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { BrokenAssertion } from '../../../src/infra/values/assertion.pure.ts';
import type { Fence } from '../../../src/run/run.port.ts';
import { fenceFilter, waitingFilter } from '../../../src/run/run-filters.ts';

const FENCE: Fence = { id: new ObjectId(), attempt: 'a'.repeat(24), host: 'eb0.test.local' };

/** As if a mistake of ours had lost one of its fields on the way. */
const BROKEN: [string, Partial<Record<keyof Fence, unknown>>][] = [
  ['its document', { id: undefined }],
  ['its attempt', { attempt: '' }],
  ['its host', { host: '' }],
];

describe('A fence', () => {
  it.each(BROKEN)('that has lost %s guards no write: the program ends before it', (_, lost) => {
    const fence = { ...FENCE, ...lost } as Fence;
    expect(() => fenceFilter(fence, ['busy'])).toThrow(BrokenAssertion);
    expect(() => waitingFilter([FENCE, fence])).toThrow(BrokenAssertion);
  });

  it('that no state can pass is a mistake too', () => {
    expect(() => fenceFilter(FENCE, [])).toThrow('lets no state pass');
  });
});
