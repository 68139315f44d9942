import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';

import { Secrets } from '../../../features/report/report-secrets.ts';
import { localQuery } from '../../framework/answering.ts';
import { CommandFailure } from '../../framework/command-failure.ts';
import { bytes } from '../../framework/output.ts';
import { runNumber } from '../../framework/run-number.ts';
import { settingsAndEmbedded } from '../../framework/with-database.ts';
import { collectReport } from './report-contents.ts';

interface Options {
  out?: string;
  json?: boolean;
}

/** `bootstrax report [N]`: everything a maintainer asks for, in one file without secrets. */
export function addReport(program: Command): void {
  localQuery(program, {
    name: 'report',
    about: 'one file for a bug report: settings, versions, checks, logs, and all about a run',
    takes: (command) =>
      command
        .argument('[run]', 'run number', runNumber)
        .option('--out <file>', 'where to write it (default: bootstrax-report-....json here)'),
    json: 'print the report itself instead of writing a file',
    read: async (command, { out, json }: Options, run: number | undefined) => {
      const loaded = await settingsAndEmbedded(command);
      const secrets = new Secrets(loaded.settings, process.env);
      const contents = secrets.remove(await collectReport(loaded, run ?? null));
      return { contents, written: json ? null : await write(contents, run ?? null, out) };
    },
    shape: ({ contents }) => contents,
    draw: ({ written }) =>
      `${written?.file ?? ''} (${bytes(written?.size ?? 0)})\nPasswords are removed; read it before you send it.`,
  });
}

async function write(
  contents: unknown,
  run: number | null,
  out: string | undefined,
): Promise<{ file: string; size: number }> {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const about = run === null ? '' : `-run-${run}`;
  const file = resolve(out ?? `bootstrax-report${about}-${stamp}.json`);
  const text = `${JSON.stringify(contents, null, 1)}\n`;
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw new CommandFailure(2, `cannot write ${file}: ${(error as Error).message}`);
  }
  return { file, size: Buffer.byteLength(text) };
}
