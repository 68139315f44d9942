import { describe, expect, it } from 'vitest';

import { tellingStacks } from '../../../../src/attempt/process/stacks.pure.ts';

const thread = (name: string, ...frames: string[]) =>
  `Thread ${name} (most recent call first):\n${frames.map((frame) => `  ${frame}\n`).join('')}`;
const frame = (path: string, name: string) => `File "${path}", line 5 in ${name}`;
const MAIN = thread('0x1', frame('/site/strax/context.py', 'main'));

describe('stacks of a hung process', () => {
  it.each([
    '/usr/lib/threading.py',
    'queue.py',
    '/a/selectors.py',
    '/a/connection.py',
    '/a/synchronize.py',
    '/a/watch.py',
  ])('a thread in %s only waits', (path) => {
    const text = `${thread('0x2', frame(path, 'wait'), frame('/site/x.py', 'f'))}\n${MAIN}`;
    expect(tellingStacks(text)).toBe(
      'Thread 0x1 (most recent call last):\n  File "/site/strax/context.py", line 5, in main\n',
    );
  });

  it('a thread that was called by one that waits does not', () => {
    const deep = thread('0x2', frame('/site/x.py', 'f'), frame('/usr/lib/threading.py', 'run'));
    expect(tellingStacks(deep)).toContain('in f');
    const named = thread('0x2', frame('/site/mythreading.py', 'f'));
    expect(tellingStacks(`${named}\n${MAIN}`)).toContain('in f');
  });

  it('several are told one after the other, each of its process', () => {
    const other = thread('0x2', frame('/site/x.py', 'f'));
    expect(tellingStacks(`${MAIN}\n=== process 8 (python)\n${other}`)).toBe(
      'Thread 0x1 (most recent call last):\n  File "/site/strax/context.py", line 5, in main\n\n' +
        'process 8 (python), Thread 0x2 (most recent call last):\n  File "/site/x.py", line 5, in f\n',
    );
  });

  it('lines that only look like frames, threads or processes are no such', () => {
    const noise = [
      `x === process 9 (python)`,
      `xThread 0x9 (most recent call first):`,
      `Thread 0x9 (most recent call first): and more`,
      `    ${frame('/site/indented.py', 'f')}`,
      `  File "/site/cut.py", line 7`,
      '',
    ];
    const before = [`  ${frame('/site/no-thread.py', 'f')}`, ...noise].join('\n');
    const alone = tellingStacks(MAIN);
    expect(tellingStacks(`${before}\n${MAIN}`)).toBe(alone);
    expect(tellingStacks(`${MAIN}${noise.join('\n')}`)).toBe(alone);
  });

  it('threads without a frame are not told', () => {
    expect(tellingStacks(`${thread('0x2')}\n${MAIN}`)).toBe(tellingStacks(MAIN));
  });

  it('only what is too long is shortened', () => {
    const long = (length: number) => {
      const bare = tellingStacks(thread('0x1', frame('/x', 'f'))).length;
      return tellingStacks(thread('0x1', frame(`/x${'y'.repeat(length - bare)}`, 'f')));
    };
    expect(long(16_000)).toHaveLength(16_000);
    expect(long(16_000)).not.toContain('shortened');
    const cut = long(16_001);
    expect(cut).toMatch(/^\(shortened\)\nhread 0x1/);
    expect(cut).toHaveLength('(shortened)\n'.length + 16_000);
  });
});
