import { availableParallelism } from 'node:os';
import { Command, CommanderError } from 'commander';

import { versionOfThis } from '../infra/config/version.ts';
import { CRASH_VARIABLE, cutOf } from '../infra/crash-points/cut.ts';
import { addAcknowledge } from './act/acknowledge.command.ts';
import { addProcess } from './act/process.command.ts';
import { addRenumber } from './act/renumber.command.ts';
import { addStop } from './act/stop.command.ts';
import { addVerbs } from './act/verbs.command.ts';
import { CommandFailure } from './framework/command-failure.ts';
import { exitCodeOf, meantFlag, report } from './framework/exit-codes.ts';
import { translateReferenceFlags } from './framework/reference-flags.ts';
import { addSettingFlags } from './framework/setting-flags.ts';
import { addAdopt } from './host/adopt.command.ts';
import { addDrain, addUndrain } from './host/drain.command.ts';
import { addHandback } from './host/handback.command.ts';
import { addReconcile } from './host/reconcile.command.ts';
import { addRun } from './host/run.command.ts';
import { addActions } from './look/actions.command.ts';
import { addDebt } from './look/debt.command.ts';
import { addDeletions } from './look/deletions.command.ts';
import { addExplain } from './look/explain.command.ts';
import { addFailures } from './look/failures.command.ts';
import { addHandover } from './look/handover.command.ts';
import { addHistory } from './look/history.command.ts';
import { addHosts } from './look/hosts.command.ts';
import { addLogs } from './look/logs.command.ts';
import { addNext } from './look/next.command.ts';
import { addPlan } from './look/plan.command.ts';
import { addReplay } from './look/replay.command.ts';
import { addRuns } from './look/runs.command.ts';
import { addShadowReport } from './look/shadow-report.command.ts';
import { addStatus } from './look/status.command.ts';
import { addAlarms } from './page/alarms.command.ts';
import { addDashboard } from './page/dashboard.command.ts';
import { addDashboardBeside } from './page/dashboard-beside.command.ts';
import { addMaintenance } from './page/maintenance.command.ts';
import { addUser } from './page/user.command.ts';
import { addConfig } from './site/config.command.ts';
import { addDb } from './site/db.command.ts';
import { addDemo } from './site/demo/demo.command.ts';
import { addDoctor } from './site/doctor/doctor.command.ts';
import { addReport } from './site/report/report.command.ts';
import { addSimulateDaq } from './site/simulate-daq.command.ts';

const program = new Command('bootstrax')
  .description('Processes physics runs with strax while they are being taken.')
  .version(versionOfThis())
  .option('--config <file>', 'configuration file (TOML); also BOOTSTRAX_CONFIG')
  .addHelpText(
    'after',
    '\nEach setting is also a flag and an environment variable: see `bootstrax config`.' +
      '\nExit codes: 0 success, 1 problem found, 2 usage or configuration error.',
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
  ...[...addVerbs, addProcess, addStop],
  ...[addRenumber, addAcknowledge, addActions],
  ...[addDrain, addUndrain, addHandback, addReconcile, addAdopt],
  ...[addDashboard, addDashboardBeside, addUser],
  ...[addAlarms, addMaintenance],
  ...[addDb, addSimulateDaq, addDemo, addConfig, addDoctor, addReport],
]) {
  add(program);
}
program.showHelpAfterError('See bootstrax --help.');
for (const command of program.commands) explainMistakes(command, command.name());

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

/** Wrong usage ends with exit code 2 and a hint, for a command and those below it. */
function explainMistakes(command: Command, name: string): void {
  command.exitOverride().showSuggestionAfterError();
  command.showHelpAfterError(`See bootstrax ${name} --help.`);
  for (const below of command.commands) explainMistakes(below, `${name} ${below.name()}`);
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
