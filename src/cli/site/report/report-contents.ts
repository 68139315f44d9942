import { attemptsOf, logsOf, part, versionsOf } from '../../../features/report/report-parts.ts';
import type { Loaded } from '../../../infra/config/load-config.ts';
import { showSettings } from '../../../infra/config/show-config.ts';
import type { Store } from '../../../ports/store.ts';
import { unknownVariables } from '../../framework/setting-flags.ts';
import { withStore } from '../../framework/with-database.ts';
import { explainedRun } from '../../look/explained-run.ts';
import { checkDatabase, checkHost, checkPython } from '../doctor/doctor-checks.ts';
import { checkStateFolder } from '../doctor/doctor-exclusion.ts';
import { checkHeartbeats } from '../doctor/doctor-heartbeats.ts';

const MOST_ATTEMPTS = 50;

/** What a bug report holds. A part that cannot be had is an object `{unavailable}` that says why. */
export async function collectReport(loaded: Loaded, run: number | null): Promise<object> {
  const { settings, sources, file } = loaded;
  const [versions, host, python, database, logs] = await Promise.all([
    part(versionsOf),
    part(async () => [...(await checkHost(loaded)), ...(await checkStateFolder(loaded))]),
    part(() => checkPython(settings)),
    part(async () => [...(await checkDatabase(loaded)), ...(await checkHeartbeats(loaded))]),
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

async function aboutRun(loaded: Loaded, store: Store, run: number): Promise<object> {
  const { own, others } = await explainedRun({ ...loaded, store }, run);
  return {
    document: own.document,
    explain: own.explanation,
    sameNumber: others.map(({ document, explanation }) => ({ document, explain: explanation })),
    history: await store.attempts.ofRun(run, MOST_ATTEMPTS),
  };
}
