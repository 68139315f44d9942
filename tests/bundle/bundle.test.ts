import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, chownSync, readFileSync } from 'node:fs';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PACKAGE } from '../support/lab.ts';
import { type Lack, lacking, NOT_ROOT } from '../support/lacking.ts';

const run = promisify(execFile);
const PASSWORD = 'p@:/%s';
/** Nobody in particular: one installs, the other runs what was installed. */
const INSTALLER = 65533;
const USER = 65534;
const MINUTES = 60_000;
const AS_USER = join(PACKAGE, 'tests/bundle/as_user.py');
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function impossible(): Lack | null {
  if (NOT_ROOT !== null) return NOT_ROOT;
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) {
    return { why: 'unshare -n (util-linux) gives no network name space here' };
  }
  const python = spawnSync(
    'python3.11',
    ['-c', 'import os; os.setuid(65534); import venv, ensurepip, ssl'],
    { env: { PATH: SYSTEM_PATH } },
  );
  if (python.status !== 0) {
    const why = 'there is no Python 3.11 with venv that every user can start';
    return { why, isProgram: true };
  }
  return null;
}

let root: string;
let bundle: string;
let home: string;
let version: string;

/** Runs a program without network, as this user, in an environment of almost nothing. */
async function asUser(uid: number, program: string, ...args: string[]) {
  return run('unshare', ['-n', 'python3.11', AS_USER, String(uid), program, ...args], {
    cwd: '/',
    env: { PATH: SYSTEM_PATH, HOME: home, LANG: 'C.UTF-8' },
    timeout: 8 * MINUTES,
    maxBuffer: 1e8,
  });
}

const install = (prefix: string, from: string, ...args: string[]) =>
  asUser(INSTALLER, join(from, 'install.sh'), '--prefix', prefix, ...args);

async function folderOf(uid: number, name: string): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  chownSync(folder, uid, uid);
  return folder;
}

