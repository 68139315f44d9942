import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { faultOf, titlesIn } from './titles.ts';

const FILES = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.test\.tsx?$/.test(name))
  .map((name) => `tests/${name}`);

it('finds the titles of tests, with those of the suites around them', () => {
  const source = `
    describe('a run', () => {
      it.each([1])('is taken %s times', () => {});
      describe.skipIf(no)(\`of \${kind}\`, () => { test('is done', () => {}); });
    });
    /x/.test('no title');`;
  expect(titlesIn(source).map(({ text }) => text)).toEqual([
    'a run is taken %s times',
    'a run of … is done',
  ]);
});

it.each(['the parser', 'a good run', 'run document codec'])(
  'takes no noun for a sentence: %s',
  (text) => {
    expect(faultOf(text)).not.toBeNull();
  },
);

it('every title is a sentence, which says alone what broke', () => {
  expect(FILES.length).toBeGreaterThan(150);
  const faults = FILES.flatMap((file) =>
    titlesIn(readFileSync(file, 'utf8')).flatMap(({ text, line }) => {
      const fault = faultOf(text);
      return fault === null ? [] : [`${file}:${line} "${text}": ${fault}`];
    }),
  );
  expect(faults.join('\n')).toBe('');
});
