import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { shadowLogPath } from '../../features/shadow/shadow-log.ts';
import { shadowReport, type ShadowReport } from '../../features/shadow/shadow-report.pure.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { print, printJson, table } from '../framework/output.ts';
import { settingsOf } from '../framework/setting-flags.ts';

/** `bootstrax shadow-report`: how often a shadow would have decided as the others did. */
export function addShadowReport(program: Command): void {
  program
    .command('shadow-report')
    .description('where `run --shadow` would have decided as others did, and where otherwise')
    .option('--json', 'one object: {from, to, runs, kinds: [{kind, agree, differ, unknown, ...}]}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      const path = shadowLogPath(settings.paths.stateDir);
      const report = shadowReport(await logLines(path));
      if (json) printJson(report);
      else draw(report);
    });
}

/** Lines that are no JSON are undefined. */
async function logLines(path: string): Promise<unknown[]> {
  try {
    await stat(path);
  } catch {
    throw new CommandFailure(1, `there is no ${path}: let bootstrax run --shadow look on first`);
  }
  const lines: unknown[] = [];
  for await (const text of createInterface({ input: createReadStream(path) })) {
    if (text !== '') lines.push(parsed(text));
  }
  return lines;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function draw({ from, to, runs, kinds, unreadable }: ShadowReport): void {
  if (from === null || to === null) {
    print('Nothing was seen yet.');
    return;
  }
  print(`${runs} runs from ${from} to ${to}`);
  print(
    table(
      ['decision', 'the same', 'otherwise', 'not known'],
      kinds.map(({ kind, agree, differ, unknown }) =>
        [kind, agree, differ, unknown].map((cell) => String(cell)),
      ),
    ),
  );
  for (const { kind, changes } of kinds) {
    for (const { decision, count, examples } of changes) {
      const [first] = examples;
      const example =
        first === undefined
          ? ''
          : `, as run ${first.run ?? '?'}: ${JSON.stringify(first.from)}, here ${JSON.stringify(first.to)}`;
      print(`${kind}: ${decision} differs ${count === 1 ? 'once' : `${count} times`}${example}`);
    }
  }
  if (unreadable > 0) print(`${unreadable} lines cannot be read and are left out.`);
}