/** All files below a folder, relative to it. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function checksums(folder: string): Promise<void> {
  const lines = (await filesIn(folder))
    .filter((name) => name !== 'SHA256SUMS')
    .map((name) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex');
      return `${digest}  ./${name}\n`;
    });
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
}

describe.skipIf(lacking(impossible()))('the bundle', () => {
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'bootstrax-bundle-'));
    await chmod(root, 0o755);
    await run(join(PACKAGE, 'scripts/bundle.sh'));
    const { version: built } = JSON.parse(
      await readFile(join(PACKAGE, 'package.json'), 'utf8'),
    ) as { version: string };
    version = built;
    const name = `bootstrax-${version}-linux-x64`;
    execFileSync('tar', ['-xzf', join(PACKAGE, 'dist', `${name}.tar.gz`), '-C', root]);
    bundle = join(root, name);
    home = join(root, 'home');
    await mkdir(home, { mode: 0o555 });
  }, 8 * MINUTES);

  afterAll(() => rm(root, { recursive: true, force: true }), MINUTES);

  it(
    'installs without network, and takes three runs as a user without rights; the password is nowhere',
    async () => {
      const prefix = await folderOf(INSTALLER, 'opt');
      const { stdout: told } = await install(prefix, bundle);
      expect(told).toMatch(/\[5\/5\] Switching .*\nDone\./);
      expect(await readlink(join(prefix, 'current'))).toBe(`versions/${version}`);

      const work = await folderOf(USER, 'work');
      await writeFile(join(work, 'password'), PASSWORD, { mode: 0o600 });
      chownSync(join(work, 'password'), USER, USER);
      const current = join(prefix, 'current');
      const { stdout } = await asUser(
        USER,
        join(current, '.venv/bin/python'),
        ...[join(PACKAGE, 'tests/bundle/three_runs.py'), current, work],
      ).catch(async (error: Error & { stdout: string; stderr: string }) => {
        const logs = ['outputs/manager-1.log', 'outputs/manager-2.log', 'state/worker.log'].map(
          (name) => readFile(join(work, name), 'utf8').catch(() => `no ${name}`),
        );
        throw new Error(`${error.stderr}\n${(await Promise.all(logs)).join('\n---\n')}`);
      });
      const seen = JSON.parse(stdout) as {
        runs: { number: number; state: string; types: string[] }[];
        commands: Record<string, number>;
        collections: Record<string, number>;
      };
      expect(seen).toMatchObject({
        uids: [USER, USER, USER],
        groups: [],
        network: ['lo'],
        homeIsWritable: false,
        programIsWritable: false,
        refused: 1,
        buildsStraxen: true,
      });
      expect(seen.runs.map(({ number, state }) => [number, state])).toEqual([
        [1, 'done'],
        [2, 'done'],
        [3, 'done'],
      ]);
      for (const { types } of seen.runs) expect(types).toContain('peak_basics');
      expect(new Set(Object.values(seen.commands))).toEqual(new Set([0]));
      // What the search below goes through is really there.
      expect(seen.collections['runs.bootstrax_attempts']).toBe(3);
      expect(seen.collections['daq.eb_monitor']).toBeGreaterThan(0);
      const commandLines = await readFile(join(work, 'outputs/command-lines.txt'), 'utf8');
      expect(commandLines).toMatch(/node\/bin\/node .*bin\/bootstrax .* run/);
      expect(commandLines).toMatch(/-m bootstrax_worker serve/);
      expect((await stats(join(work, 'report.json'))).size).toBeGreaterThan(10_000);

      // Whatever else is written by the server itself, credentials among it, lies in `database`.
      const searched = (await filesIn(work)).filter((name) => !name.startsWith('database/'));
      expect(searched).toContain('outputs/documents.json');
      expect(searched.some((name) => /^state\/attempts\/\w+\/plan\.json$/.test(name))).toBe(true);
      expect(searched.some((name) => /^state\/attempts\/\w+\/log\.txt$/.test(name))).toBe(true);
      const found: string[] = [];
      for (const name of searched) {
        const text = (await readFile(join(work, name))).toString('latin1').toLowerCase();
        if (FORMS.some((form) => text.includes(form.toLowerCase()))) found.push(name);
      }
      expect(found.sort()).toEqual(['credentials', 'credentials-wrong', 'password']);
    },
    12 * MINUTES,
  );

  it(
    'switches to another version and back by one symbolic link',
    async () => {
      const prefix = await folderOf(INSTALLER, 'site');
      const small = join(root, 'small');
      await cutDown(small, '1.0.0');
      await install(prefix, small);
      const now = async () =>
        (await asUser(USER, join(prefix, 'current/bin/bootstrax'), '--version')).stdout.trim();
      expect(await now()).toBe('1.0.0');

      const next = join(root, 'next');
      await cutDown(next, '2.0.0');
      const { stdout } = await install(prefix, next, '--no-switch');
      expect(await now()).toBe('1.0.0');
      const command = /^ {2}(ln -sfn .*)$/m.exec(stdout)?.[1] ?? '';
      await asUser(INSTALLER, 'sh', '-c', command);
      expect(await now()).toBe('2.0.0');
      expect((await lstat(join(prefix, 'current'))).isSymbolicLink()).toBe(true);
      await asUser(INSTALLER, 'sh', '-c', command.replace('2.0.0', '1.0.0'));
      expect(await now()).toBe('1.0.0');
      expect((await readdir(prefix)).sort()).toEqual(['current', 'versions']);

      // Once more does no harm, and switches.
      expect((await install(prefix, next)).stdout).toContain('is installed already');
      expect(await now()).toBe('2.0.0');
    },
    5 * MINUTES,
  );

  it(
    'installs over what an interrupted installation left, and over nothing else',
    async () => {
      const prefix = await folderOf(INSTALLER, 'half');
      const small = join(root, 'half-bundle');
      await cutDown(small, '1.0.0');
      const target = join(prefix, 'versions/1.0.0');
      await asUser(
        INSTALLER,
        ...(['sh', '-c', `mkdir -p ${target}/dist && touch ${target}/dist/bootstrax.mjs`] as const),
      );
      await expect(install(prefix, small)).rejects.toThrow(/none of ours/);
      await asUser(INSTALLER, 'touch', join(target, '.installing'));
      await install(prefix, small);
      expect(await readdir(target)).toEqual(expect.arrayContaining(['.installed', '.venv']));
      expect(await readdir(target)).not.toContain('.installing');
    },
    5 * MINUTES,
  );

  it('refuses to install when a file is damaged or missing', async () => {
    const prefix = await folderOf(INSTALLER, 'damaged-site');
    const damaged = join(root, 'damaged');
    await cutDown(damaged, '1.0.0');
    appendFileSync(join(damaged, 'app/dist/bootstrax.mjs'), '\n');
    await expect(install(prefix, damaged)).rejects.toThrow(/the bundle is damaged/);
    await rm(join(damaged, 'app/dist/bootstrax.mjs'));
    await expect(install(prefix, damaged)).rejects.toThrow(/the bundle is damaged/);
    expect(await readdir(prefix)).toEqual([]);
  });

  it('brings licences and says what is in it', async () => {
    const manifest = await readFile(join(bundle, 'MANIFEST'), 'utf8');
    expect(manifest).toMatch(new RegExp(`^version: ${version.replaceAll('.', '\\.')}$`, 'm'));
    expect(manifest).toMatch(new RegExp(`^node: ${process.version} `, 'm'));
    const files = await filesIn(bundle);
    expect(files).toEqual(
      expect.arrayContaining([
        ...['app/LICENSE', 'app/CHANGELOG.md', 'node/LICENSE', 'licenses/mongodb/LICENSE.md'],
      ]),
    );
    const sums = (await readFile(join(bundle, 'SHA256SUMS'), 'utf8')).trim().split('\n');
    const summed = sums.map((line) => line.slice(line.indexOf('./') + 2));
    expect(summed.sort()).toEqual(files.filter((name) => name !== 'SHA256SUMS').sort());
    const locked = (await readFile(join(bundle, 'app/worker/requirements.lock'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('=='));
    expect(files.filter((name) => name.endsWith('.whl'))).toHaveLength(locked.length);
  });
});

/** A bundle of another version without its Python packages, which take most of the time. */
async function cutDown(to: string, as: string): Promise<void> {
  await cp(bundle, to, {
    recursive: true,
    filter: (source) => !source.endsWith('.whl'),
  });
  const change = async (name: string, from: RegExp, into: string) => {
    const text = await readFile(join(to, name), 'utf8');
    expect(text).toMatch(from);
    await writeFile(join(to, name), text.replace(from, into));
  };
  await change('MANIFEST', /^version: .*$/m, `version: ${as}`);
  // The version is built in.
  await change(
    'app/dist/bootstrax.mjs',
    /(\bversion: ")\d+\.\d+\.\d+(",\s+description: "Processes)/,
    `$1${as}$2`,
  );
  await writeFile(join(to, 'app/worker/requirements.lock'), '');
  await checksums(to);
}

const stats = (path: string) => lstat(path);

/** As it is; in a URL, once and twice; in JSON; in Base64, alone and after `daq:`. */
const FORMS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  encodeURIComponent(encodeURIComponent(PASSWORD)),
  encodeURI(PASSWORD),
  JSON.stringify(PASSWORD).slice(1, -1).replaceAll('/', '\\/'),
  'p%40:/%25s',
  'p@:/%%s',
  Buffer.from(PASSWORD).toString('base64'),
  Buffer.from(`daq:${PASSWORD}`).toString('base64'),
  Buffer.from(`\0daq\0${PASSWORD}`).toString('base64'),
];
