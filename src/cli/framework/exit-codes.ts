import { CommanderError } from 'commander';

import { ENTRIES } from '../../infra/config/entries.ts';
import { ConfigurationFailure } from '../../infra/config/load-config.ts';
import { closest } from '../../infra/config/suggest.pure.ts';
import { CommandFailure } from './command-failure.ts';
import { printJson } from './output.ts';

/** Exit code of an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationFailure) return 2;
  if (error instanceof CommandFailure) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}

/** The setting that a misspelled flag most likely meant: settings are hidden from the help. */
export function meantFlag(error: CommanderError): string | null {
  const given = /unknown option '(--[^'=]+)/.exec(error.message)?.[1];
  if (given === undefined) return null;
  return closest(
    given,
    ENTRIES.flatMap(({ flag }) => flag ?? []),
  );
}

/** Says what went wrong on standard error and, with `--json`, as an object on standard output. */
export function report(error: unknown, asJson: boolean): void {
  const message = messageOf(error);
  if (asJson) printJson({ error: message });
  for (const line of message.split('\n')) process.stderr.write(`bootstrax: ${line}\n`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Errors that the program foresees speak for themselves; of others the place is needed.
  const foreseen = ['CommandFailure', 'ConfigurationFailure', 'StoreError'].includes(error.name);
  return foreseen ? error.message : (error.stack ?? error.message);
}
