import { spawn } from 'node:child_process';
import type { Command } from 'commander';

import type { Settings } from '../../infra/config/entries.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { pythonEnvironment } from '../framework/python-environment.ts';
import { settingsOf } from '../framework/setting-flags.ts';
import { settingsWithDatabase } from '../framework/with-database.ts';

/** `bootstrax simulate-daq`: takes runs. All other options are the simulator's own. */
export function addSimulateDaq(program: Command): void {
  program
    .command('simulate-daq')
    .description('take simulated runs: run documents, live data, detector status')
    .option('--runs <number>', 'runs to take; 0: endless')
    .option('--seconds <s>', 'length of a run, detector time')
    .option('--rate <hz>', 'S1/S2 events per second of a background run')
    .option('--mode <a,b>', 'run mode; several: runs take them by turns (tpc_bkg,tpc_kr83m)')
    .option(
      '--detectors <a,b>',
      'detectors of a run; given several times: runs at once',
      collect,
      [],
    )
    .option('--speed <x>', 'times real time; 0: take no time')
    .option(
      '--fault <name>',
      'what goes wrong, in every run: corrupt-chunk, never-ends, ... (docs/simulate-daq.md)',
    )
    .option(
      '--detector-fault <name>',
      'what is wrong with the TPC: dead-tube, flash, ...; may be given several times',
      collect,
      [],
    )
    .option('--seed <number>', 'same seed, same pulses')
    .option('--gap-seconds <s>', 'pause between runs')
    .option('--chunk-seconds <s>', 'length of a chunk of live data')
    .option('--overlap-seconds <s>', 'stretch stored twice')
    .option('--reported-rate <mbps>', 'MB/s that aggregate_status claims')
    .option('--no-database', 'write the live data of one run only and print its document')
    .option('--number <number>', 'run number, with --no-database')
    .option('--json', 'one object a line: what happens, as it happens')
    .action(async (options: Record<string, unknown>, command: Command) => {
      process.exitCode = await simulate(options, command);
    });
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function simulate(options: Record<string, unknown>, command: Command): Promise<number> {
  const withoutDatabase = options['database'] === false;
  const { settings } = withoutDatabase
    ? await settingsOf(command)
    : await settingsWithDatabase(command);
  const { database, simulator } = settings;
  if (!withoutDatabase && database.credentials.runs !== null) {
    throw new CommandFailure(
      2,
      'simulate-daq writes invented runs and takes only servers without accounts, such as the ' +
        'embedded one: this configuration brings credentials',
    );
  }
  const argv = [
    ...['--live-data', settings.paths.liveData],
    ...['--runs-db', database.runsDb, '--daq-db', database.daqDb],
    ...(withoutDatabase || database.url === null ? [] : ['--mongo-url', database.url]),
    ...channelOptions(simulator.channels),
    ...simulatorOptions(withDefaults(options, simulator)),
  ];
  return runPython(
    settings.worker.python,
    ['-m', 'bootstrax_worker.simulator', ...argv],
    pythonEnvironment(settings),
  );
}

/** Detectors and mode of the configuration where no option names any. */
function withDefaults(
  options: Record<string, unknown>,
  { detectors, mode }: Settings['simulator'],
): Record<string, unknown> {
  const given = options['detectors'] as string[];
  return {
    ...options,
    detectors: given.length > 0 ? given : [detectors.join(',')],
    // The configured mode is one of the configured detectors.
    ...(mode === null || given.length > 0 || options['mode'] !== undefined ? {} : { mode }),
  };
}

function channelOptions(rows: Settings['simulator']['channels']): string[] {
  return rows.flatMap(({ detector, first, last, nsPerSample, threads }) => [
    '--channels',
    [detector, first, last, nsPerSample, threads].join(':'),
  ]);
}

/** The options as they were given; what was not given is left to the simulator's defaults. */
function simulatorOptions(options: Record<string, unknown>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return name === 'database' ? [] : [flag];
    if (value === false) return [`--no-${name}`];
    return [value].flat().flatMap((each) => [flag, String(each)]);
  });
}

/** Runs the interpreter with the worker's package; answers its exit code. */
function runPython(python: string, argv: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, argv, { stdio: 'inherit', env });
    const pass = (signal: NodeJS.Signals) => () => child.kill(signal);
    // On a terminal Ctrl-C reaches the simulator as well; it alone decides when it is done.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', pass('SIGTERM'));
    child.once('error', (error) => {
      reject(
        new CommandFailure(2, `${python} does not start: ${error.message}; see worker.python`),
      );
    });
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}
