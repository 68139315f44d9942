import { expect, test } from 'vitest';

import { readServerLine } from '../../../../src/attempt/worker/worker-messages.ts';

test('a line is a message of the protocol, with fields of later releases accepted', () => {
  expect(readServerLine('{"type":"ended","attempt":"a","news":1}')).toMatchObject({
    kind: 'message',
    message: { type: 'ended', attempt: 'a' },
  });
});

test.each([
  ['not JSON', 'Traceback (most recent call last):'],
  ['cut off', '{"type":"ended",'],
  ['an unknown type', '{"type":"surprise"}'],
  ['a missing field', '{"type":"ended"}'],
])('%s is not understood, and said to be so', (_, line) => {
  const read = readServerLine(line);
  expect(read.kind).toBe('unreadable');
  expect(read).toHaveProperty('problem', expect.stringMatching(/\S/));
});
