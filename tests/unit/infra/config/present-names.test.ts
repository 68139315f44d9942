import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { ENTRIES } from '../../../../src/infra/config/entries.ts';
import { PACKAGE } from '../../../support/lab.ts';

/** That the earlier names are still accepted is shown there. */
const OF_EARLIER_NAMES = join('tests', 'unit', 'infra', 'config', 'resolve.test.ts');

const EARLIER = ENTRIES.flatMap(({ earlier }) =>
  earlier === null ? [] : [earlier.path.split('.').at(-1)!, earlier.env, earlier.flag],
).filter((name) => name !== null);

function sourcesIn(folder: string): string[] {
  return readdirSync(join(PACKAGE, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|mjs|py|toml)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

it.each(['bench', 'config', 'examples', 'scripts', 'tests'])(
  'no file of %s sets a setting by its earlier name, which the next release does not know',
  (folder) => {
    const written = sourcesIn(folder)
      .filter((name) => name !== OF_EARLIER_NAMES)
      .flatMap((name) => {
        const text = readFileSync(join(PACKAGE, name), 'utf8');
        return EARLIER.filter((earlier) => text.includes(earlier)).map(
          (earlier) => `${name}: ${earlier}`,
        );
      });
    expect(written).toEqual([]);
  },
);
