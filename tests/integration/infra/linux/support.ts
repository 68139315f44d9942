import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrax-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Awaits a condition; throws with its name when it does not come true. */
export async function until(
  what: string,
  condition: () => boolean,
  limitSeconds = 20,
): Promise<void> {
  const limit = performance.now() + limitSeconds * 1000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`never happened: ${what}`);
    await delay(5);
  }
}

/** A process that is killed after the test, whatever the test did to it. */
export function start(command: string, args: string[], options = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** A module that uses the project's sources, as a file that Node runs. */
export async function bundled(folder: string, source: string): Promise<string> {
  const file = join(folder, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: process.cwd(), loader: 'ts' },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return file;
}

/** Nobody in particular. */
const NOBODY = 65534;

/** What a program says that somebody runs who has no rights here. It may enter `folder`. */
export async function saidByNobody(source: string, folder: string): Promise<string> {
  const place = temporaryFolder();
  const program = await bundled(place, source);
  for (const each of [place, folder]) chmodSync(each, 0o755);
  const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return execFileSync(process.execPath, [program], other).toString();
}
