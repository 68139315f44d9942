import type { Command } from 'commander';
import type { HostFacts } from '../domain/claim.ts';
import { nextRuns } from '../domain/next.ts';
import { withDatabase } from './database.ts';
import { fleetFacts, fleetNowOf } from '../store/fleet-facts.ts';
import { hostFacts, hostViews } from './host-view.ts';
import { print, printJson, style } from './output.ts';

/** `bootstrax next`: from the functions that decide. */
export function addNext(program: Command): void {
  program
    .command('next')
    .description('the runs this host would take, in order, and why others are passed over')
    .option('--json', 'one object: {runs: [{run, why}], passedOver: [{run, why}], assumed}')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const next = await withDatabase(command, async ({ store, settings }) => {
        const { candidates } = await import('../manager/claiming.ts');
        const { role, primaries } = settings.host;
        const { rules } = settings;
        const now = await store.serverTime();
        const found = await candidates(
          { store, rules, role },
          // Retries of the next days are shown as passed over, with the time they wait for.
          { includeHeld: true, retries: { withinSeconds: 7 * 86_400 }, now },
        );
        const fleet = await fleetFacts({ store, rules, role, primaries }, now);
        const fleetNow = await fleetNowOf(store, await hostViews(store, settings, now));
        const host = hostFacts(settings, fleetNow);
        const { runs, passedOver } = nextRuns(
          found.map(({ parsed }) => parsed),
          host,
          fleet,
          rules,
          now,
        );
        return { runs, passedOver, assumed: assumedOf(host) };
      });
      if (json) {
        printJson(next);
        return;
      }
      if (next.assumed !== null) print(`No manager runs here: this is looked at ${next.assumed}.`);
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
