import type { Loaded } from '../config/load.ts';
import { showSettings } from '../config/show.ts';
import { explainFleet } from '../domain/overview/explain-fleet.ts';
import { attemptsOf, logsOf, part, versionsOf } from '../report/parts.ts';
import { fleetFacts, fleetNowOf, roleAsked } from '../store/fleet-facts.ts';
import type { Store } from '../store/types.ts';
import { withStore } from './database.ts';
import { checkDatabase, checkHost, checkPython } from './doctor-checks.ts';
import { findRun } from './find-run.ts';
import { hostViews } from './host-view.ts';
import { unknownVariables } from './settings.ts';

const MOST_ATTEMPTS = 50;

/** What a bug report holds. A part that cannot be had is an object `{unavailable}` that says why. */
export async function collectReport(loaded: Loaded, run: number | null): Promise<object> {
  const { settings, sources, file } = loaded;
  const [versions, host, python, database, logs] = await Promise.all([
    part(versionsOf),
    part(() => checkHost(loaded)),
    part(() => checkPython(settings)),
    part(() => checkDatabase(loaded)),
    part(() => logsOf(settings.paths.stateDir)),
  ]);
  return {
    report: 1,
    created: new Date().toISOString(),
    host: settings.host.name,
    versions,
    configuration: {
      file,
      settings: showSettings(settings, sources),
      unknownVariables: unknownVariables(process.env),
    },
    doctor: { host, python, database },
    logs,
    ...(await fromDatabase(loaded, run)),
    ...(run === null
      ? {}
      : { attemptsOnThisHost: await part(() => attemptsOf(settings.paths.stateDir, run)) }),
  };
}

async function fromDatabase(loaded: Loaded, run: number | null): Promise<object> {
  if (loaded.settings.database.url === null) return { database: { unavailable: 'no URL is set' } };
  const found = await part(() =>
    withStore(loaded, async (store) => ({
      serverTime: await store.serverTime(),
      hosts: await part(() => store.hosts.all()),
      ...(run === null ? {} : { run: await part(() => aboutRun(loaded, store, run)) }),
    })),
  );
  return { database: found };
}

async function aboutRun({ settings }: Loaded, store: Store, run: number): Promise<object> {
  const { document, parsed } = await findRun(store, run);
  const now = await store.serverTime();
  const { rules, host } = settings;
  const fleetNow = await fleetNowOf(store, await hostViews(store, settings, now));
  const { primaries } = host;
  const fleet = await fleetFacts({ store, rules, role: roleAsked(fleetNow.hosts), primaries }, now);
  return {
    document,
    explain: explainFleet(parsed, fleetNow, fleet, rules, now, {
      host: host.name,
      role: host.role,
    }),
    history: await store.attempts.ofRun(run, MOST_ATTEMPTS),
  };
}
