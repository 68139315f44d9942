import { expect, it } from 'vitest';

import { ENTRIES } from '../../../src/infra/config/entries.ts';
import { readDocument } from './shown-by.ts';

const text = readDocument('CONTRIBUTING.md');

/** `<!-- from FILE -->` stands before each example that is quoted from a file. */
const QUOTED = /<!-- from (\S+) -->\n\n```\w+\n(.*?)```/gs;

it('every example in CONTRIBUTING stands in the file that it names', () => {
  const quoted = [...text.matchAll(QUOTED)].map(([, file = '', code = '']) => ({ file, code }));
  expect(quoted.length).toBeGreaterThan(1);
  expect(quoted.length).toBe(text.split('<!-- from ').length - 1);
  for (const { file, code } of quoted) {
    expect(readDocument(file), `${file} lacks the example of CONTRIBUTING`).toContain(code);
  }
});

it('the setting that CONTRIBUTING shows has the names that it says', () => {
  const shown = ENTRIES.find(({ path }) => path === 'alarms.dead_man_seconds');
  for (const name of [shown?.path, shown?.flag, shown?.env]) expect(text).toContain(`\`${name}\``);
});
