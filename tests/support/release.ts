import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { PACKAGE } from './lab.ts';
import { type Lack } from './lacking.ts';

const run = promisify(execFile);
const MAX_BYTES = 100_000_000;

const changelogOfThis = () => readFileSync(join(PACKAGE, 'CHANGELOG.md'), 'utf8');

/** The commit of a release, as CHANGELOG.md names it. */
function commitOf(version: string): string {
  const [, section = ''] = changelogOfThis().split(`\n## ${version}\n`);
  const [, commit] = /commit `([0-9a-f]+)`/.exec(section) ?? [];
  if (commit === undefined) throw new Error(`CHANGELOG.md names no commit of ${version}`);
  return commit;
}

/** The versions of which the changelog names a commit, newest first. */
export function releases(changelog = changelogOfThis()): string[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .filter((section) => /commit `[0-9a-f]+`/.test(section))
    .map((section) => section.slice(0, section.indexOf('\n')));
}

/** The newest release, from which sites upgrade to this version. */
export function lastRelease(): string {
  const [newest] = releases();
  if (newest === undefined) throw new Error('CHANGELOG.md names no commit of a release');
  return newest;
}

/** Why an earlier release cannot be built here, or null: a shallow clone has no history. */
export function releaseMissing(version: string): Lack | null {
  const commit = commitOf(version);
  const { status } = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: PACKAGE });
  if (status === 0) return null;
  return { why: `commit ${commit} of ${version} is not in this clone: git fetch --unshallow` };
}

/** What is installed here, and what the release needs besides: packages that are not used any more. */
async function linkPackages(path: string): Promise<void> {
  const here = join(PACKAGE, 'node_modules');
  const { dependencies } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const names = Object.keys(dependencies).filter((name) => !existsSync(join(here, name)));
  if (names.length === 0) return symlink(here, join(path, 'node_modules'));
  const gone = join(path, 'gone');
  await mkdir(gone);
  await writeFile(join(gone, 'package.json'), '{}');
  const packages = names.map((name) => `${name}@${dependencies[name]!}`);
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--no-save'];
  await run('npm', ['install', ...quietly, ...packages], { cwd: gone, maxBuffer: MAX_BYTES });
  await mkdir(join(path, 'node_modules'));
  for (const from of [here, join(gone, 'node_modules')]) {
    for (const name of await readdir(from)) {
      const link = join(path, 'node_modules', name);
      if (!existsSync(link)) await symlink(join(from, name), link);
    }
  }
}

/** An earlier release, built in a folder of its own with what is installed here. */
export class Release {
  private constructor(readonly path: string) {}

  static async build(version: string): Promise<Release> {
    const path = await mkdtemp(join(tmpdir(), `bootstrax-${version}-`));
    const archive = join(path, 'release.tar');
    await run('git', ['archive', '--output', archive, commitOf(version)], { cwd: PACKAGE });
    await run('tar', ['-xf', archive, '-C', path]);
    await rm(archive);
    await linkPackages(path);
    await run(process.execPath, ['scripts/build.mjs'], { cwd: path, maxBuffer: MAX_BYTES });
    return new Release(path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
