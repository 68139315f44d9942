import type { Command } from 'commander';
import { explain, type Explanation } from '../domain/explain.ts';
import { withDatabase } from './database.ts';
import { findRun } from './find-run.ts';
import { fleetFacts } from '../store/fleet-facts.ts';
import { hostFacts, hostViews } from './host-view.ts';
import { print, printJson, style } from './output.ts';
import { runNumber } from './run-number.ts';

/** `bootstrax explain N`: from the functions that decide. */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('why this run is, or is not, being processed, and what happens next')
    .argument('<run>', 'run number', runNumber)
    .option('--json', 'one object: {run, state, verdict, rules, next, commands}')
    .action(async (run: number, { json }: { json?: boolean }, command: Command) => {
      const explanation = await withDatabase(command, async ({ store, settings }) => {
        const { parsed } = await findRun(store, run);
        const now = await store.serverTime();
        const host = hostFacts(settings, await hostViews(store, settings, now));
        const { role, primaries } = settings.host;
        const fleet = await fleetFacts({ store, rules: settings.rules, role, primaries }, now);
        return explain(parsed, host, fleet, settings.rules, now);
      });
      if (json) printJson(explanation);
      else print(inWords(explanation));
    });
}

function inWords({ run, state, verdict, rules, next, commands }: Explanation): string {
  const lines = [
    `${style('bold', `run ${run ?? '?'}`)}: ${verdictInWords(verdict)} (state ${state ?? 'new'})`,
    ...rules.map(({ rule, value, holds }) => {
      const mark = holds ? style('green', 'yes') : style('red', 'no ');
      return `  ${mark} ${rule}: ${value}`;
    }),
  ];
  if (next !== null) {
    const who = next.who === null ? '' : `, by ${next.who}`;
    const at = next.at === null ? '' : `, at ${next.at}`;
    lines.push(`next: ${next.what}${at}${who}`);
  }
  if (commands.length > 0) {
    lines.push('you can:', ...commands.map((command) => `  ${command}`));
  }
  return lines.join('\n');
}

function verdictInWords(verdict: Explanation['verdict']): string {
  return verdict === 'givenUp' ? 'given up' : verdict;
}
