import { expect, it } from 'vitest';

import { ENTRIES } from '../../../src/infra/config/entries.ts';
import { readDocument } from './shown-by.ts';

const text = readDocument('CONTRIBUTING.md');

/** `<!-- from FILE -->` stands before each example that is quoted from a file. */
const EXAMPLE = /<!-- from (\S+) -->\n\n```\w+\n(.*?)```/s;
const QUOTED = new RegExp(EXAMPLE, 'gs');

it('every example in CONTRIBUTING stands in the file that it names', () => {
  const quoted = [...text.matchAll(QUOTED)].map(([, file = '', code = '']) => ({ file, code }));
  expect(quoted.length).toBeGreaterThan(1);
  expect(quoted.length).toBe(text.split('<!-- from ').length - 1);
  for (const { file, code } of quoted) {
    expect(readDocument(file), `${file} lacks the example of CONTRIBUTING`).toContain(code);
  }
});

it.each(['A setting', 'A command', 'A metric', 'An action', 'A named write', 'A panel'])(
  'the recipe for %s shows an example that is built',
  (recipe) => {
    const [, section = ''] = text.split(`\n### ${recipe}\n`);
    expect(section.split(/\n##/)[0]).toMatch(EXAMPLE);
  },
);

it('the setting that CONTRIBUTING shows has the names that it says', () => {
  const shown = ENTRIES.find(({ path }) => path === 'alarms.dead_man_seconds');
  for (const name of [shown?.path, shown?.flag, shown?.env]) expect(text).toContain(`\`${name}\``);
});
