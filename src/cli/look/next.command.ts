import type { Command } from 'commander';
import type { HostFacts } from '../../claim/claim.pure.ts';
import { nextRuns } from '../../claim/next-runs.pure.ts';
import type { ParsedRun } from '../../run/run.pure.ts';
import { withDatabase } from '../framework/with-database.ts';
import { fleetFacts, fleetNowOf } from '../../claim/fleet-facts.ts';
import { hostFacts, hostViews } from './host-view.ts';
import { print, printJson, style } from '../framework/output.ts';

/** `bootstrax next`: from the functions that decide. */
export function addNext(program: Command): void {
  program
    .command('next')
    .description('the runs this host would take, in order, and why others are passed over')
    .option('--json', 'one object: {runs: [{run, why}], passedOver: [{run, why}]}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { next, assumed } = await withDatabase(command, async ({ store, settings }) => {
        const { candidatePages } = await import('../../claim/candidates.ts');
        const { role, primaries } = settings.host;
        const { rules } = settings;
        const now = await store.serverTime();
        // Retries of the next days are shown as passed over, with the time they wait for.
        const asked = { includeHeld: true, retries: { withinSeconds: 7 * 86_400 }, now };
        const fleet = await fleetFacts({ store, rules, role, primaries }, now);
        const fleetNow = await fleetNowOf(store, await hostViews(store, settings, now));
        const host = hostFacts(settings, fleetNow);
        const found: ParsedRun[] = [];
        let next = nextRuns(found, host, fleet, rules, now);
        for await (const page of candidatePages({ store, rules, role }, asked)) {
          found.push(...page.map(({ parsed }) => parsed));
          next = nextRuns(found, host, fleet, rules, now);
          // A manager looks on only while a place is free.
          if (next.runs.length > 0) break;
        }
        const { runs, passedOver } = next;
        return { next: { runs, passedOver }, assumed: assumedOf(host) };
      });
      if (assumed !== null) {
        process.stderr.write(`bootstrax: no manager runs here: this is looked at ${assumed}\n`);
      }
      if (json) {
        printJson(next);
        return;
      }
      if (next.runs.length === 0) print('This host would take no run now.');
      for (const { run, why } of next.runs) print(`${style('green', String(run))}  ${why}`);
      if (next.passedOver.length > 0) print('passed over:');
      for (const { run, why } of next.passedOver) print(`  ${run ?? '?'}  ${why}`);
    });
}

/** Why the answer is about a host without a manager; null if it has one. */
function assumedOf({ accepting }: HostFacts): string | null {
  return accepting.ok ? (accepting.assumed ?? null) : null;
}
