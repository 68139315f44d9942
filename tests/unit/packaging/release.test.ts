import { describe, expect, it } from 'vitest';

import { changelogAfter, releaseProblems, VERSION_PLACES } from '../../../scripts/release-texts.ts';
import { versionOfThis } from '../../../src/infra/config/version.ts';
import { releases } from '../../support/release.ts';
import { readDocument } from '../docs/shown-by.ts';

const CHANGELOG = `# Changelog

## 0.3.0

For sites with a cluster.

### When you upgrade

- Nothing.

## 0.2.0

Beside others: commit \`1b023b2\`.
`;
const READY = {
  changelog: CHANGELOG,
  version: '0.3.0',
  next: '0.3.1',
  uncommitted: '',
  branch: 'main',
  tags: ['v0.2.0'],
};

describe('a release', () => {
  it('has no problem where all is ready', () => {
    expect(releaseProblems(READY)).toEqual([]);
  });

  it.each([
    [{ uncommitted: ' M README.md' }, /not committed/],
    [{ branch: 'words' }, /branch is words/],
    [{ tags: ['v0.3.0'] }, /tag v0\.3\.0 is there/],
    [{ version: '0.2.0', next: '0.4.0' }, /begins with 0\.3\.0/],
    [
      { changelog: CHANGELOG.replace('For sites with a cluster.', 'Not released yet.') },
      /what it is for/,
    ],
    [{ changelog: CHANGELOG.replace('### When you upgrade', '### Changes') }, /When you upgrade/],
    [{ next: '' }, /not given.*NEXT=/],
    [{ next: '0.3.0' }, /none that follows/],
    [{ next: '0.2.9' }, /none that follows/],
  ])('is refused for %o', (change, why) => {
    const problems = releaseProblems({ ...READY, ...change });
    expect(problems.join('\n')).toMatch(why);
  });

  it('leaves its commit in the changelog, where tests of upgrades find it, and a heading for the next version', () => {
    const after = changelogAfter(CHANGELOG, { version: '0.3.0', next: '0.3.1', commit: 'abcdef0' });
    expect(after).toContain('## 0.3.1\n\nNot released yet.\n\n### Changes\n\n## 0.3.0\n');
    expect(after).toContain('For sites with a cluster: commit `abcdef0`.\n');
    expect(after).toContain('Beside others: commit `1b023b2`.\n');
    expect(releases(after)).toEqual(['0.3.0', '0.2.0']);
  });

  it.each(Object.entries(VERSION_PLACES))(
    'of another version changes the number in %s, and nothing else there',
    (file, changed) => {
      const text = readDocument(file);
      const version = versionOfThis();
      const after = changed(text, version, '77.8.9');
      expect(after).not.toBe(text);
      expect(after.replaceAll('77.8.9', version)).toBe(text);
    },
  );
});
