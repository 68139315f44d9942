import type { Command } from 'commander';

import { counted } from '../../infra/values/counted.pure.ts';
import { type DecisionInputs, type PlanLine, planLine } from '../../plan/plan.pure.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { decisionInputs, readHostTargets } from '../framework/decision-inputs.ts';
import { style } from '../framework/output.ts';
import { failureCount, runDocuments } from '../framework/run-documents.ts';
import { settingsOf } from '../framework/setting-flags.ts';

interface Options {
  doc: string;
  failures?: string;
  memoryFailures?: string;
  rateMbps?: string;
  hostTargets?: string;
  json?: boolean;
}

/** Lines are written in portions: one write a line would be the slowest part. */
const PORTION = 64 * 1024;

/** `bootstrax plan`: what would be done with these run documents. No database, no Python. */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('what would be done with run documents, without doing it')
    .requiredOption('--doc <file>', 'run documents, Extended JSON, one a line; - is standard input')
    .option('--failures <number>', 'as if the run had failed this number of times')
    .option('--memory-failures <number>', 'as if this number of them had run out of memory')
    .option('--rate-mbps <rate>', 'as if this were the data rate of runs whose document has none')
    .option(
      '--host-targets <file>',
      'the DAQ’s document of host targets (bootstrax_config), Extended JSON',
    )
    .option('--json', 'a line each: {run, targets, postProcessing, cores, maxMessages, ...}')
    .addHelpText('after', '\n--host and --shedding change the settings of these names.')
    .action(async (options: Options, command: Command) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      const inputs: DecisionInputs = {
        ...(await decisionInputs(settings)),
        memoryFailures:
          options.memoryFailures === undefined
            ? 0
            : failureCount('--memory-failures', options.memoryFailures),
        hostTargets:
          options.hostTargets === undefined
            ? null
            : await readHostTargets(options.hostTargets, settings.host.name),
        rateMBps: options.rateMbps === undefined ? null : rate(options.rateMbps),
      };
      await planDocuments(options, inputs);
    });
}

async function planDocuments(options: Options, inputs: DecisionInputs): Promise<void> {
  const failures =
    options.failures === undefined ? null : failureCount('--failures', options.failures);
  let malformed = 0;
  let portion = '';
  for await (const parsed of runDocuments('--doc', options.doc)) {
    const line = planLine(parsed, inputs, failures);
    if ('malformed' in line) malformed += 1;
    portion += options.json ? `${JSON.stringify(line)}\n` : inWords(line);
    if (portion.length > PORTION) {
      await write(portion);
      portion = '';
    }
  }
  await write(portion);
  if (malformed > 0) process.exitCode = 1;
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function rate(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new CommandFailure(2, `--rate-mbps: "${text}" is not a data rate in MB/s`);
}

function inWords(line: PlanLine): string {
  if ('malformed' in line) {
    const problems = line.malformed.map(({ field, problem }) => `  ${field}: ${problem}\n`);
    return `${style('red', `run ${line.run ?? '?'}: malformed`)}\n${problems.join('')}`;
  }
  return [
    style('bold', `run ${line.run}`),
    `  targets          ${line.targets.join(' ')}`,
    `  post-processing  ${line.postProcessing.join(' ')}`,
    `  resources        ${counted(line.cores, 'core')}, ${counted(line.maxMessages, 'message')}, timeout ${line.timeoutSeconds} s, records in ${line.recordsCompressor}`,
    ...line.reasons.map((reason) => `  - ${reason}`),
    '',
  ].join('\n');
}
