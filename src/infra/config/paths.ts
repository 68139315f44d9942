import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the plugin graph that the worker last reported for a context is kept. */
export function graphPath(stateDir: string, context: string): string {
  return join(stateDir, `graph-${context.replace(/[^A-Za-z0-9]/g, '_')}.json`);
}

/** Where the fork servers of a state folder are found. */
export function workersPath(stateDir: string): string {
  return join(stateDir, 'workers');
}

/** Where attempts write until their products are checked: beside the output folder unless it is set. */
export function stagingDirectory(paths: { output: string; staging: string | null }): string {
  const output = resolve(paths.output);
  return paths.staging ?? join(dirname(output), `${basename(output)}.staging`);
}

/** Directory of the installed package: above `dist/` when bundled, above `src/infra/config/` in tests. */
export function packageDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return here.endsWith('/dist') ? dirname(here) : join(here, '..', '..', '..');
}

/** `$XDG_STATE_HOME`, else `~/.local/state`. */
export function stateHome(env: Readonly<Record<string, string | undefined>>): string {
  return env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
}
