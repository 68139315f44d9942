import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Secrets } from '../../../features/report/report-secrets.ts';
import { settingsAndEmbedded } from '../../framework/with-database.ts';
import { CommandFailure } from '../../framework/command-failure.ts';
import { bytes, print, printJson } from '../../framework/output.ts';
import { collectReport } from './report-contents.ts';

import { runNumber } from '../../framework/run-number.ts';

/** `bootstrax report [N]`: everything a maintainer asks for, in one file without secrets. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('one file for a bug report: settings, versions, checks, logs, and all about a run')
    .argument('[run]', 'run number', runNumber)
    .option('--out <file>', 'where to write it (default: bootstrax-report-....json here)')
    .option('--json', 'print the report itself instead of writing a file')
    .action(async (run: number | undefined, options: { out?: string; json?: boolean }, command) => {
      await report(run ?? null, options, command as Command);
    });
}

async function report(
  run: number | null,
  options: { out?: string; json?: boolean },
  command: Command,
): Promise<void> {
  const loaded = await settingsAndEmbedded(command);
  const secrets = new Secrets(loaded.settings, process.env);
  const contents = secrets.remove(await collectReport(loaded, run));
  if (options.json) {
    printJson(contents);
    return;
  }
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const about = run === null ? '' : `-run-${run}`;
  const file = resolve(options.out ?? `bootstrax-report${about}-${stamp}.json`);
  const text = `${JSON.stringify(contents, null, 1)}\n`;
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw new CommandFailure(2, `cannot write ${file}: ${(error as Error).message}`);
  }
  print(
    `${file} (${bytes(Buffer.byteLength(text))})\nPasswords are removed; look through it before you send it.`,
  );
}
