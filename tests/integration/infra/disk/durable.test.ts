import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { PACKAGE } from '../../../support/lab.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bootstrax-durable-'));
  for (const folder of ['place', 'output']) await mkdir(join(root, folder));
  await writeFile(join(root, 'place/chunk'), 'data');
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface TraceEvent {
  name: string;
  ph: string;
  args: { path?: string; old_path?: string; new_path?: string };
}

/** What a process of its own asks of the system, in order: renames, and folders forced to disk. */
async function calls(from: string, to: string): Promise<string[]> {
  const module = join(root, 'durable.mjs');
  await build({
    entryPoints: [join(PACKAGE, 'src/infra/disk/durable.ts')],
    outfile: module,
    ...{ bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' },
  });
  const code = `import { renameDurable } from ${JSON.stringify(module)};
await renameDurable('place.publish', ${JSON.stringify(from)}, ${JSON.stringify(to)});`;
  await promisify(execFile)(
    process.execPath,
    ['--trace-event-categories', 'node.fs.async', '--input-type=module', '--eval', code],
    { cwd: root, env: { PATH: process.env['PATH'] } },
  );
  const [log] = (await readdir(root)).filter((name) => name.startsWith('node_trace'));
  const text = await readFile(join(root, log!), 'utf8');
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
  const made: string[] = [];
  let opened = '';
  for (const { name, args } of traceEvents.filter((event) => event.ph === 'b')) {
    if (name === 'open') opened = args.path ?? '';
    if (name === 'rename') made.push(`rename ${args.old_path ?? ''} ${args.new_path ?? ''}`);
    if (name === 'fsync') made.push(`force ${opened}`);
  }
  return made;
}

test('after a rename to another folder both folders are forced to disk', async () => {
  const [from, to] = [join(root, 'place/chunk'), join(root, 'output/chunk')];
  expect(await calls(from, to)).toEqual([
    `rename ${from} ${to}`,
    `force ${join(root, 'output')}`,
    `force ${join(root, 'place')}`,
  ]);
  expect(await readFile(to, 'utf8')).toBe('data');
});

test('after a rename within a folder it is forced to disk once', async () => {
  const [from, to] = [join(root, 'place/chunk'), join(root, 'place/other')];
  expect(await calls(from, to)).toEqual([`rename ${from} ${to}`, `force ${join(root, 'place')}`]);
});
