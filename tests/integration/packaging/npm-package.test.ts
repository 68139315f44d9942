import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { versionOfThis } from '../../../src/infra/config/version.ts';
import { Lab, PACKAGE, PYTHON } from '../../support/lab.ts';

const run = promisify(execFile);

let lab: Lab;
/** The unpacked package: without node_modules, and outside the checkout. */
let root: string;
let files: string[];
let dashboard: ChildProcess | undefined;

beforeAll(async () => {
  lab = await Lab.start();
  // What is built is there already: `prepack` would build it again, under the other tests.
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', lab.root],
    { cwd: PACKAGE },
  );
  const answer = JSON.parse(stdout) as PackAnswer[] | Record<string, PackAnswer>;
  const [packed] = Object.values(answer);
  files = packed!.files.map(({ path }) => path);
  await run('tar', ['-xzf', join(lab.root, packed!.filename), '-C', lab.root]);
  root = join(lab.root, 'package');
});
afterAll(async () => {
  if (dashboard?.kill() === true) await once(dashboard, 'exit');
  await lab?.end();
});

interface PackAnswer {
  filename: string;
  files: { path: string }[];
}

it('the npm package holds what runs, and nothing that lies about', () => {
  const needed = ['bin/bootstrax', 'dist/bootstrax.mjs', 'dist/web/index.html', 'LICENSE'];
  const python = ['worker/bootstrax_worker/__main__.py', 'client/bootstrax_client/py.typed'];
  expect(files).toEqual(expect.arrayContaining([...needed, ...python, 'README.md']));
  expect(files.filter((path) => /^(src|tests|web|node_modules)\/|__pycache__/.test(path))).toEqual(
    [],
  );
});

it('the command of the npm package runs without any other npm package', async () => {
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    bin: { bootstrax: string };
  };
  const { stdout } = await run(join(root, bin.bootstrax), ['--version']);
  expect(stdout).toContain(versionOfThis());
});

it('the dashboard of the npm package serves its pages and its API', async () => {
  dashboard = spawn(join(root, 'bin/bootstrax'), ['dashboard', '--port', '0', '--json'], {
    env: lab.env(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: dashboard.stdout! });
  const [line] = (await once(lines, 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  expect(await (await fetch(url)).text()).toContain('<div id="app">');
  expect((await fetch(new URL('/api/runs', url))).status).toBe(200);
});

it('the worker of the npm package is found by Python', async () => {
  const code = 'import bootstrax_worker; print(bootstrax_worker.__file__)';
  const { stdout } = await run(PYTHON, ['-c', code], {
    env: { ...process.env, PYTHONPATH: join(root, 'worker') },
  });
  expect(stdout.trim()).toBe(join(root, 'worker/bootstrax_worker/__init__.py'));
});
