import type { Command } from 'commander';

import { CommandFailure } from '../../framework/command-failure.ts';
import type { DemoOptions } from './demo-session.ts';

/** `bootstrax demo`: database, simulated DAQ and manager together, drawn live. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('a whole data-taking on this machine: database, simulated DAQ, manager')
    .option('--runs <number>', 'runs to take', number, 3)
    .option('--seconds <s>', 'length of a run, detector time', number, 22)
    .option('--rate <hz>', 'S1/S2 events per second of a background run', number, 12)
    .option('--speed <x>', 'times real time', number, 1)
    .option('--detectors <a,b>', 'detectors of each run (those of the configuration)')
    .option('--mode <a,b>', 'run modes, by turns (those of the configuration)')
    .option('--exit', 'end when all runs are done: 0, or 1 if one is not', false)
    .option('--limit-seconds <s>', 'wait at most this time for the runs', number, 1200)
    .option('--json', 'at the end one object: {ok, runs}', false)
    .action(async (options: DemoOptions, command: Command) => {
      const { runDemo } = await import('./demo-session.ts');
      process.exitCode = await runDemo(options, command);
    });
}

function number(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new CommandFailure(2, `"${text}" is not a number`);
}
