// Releases the version of package.json. It refuses what is not ready, runs all tests, tags
// the commit, makes the archive from it, and begins the next version with the released commit in the changelog.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

import { changelogAfter, releaseProblems, VERSION_PLACES } from './release-texts.ts';

const CHANGELOG = 'CHANGELOG.md';
const SHORT = 7;

const git = (...words: string[]): string => execFileSync('git', words, { encoding: 'utf8' }).trim();
const make = (target: string): void => void execFileSync('make', [target], { stdio: 'inherit' });
const read = (file: string): string => readFileSync(file, 'utf8');

const next = process.argv[2] ?? '';
const { version } = JSON.parse(read('package.json')) as { version: string };
const problems = releaseProblems({
  changelog: read(CHANGELOG),
  version,
  next,
  uncommitted: git('status', '--porcelain'),
  branch: git('rev-parse', '--abbrev-ref', 'HEAD'),
  tags: git('tag').split('\n'),
});
if (problems.length > 0) {
  console.error(`make release: ${version} cannot be released:`);
  for (const problem of problems) console.error(`  - ${problem}`);
  process.exit(1);
}

make('test');
const commit = git('rev-parse', 'HEAD');
make('bundle');
git('tag', '--annotate', `v${version}`, '--message', `Release ${version}`, commit);

writeFileSync(
  CHANGELOG,
  changelogAfter(read(CHANGELOG), { version, next, commit: commit.slice(0, SHORT) }),
);
for (const [file, changed] of Object.entries(VERSION_PLACES)) {
  writeFileSync(file, changed(read(file), version, next));
}
git(
  'commit',
  '--all',
  '--message',
  `Version ${next} begins; ${version} is commit ${commit.slice(0, SHORT)}`,
);

console.log(
  [
    `Released ${version} as commit ${commit.slice(0, SHORT)}, tag v${version}.`,
    `dist/bootstrax-${version}-linux-x64.tar.gz and its checksum are the archive.`,
    `This checkout now has version ${next}. To publish: git push origin main v${version}`,
  ].join('\n'),
);
