import type { Command } from 'commander';

import { type ChangeSummary, summaryOf } from '../../features/shadow/compare.pure.ts';
import {
  type Configuration,
  type Replayed,
  type ReplayedRun,
  replayRun,
} from '../../features/shadow/replay.pure.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { loadSettings } from '../../infra/config/load-config.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import type { DecisionInputs } from '../../plan/plan.pure.ts';
import { localQuery } from '../framework/answering.ts';
import { decisionInputs } from '../framework/decision-inputs.ts';
import { style, table } from '../framework/output.ts';
import { failureCount, runDocuments } from '../framework/run-documents.ts';
import { settingsOf } from '../framework/setting-flags.ts';

interface Options {
  against?: string;
  failures?: string;
}

/** What `replay --json` prints. */
interface Replay {
  /** Documents that are runs. */
  runs: number;
  malformed: number;
  changed: ReplayedRun[];
  summary: ChangeSummary<Replayed>[];
}

const EXAMPLES = 3;

/** `bootstrax replay FILE`: what another configuration would have decided about runs of the past. */
export function addReplay(program: Command): void {
  localQuery(program, {
    name: 'replay',
    about: 'what this configuration would decide otherwise than another one, run by run',
    takes: (command) =>
      command
        .argument(
          '<file>',
          'exported run documents, Extended JSON, one a line; - is standard input',
        )
        .option('--against <file>', 'the other configuration; without it, the built-in defaults')
        .option('--failures <number>', 'as if each run had failed this number of times')
        .addHelpText(
          'after',
          '\nNo database, no Python. Changes are from the other one to this one.',
        ),
    json: 'one object: {runs, malformed, changed: [{run, changes}], summary}',
    read: async (command, { against, failures }: Options, file: string) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      const tried = await configurationOf(settings);
      const other = await otherConfiguration(against ?? null, settings, tried.decisions);
      const count = failures === undefined ? null : failureCount('--failures', failures);
      return replayAll(file, other, tried, count);
    },
    draw: (replay, { against = 'the built-in defaults' }) => draw(replay, against),
  });
}

async function configurationOf(settings: Settings): Promise<Configuration> {
  return onHost(settings, await decisionInputs(settings));
}

function onHost({ host: { name, role } }: Settings, decisions: DecisionInputs): Configuration {
  return { host: { host: name, role, accepting: { ok: true } }, decisions };
}

/**
 * Only of its file: flags and variables belong to the configuration that is tried. It is of the same
 * host, and its context makes the same, as far as nothing else is known.
 */
async function otherConfiguration(
  file: string | null,
  { host }: Settings,
  { graph }: DecisionInputs,
): Promise<Configuration> {
  const { settings } = await loadSettings({
    env: {},
    flags: { '--host': host.name },
    file,
    hostName: () => Promise.resolve({ name: host.name, warning: null }),
    withoutCredentials: true,
  });
  const { rules } = settings;
  return onHost(settings, {
    rules,
    hostTable: settings.host.resourceTable,
    shedding: rules.targets.shedding,
    graph,
    culprits: [],
    memoryFailures: 0,
    hostTargets: null,
    rateMBps: null,
  });
}

async function replayAll(
  file: string,
  other: Configuration,
  tried: Configuration,
  failures: number | null,
): Promise<Replay> {
  const replay: Replay = { runs: 0, malformed: 0, changed: [], summary: [] };
  // Any time after all of the runs.
  const now = new Date();
  for await (const parsed of runDocuments('replay', file)) {
    if (parsed.kind === 'malformed') {
      replay.malformed += 1;
      continue;
    }
    replay.runs += 1;
    const replayed = replayRun(parsed.run, { other, tried }, failures, now);
    if (replayed.changes.length > 0) replay.changed.push(replayed);
  }
  return { ...replay, summary: summaryOf(replay.changed, EXAMPLES) };
}

function draw({ runs, malformed, changed, summary }: Replay, other: string): string {
  const changes = changed.flatMap(({ run, changes: ofRun }) => [
    style('bold', `run ${run}`),
    ...ofRun.map(
      ({ decision, from, to }) => `  ${decision.padEnd(18)} ${inWords(from)}  ->  ${inWords(to)}`,
    ),
  ]);
  const skipped =
    malformed === 0
      ? ''
      : `; ${counted(malformed, 'malformed document is', 'malformed documents are')} left out`;
  return [
    ...changes,
    ...(changed.length > 0 ? [''] : []),
    `${changed.length} of ${counted(runs, 'run')} come out otherwise than with ${other}${skipped}.`,
    ...(summary.length === 0 ? [] : [summaryTable(summary)]),
  ].join('\n');
}

function summaryTable(summary: Replay['summary']): string {
  return table(
    ['decision', 'runs', 'for example'],
    summary.map(({ decision, count, examples: [first] }) => [
      decision,
      String(count),
      first === undefined
        ? ''
        : `${first.run ?? '?'}: ${inWords(first.from)} -> ${inWords(first.to)}`,
    ]),
  );
}

function inWords(value: unknown): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(' ') : JSON.stringify(value);
}
