import type { Command } from 'commander';

import type { HostFacts } from '../../claim/claim.pure.ts';
import { fleetFacts, fleetNowOf } from '../../claim/fleet-facts.ts';
import { type NextRuns, nextRuns } from '../../claim/next-runs.pure.ts';
import type { ParsedRun } from '../../run/run.pure.ts';
import { query } from '../framework/answering.ts';
import { style } from '../framework/output.ts';
import type { Database } from '../framework/with-database.ts';
import { hostFacts, hostViews } from './host-view.ts';

/** `bootstrax next`: from the functions that decide. */
export function addNext(program: Command): void {
  query(program, {
    name: 'next',
    about: 'the runs this host would take, in order, and why others are passed over',
    json: 'one object: {runs: [{run, why}], passedOver: [{run, why}]}',
    read: readNext,
    draw,
  });
}

async function readNext({
  store,
  settings,
}: Database): Promise<Pick<NextRuns, 'runs' | 'passedOver'>> {
  const { candidatePages } = await import('../../claim/candidates.ts');
  const { role, primaries } = settings.host;
  const { rules } = settings;
  const now = await store.serverTime();
  // Retries of the next days are shown as passed over, with the time they wait for.
  const asked = { includeHeld: true, retries: { withinSeconds: 7 * 86_400 }, now };
  const fleet = await fleetFacts({ store, rules, role, primaries }, now);
  const fleetNow = await fleetNowOf(store, await hostViews(store, settings, now));
  const host = hostFacts(settings, fleetNow);
  const assumed = assumedOf(host);
  if (assumed !== null) {
    process.stderr.write(
      `bootstrax: no manager runs here; the answer supposes that one runs ${assumed}\n`,
    );
  }
  const found: ParsedRun[] = [];
  let next = nextRuns(found, host, { fleet, rules, now });
  for await (const page of candidatePages({ store, rules, role }, asked)) {
    found.push(...page.map(({ parsed }) => parsed));
    next = nextRuns(found, host, { fleet, rules, now });
    // A manager reads on only while a slot is free.
    if (next.runs.length > 0) break;
  }
  const { runs, passedOver } = next;
  return { runs, passedOver };
}

function draw({ runs, passedOver }: Pick<NextRuns, 'runs' | 'passedOver'>): string {
  return [
    ...(runs.length === 0 ? ['This host would take no run now.'] : []),
    ...runs.map(({ run, why }) => `${style('green', String(run))}  ${why}`),
    ...(passedOver.length === 0 ? [] : ['passed over:']),
    ...passedOver.map(({ run, why }) => `  ${run ?? '?'}  ${why}`),
  ].join('\n');
}

/** Why the answer is about a host without a manager; null if it has one. */
function assumedOf({ accepting }: HostFacts): string | null {
  return accepting.ok ? (accepting.assumed ?? null) : null;
}
