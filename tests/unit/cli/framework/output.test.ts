import { describe, expect, it } from 'vitest';

import { humanLine } from '../../../../src/cli/framework/log-lines.ts';
import { bar, bytes, duration, table } from '../../../../src/cli/framework/output.ts';
import { unknownVariables } from '../../../../src/cli/framework/setting-flags.ts';

describe('output for people', () => {
  it.each([
    [0, '0 s'],
    [59.6, '1 min 0 s'],
    [125, '2 min 5 s'],
    [15_000, '4 h 10 min'],
    [-3, '0 s'],
  ])('says %d seconds as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [123_456_789, '123 MB'],
    [2 ** 40, '1.1 TB'],
  ])('says %d bytes as %s', (count, text) => {
    expect(bytes(count)).toBe(text);
  });

  it.each([
    [0, '[....]'],
    [0.5, '[##..]'],
    [7, '[####]'],
  ])('draws %d as %s', (fraction, text) => {
    expect(bar(fraction, 4)).toBe(text);
  });

  it('aligns tables, without colour off a terminal', () => {
    expect(
      table(
        ['run', 'state'],
        [
          ['1', 'done'],
          ['20', 'busy'],
        ],
      ),
    ).toBe('run  state\n1    done\n20   busy');
  });

  it('keeps columns straight whatever a cell holds: colours, several lines, letters beyond ASCII', () => {
    const red = '\u001B[31mbad\u001B[39m';
    expect(
      table(
        ['what', 'why'],
        [
          [red, 'first\n  second'],
          ['µ\u{1F600}', 'x'],
          ['', ''],
        ],
      ),
    ).toBe(`what  why\n${red}   first second\nµ\u{1F600}    x\n`);
  });

  it('shows log lines, and leaves alone what is none', () => {
    const line = JSON.stringify({ level: 40, time: '2026-01-02T03:04:05.000Z', msg: 'full' });
    expect(humanLine(line)).toMatch(/^\d\d:\d\d:\d\d warning full$/);
    expect(humanLine('plain\n')).toBe('plain');
  });

  it('finds variables that mean nothing', () => {
    expect(unknownVariables({ BOOTSTRAX_OUTPTU: '', BOOTSTRAX_OUTPUT: '', PATH: '' })).toEqual([
      { name: 'BOOTSTRAX_OUTPTU', meant: 'BOOTSTRAX_OUTPUT' },
    ]);
  });
});
