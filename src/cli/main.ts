import { Command, CommanderError } from 'commander';
import { availableParallelism } from 'node:os';
import { CRASH_VARIABLE, cutOf } from '../crash-points/cut.ts';
import { addAbandon, addFail, addHold, addRelease, addReprocess, addRetry } from './verbs.ts';
import { addAcknowledge } from './acknowledge.ts';
import { addActions } from './actions.ts';
import { addAdopt } from './adopt.ts';
import { addAlarms } from './alarms.ts';
import { addConfig } from './config.ts';
import { addDashboardBeside } from './dashboard-beside.ts';
import { addDashboard } from './dashboard.ts';
import { addDb } from './db.ts';
import { addDebt } from './debt.ts';
import { addDeletions } from './deletions.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addDrain, addUndrain } from './drain.ts';
import { addExplain } from './explain.ts';
import { addFailures } from './failures.ts';
import { addHandback } from './handback.ts';
import { addHistory } from './history.ts';
import { addHandover } from './handover.ts';
import { addHosts } from './hosts.ts';
import { addLogs } from './logs.ts';
import { addMaintenance } from './maintenance.ts';
import { addNext } from './next.ts';
import { addPlan } from './plan.ts';
import { addProcess } from './process.ts';
import { translateReferenceFlags } from './reference-flags.ts';
import { addReconcile } from './reconcile.ts';
import { addRenumber } from './renumber.ts';
import { addReplay } from './replay.ts';
import { addReport } from './report.ts';
import { addRun } from './run.ts';
import { addRuns } from './runs.ts';
import { addShadowReport } from './shadow-report.ts';
import { addSimulateDaq } from './simulate-daq.ts';
import { addStatus } from './status.ts';
import { addStop } from './stop.ts';
import { addUser } from './user.ts';
import { versionOfThis } from '../config/version.ts';
import { CommandFailure } from './failure.ts';
import { exitCodeOf, meantFlag, report } from './errors.ts';
import { addSettingFlags } from './settings.ts';

const program = new Command('bootstrax')
  .description('Processes physics runs with strax while they are being taken.')
  .version(versionOfThis())
  .option('--config <file>', 'configuration file (TOML); also BOOTSTRAX_CONFIG')
  .addHelpText(
    'after',
    '\nEach setting is also a flag and an environment variable: see `bootstrax config`.' +
      '\nExit codes: 0 well, 1 the thing asked about is wrong, 2 usage or configuration.',
  )
  .showSuggestionAfterError()
  .exitOverride();
addSettingFlags(program);
for (const add of [
  ...[
    addRun,
    addStatus,
    addRuns,
    addHosts,
    addExplain,
    addNext,
    addPlan,
    addReplay,
    addShadowReport,
  ],
  ...[addLogs, addHistory, addFailures, addDebt, addDeletions, addHandover],
  ...[addFail, addAbandon, addRetry, addReprocess, addHold, addRelease, addProcess, addStop],
  ...[addRenumber, addAcknowledge, addActions],
  ...[addDrain, addUndrain, addHandback, addReconcile, addAdopt],
  ...[addDashboard, addDashboardBeside, addUser],
  ...[addAlarms, addMaintenance],
  ...[addDb, addSimulateDaq, addDemo, addConfig, addDoctor, addReport],
]) {
  add(program);
}
program.showHelpAfterError('See bootstrax --help.');
for (const command of program.commands) {
  command.exitOverride().showSuggestionAfterError();
  command.showHelpAfterError(`See bootstrax ${command.name()} --help.`);
}

// A reader that has seen enough (`| head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  checkCrashPoint();
  const { args, notes } = translateReferenceFlags(process.argv.slice(2), availableParallelism);
  for (const note of notes) process.stderr.write(`bootstrax: ${note}\n`);
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  // Commander has already said what is wrong with the usage.
  if (!(error instanceof CommanderError)) report(error, process.argv.includes('--json'));
  else if (!/Did you mean/.test(error.message)) suggest(meantFlag(error));
  process.exitCode = exitCodeOf(error);
}

/** A misspelt point would never be reached: a test that cuts there would prove nothing. */
function checkCrashPoint(): void {
  try {
    cutOf(process.env[CRASH_VARIABLE]);
  } catch (error) {
    throw new CommandFailure(2, error instanceof Error ? error.message : String(error));
  }
}

function suggest(flag: string | null): void {
  if (flag !== null) process.stderr.write(`(Did you mean ${flag}?)\n`);
}
