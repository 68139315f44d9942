import { fleetFacts, fleetNowOf, roleAsked } from '../../claim/fleet-facts.ts';
import { explainFleet } from '../../readmodel/explain-fleet.pure.ts';
import { withHandOn } from '../../readmodel/explain-hand-on.pure.ts';
import { type NumberedExplanation, withNumber } from '../../readmodel/explain-number.pure.ts';
import { checkRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { numberHolder } from '../../run/same-number.pure.ts';
import { numbered } from '../../run/same-number.store.ts';
import type { StoredRun } from '../../run/stored-run.pure.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { type RunArgument, runTarget } from '../framework/run-argument.ts';
import type { Database } from '../framework/with-database.ts';
import { hostViews } from './host-view.ts';

export interface ExplainedRun {
  run: number;
  document: RunDocument;
  stored: StoredRun;
  explanation: NumberedExplanation;
}

/** The document that a person means, and the others with its number. */
export interface ExplainedNumber {
  /** By the database server's clock. */
  now: Date;
  own: ExplainedRun;
  others: ExplainedRun[];
}

/** Why a run is, or is not, processed; without an id, of the document that owns the number. */
export async function explainedRun(
  { store, settings }: Pick<Database, 'store' | 'settings'>,
  named: RunArgument,
): Promise<ExplainedNumber> {
  const now = await store.serverTime();
  const { rules, host } = settings;
  const fleetNow = await fleetNowOf(store, await hostViews(store, settings, now));
  const { primaries } = host;
  const fleet = await fleetFacts({ store, rules, role: roleAsked(fleetNow.hosts), primaries }, now);
  const { run, document: id } = await runTarget(store, named);
  const documents = numbered(await store.runs.byNumber(run));
  const own = documents.find((each) => each.id === id) ?? numberHolder(documents);
  if (own === null) throw new CommandFailure(1, `there is no run ${run}`);
  const explained = (each: (typeof documents)[number]): ExplainedRun => {
    const home = { host: host.name, role: host.role };
    const alone = explainFleet(checkRun(each.stored), fleetNow, { fleet, rules, now }, home);
    const { document, stored } = each;
    const explanation = withHandOn(withNumber(alone, each.id, documents), stored, now, rules);
    return { run, document, stored, explanation };
  };
  const others = documents.filter((each) => each.id !== own.id);
  return { now, own: explained(own), others: others.map(explained) };
}
