import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';

import { shadowLogPath } from '../../features/shadow/shadow-log.ts';
import { type ShadowReport, shadowReport } from '../../features/shadow/shadow-report.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { localQuery } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { table } from '../framework/output.ts';
import { settingsOf } from '../framework/setting-flags.ts';

/** `bootstrax shadow-report`: how often a shadow would have decided as the others did. */
export function addShadowReport(program: Command): void {
  localQuery(program, {
    name: 'shadow-report',
    about: 'where `run --shadow` would have decided as others did, and where otherwise',
    json: 'one object: {from, to, runs, kinds: [{kind, agree, differ, unknown, ...}]}',
    read: async (command) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      return shadowReport(await logLines(shadowLogPath(settings.paths.stateDir)));
    },
    draw,
  });
}

/** Lines that are no JSON are undefined. */
async function logLines(path: string): Promise<unknown[]> {
  try {
    await stat(path);
  } catch {
    throw new CommandFailure(1, `there is no ${path}: start bootstrax run --shadow first`);
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

function draw({ from, to, runs, kinds, unreadable }: ShadowReport): string {
  if (from === null || to === null) return 'Nothing was seen yet.';
  return [
    `${counted(runs, 'run')} from ${from} to ${to}`,
    table(
      ['decision', 'the same', 'otherwise', 'not known'],
      kinds.map(({ kind, agree, differ, unknown }) =>
        [kind, agree, differ, unknown].map((cell) => String(cell)),
      ),
    ),
    ...kinds.flatMap(({ kind, changes }) => changes.map((change) => changeLine(kind, change))),
    ...(unreadable > 0
      ? [
          `${counted(unreadable, 'line cannot be read and is', 'lines cannot be read and are')} left out.`,
        ]
      : []),
  ].join('\n');
}

type Kind = ShadowReport['kinds'][number];

function changeLine(
  kind: Kind['kind'],
  { decision, count, examples }: Kind['changes'][number],
): string {
  const [first] = examples;
  const example =
    first === undefined
      ? ''
      : `, as run ${first.run ?? '?'}: ${JSON.stringify(first.from)}, here ${JSON.stringify(first.to)}`;
  return `${kind}: ${decision} differs ${count === 1 ? 'once' : counted(count, 'time')}${example}`;
}
