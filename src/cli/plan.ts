import type { Command } from 'commander';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { graphPath } from '../config/paths.ts';
import { pluginGraphSchema, type PluginGraph } from '../domain/attempt.ts';
import { hostTargetsOf } from '../domain/host-targets.ts';
import { planLine, type DecisionInputs, type PlanLine } from '../domain/plan.ts';
import { parseRun } from '../domain/run.ts';
import type { HostTargets } from '../domain/targets.ts';
import { CommandFailure } from './failure.ts';
import { style } from './output.ts';
import { settingsOf } from './settings.ts';

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
    .option('--failures <number>', 'as if the run had failed so often')
    .option('--memory-failures <number>', 'as if so many of them had been for want of memory')
    .option('--rate-mbps <rate>', 'as if this were the data rate of runs whose document has none')
    .option(
      '--host-targets <file>',
      'the DAQ’s document of host targets (bootstrax_config), Extended JSON',
    )
    .option('--json', 'a line each: {run, targets, postProcessing, cores, maxMessages, ...}')
    .addHelpText('after', '\n--host and --shedding change the settings of these names.')
    .action(async (options: Options, command: Command) => {
      const { settings } = await settingsOf(command, { withoutCredentials: true });
      const { graph, missing } = await readGraph(
        graphPath(settings.paths.stateDir, settings.worker.context),
      );
      const { shedding } = settings.rules.targets;
      if (missing !== null && shedding === 'graded') {
        process.stderr.write(
          `bootstrax: graded shedding without the plugin graph of ${settings.worker.context}, ` +
            `which the worker reports: ${missing}\n`,
        );
      }
      const inputs: DecisionInputs = {
        rules: settings.rules,
        hostTable: settings.host.resourceTable,
        shedding,
        graph,
        culprits: [],
        memoryFailures:
          options.memoryFailures === undefined
            ? 0
            : count('--memory-failures', options.memoryFailures),
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
  const { EJSON } = await import('bson');
  const parse = EJSON.parse as (text: string) => unknown;
  const failures = options.failures === undefined ? null : count('--failures', options.failures);
  const decide = (text: string): PlanLine => {
    let document: unknown;
    try {
      document = parse(text);
    } catch (error) {
      const problem = `is not Extended JSON: ${(error as Error).message}`;
      return { run: null, malformed: [{ field: '(document)', problem }] };
    }
    return planLine(parseRun(document), inputs, failures);
  };
  let malformed = 0;
  let portion = '';
  for await (const text of lines(options.doc)) {
    if (text.trim() === '') continue;
    const line = decide(text);
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

async function* lines(path: string): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : await openFile(path);
  yield* createInterface({ input, crlfDelay: Infinity });
}

async function openFile(path: string): Promise<NodeJS.ReadableStream> {
  try {
    const file = await open(path);
    return file.createReadStream();
  } catch (error) {
    throw new CommandFailure(2, `--doc: ${(error as Error).message}`);
  }
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function count(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new CommandFailure(2, `${flag}: "${text}" is not a number of failures`);
}

function rate(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new CommandFailure(2, `--rate-mbps: "${text}" is not a data rate in MB/s`);
}

/** A document that cannot be used means the default targets, and is said; as in the manager. */
async function readHostTargets(path: string, host: string): Promise<HostTargets | null> {
  const { EJSON } = await import('bson');
  let document: unknown;
  try {
    document = EJSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CommandFailure(2, `--host-targets: ${(error as Error).message}`);
  }
  const answer = hostTargetsOf(document, host);
  if (answer.kind === 'broken') {
    process.stderr.write(`bootstrax: ${path} cannot be used, ${answer.problem}: default targets\n`);
  }
  return answer.kind === 'targets' ? answer.hostTargets : null;
}

async function readGraph(
  path: string,
): Promise<{ graph: PluginGraph; missing: null } | { graph: null; missing: string }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return { graph: null, missing: `there is no ${path} yet; start the manager once` };
  }
  const parsed = pluginGraphSchema.safeParse(parseJson(text));
  if (parsed.success) return { graph: parsed.data, missing: null };
  return { graph: null, missing: `${path} is damaged; the manager writes it anew at its start` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
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
    `  resources        ${line.cores} cores, ${line.maxMessages} messages, time-out ${line.timeoutSeconds} s, records in ${line.recordsCompressor}`,
    ...line.reasons.map((reason) => `  - ${reason}`),
    '',
  ].join('\n');
}
