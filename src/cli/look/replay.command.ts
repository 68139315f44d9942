import type { Command } from 'commander';
import type { Settings } from '../../infra/config/entries.ts';
import { loadSettings } from '../../infra/config/load-config.ts';
import { summaryOf, type ChangeSummary } from '../../features/shadow/compare.pure.ts';
import type { DecisionInputs } from '../../plan/plan.pure.ts';
import {
  replayRun,
  type Configuration,
  type Replayed,
  type ReplayedRun,
} from '../../features/shadow/replay.pure.ts';
import { decisionInputs } from '../framework/decision-inputs.ts';
import { print, printJson, style, table } from '../framework/output.ts';
import { failureCount, runDocuments } from '../framework/run-documents.ts';
import { settingsOf } from '../framework/setting-flags.ts';

interface Options {
  against?: string;
  failures?: string;
  json?: boolean;
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
  program
    .command('replay')
    .description('what this configuration would decide otherwise than another one, run by run')
    .argument('<file>', 'exported run documents, Extended JSON, one a line; - is standard input')
    .option('--against <file>', 'the other configuration; without it, the built-in defaults')
    .option('--failures <number>', 'as if each run had failed so often')
    .option('--json', 'one object: {runs, malformed, changed: [{run, changes}], summary}')
    .addHelpText('after', '\nNo database, no Python. Changes are from the other one to this one.')
    .action(async (file: string, options: Options, command: Command) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      const tried = await configurationOf(settings);
      const other = await otherConfiguration(options.against ?? null, settings, tried.decisions);
      const failures =
        options.failures === undefined ? null : failureCount('--failures', options.failures);
      const replay = await replayAll(file, other, tried, failures);
      if (options.json) printJson(replay);
      else draw(replay, options.against ?? 'the built-in defaults');
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
    const replayed = replayRun(parsed.run, other, tried, failures, now);
    if (replayed.changes.length > 0) replay.changed.push(replayed);
  }
  return { ...replay, summary: summaryOf(replay.changed, EXAMPLES) };
}

function draw({ runs, malformed, changed, summary }: Replay, other: string): void {
  for (const { run, changes } of changed) {
    print(style('bold', `run ${run}`));
    for (const { decision, from, to } of changes) {
      print(`  ${decision.padEnd(18)} ${inWords(from)}  ->  ${inWords(to)}`);
    }
  }
  if (changed.length > 0) print('');
  const skipped = malformed === 0 ? '' : `; ${malformed} malformed documents are left out`;
  print(`${changed.length} of ${runs} runs come out otherwise than with ${other}${skipped}.`);
  if (summary.length === 0) return;
  print(
    table(
      ['decision', 'runs', 'for example'],
      summary.map(({ decision, count, examples: [first] }) => [
        decision,
        String(count),
        first === undefined
          ? ''
          : `${first.run ?? '?'}: ${inWords(first.from)} -> ${inWords(first.to)}`,
      ]),
    ),
  );
}

function inWords(value: unknown): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(' ') : JSON.stringify(value);
}
