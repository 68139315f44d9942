import type { Command } from 'commander';
import { nextRuns } from '../domain/next.ts';
import { withDatabase } from './database.ts';
import { fleetFacts } from '../store/fleet-facts.ts';
import { hostFacts, hostViews } from './host-view.ts';
import { print, printJson, style } from './output.ts';

/** `bootstrax next`: from the functions that decide. */
export function addNext(program: Command): void {
  program
    .command('next')
    .description('the runs this host would take, in order, and why others are passed over')
    .option('--json', 'one object: {runs: [{run, why}], passedOver: [{run, why}]}')
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
        const host = hostFacts(settings, await hostViews(store, settings, now));
        return nextRuns(
          found.map(({ parsed }) => parsed),
          host,
          fleet,
          rules,
          now,
        );
      });
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
