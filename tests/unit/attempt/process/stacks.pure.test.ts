import { expect, it } from 'vitest';

import { tellingStacks } from '../../../../src/attempt/process/stacks.pure.ts';

const WAITING = `Thread 0x00007f01 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 327 in wait
  File "/site/strax/mailbox.py", line 400 in _read
`;
const WORKING = `Thread 0x00007f02 [mailbox:peaks] (most recent call first):
  File "/site/straxen/plugins/peaks/peaks.py", line 120 in compute
  File "/site/strax/plugins/plugin.py", line 600 in do_compute
`;
const MAIN = `Current thread 0x00007f03 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 1119 in join
  File "/site/bootstrax_worker/child.py", line 60 in run
`;

it('the thread that hangs is told, as a traceback; those that wait for it are not', () => {
  expect(tellingStacks(`=== process 7 (python)\n${WAITING}\n${WORKING}\n${MAIN}`))
    .toBe(`process 7 (python), Thread 0x00007f02 (most recent call last):
  File "/site/strax/plugins/plugin.py", line 600, in do_compute
  File "/site/straxen/plugins/peaks/peaks.py", line 120, in compute
`);
});

it('when all wait, all are told', () => {
  const text = tellingStacks(`${WAITING}\n${MAIN}`);
  expect(text).toContain('in _read');
  expect(text).toContain('in run\n');
});

it('processes that wait for work are never told', () => {
  const unemployed = `=== process 8 (python)
Current thread 0x00007f04 (most recent call first):
  File "/usr/lib/python3.11/multiprocessing/synchronize.py", line 95 in __enter__
  File "/usr/lib/python3.11/multiprocessing/queues.py", line 102 in get
  File "/usr/lib/python3.11/concurrent/futures/process.py", line 249 in _process_worker
`;
  expect(tellingStacks(unemployed)).toBe('');
  expect(tellingStacks(`${MAIN}\n${unemployed}`)).not.toContain('_process_worker');
  expect(tellingStacks(`${MAIN}\n${unemployed}`)).toContain('in join');
});

it('what is cut off or no stack at all does no harm', () => {
  expect(tellingStacks('')).toBe('');
  expect(tellingStacks('Thread 0x1 (most recent call first):\n  File "/a.py", li')).toBe('');
  expect(tellingStacks('=== process 7 (python)\n(no answer)\n')).toBe('');
});

it('is bounded, and the end is kept', () => {
  const frames = Array.from({ length: 2000 }, (_, i) => `  File "/a.py", line ${i} in f`);
  const text = tellingStacks(`Thread 0x1 (most recent call first):\n${frames.join('\n')}\n`);
  expect(text.length).toBeLessThan(17_000);
  expect(text).toMatch(/line 0, in f\n$/);
});
