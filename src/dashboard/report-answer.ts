import { attemptsOf, logsOf, part, versionsOf } from '../features/report/report-parts.ts';
import { Secrets } from '../features/report/report-secrets.ts';
import { systemClock } from '../infra/clock/clock.ts';
import { showSettings } from '../infra/config/show-config.ts';
import { runAnswer } from './run-answer.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * What a bug report about a run holds, without secrets; null if there is no such run. What this
 * machine itself looks like is told by `bootstrax report`.
 */
export async function runReport(surroundings: Surroundings, run: number): Promise<object | null> {
  const { store, settings } = surroundings;
  const { stateDir } = settings.paths;
  const [versions, documents, about, hosts, logs, attempts] = await Promise.all([
    part(versionsOf),
    store.overview.whole(run),
    part(() => runAnswer(surroundings, run)),
    part(() => store.hosts.all()),
    part(() => logsOf(stateDir)),
    part(() => attemptsOf(stateDir, run)),
  ]);
  if (documents.length === 0) return null;
  const report = {
    report: 1,
    created: systemClock.now().toISOString(),
    host: settings.host.name,
    versions,
    configuration: showSettings(settings, {}).map(({ setting, value }) => ({ setting, value })),
    logs,
    database: { hosts, run: { documents, about } },
    attemptsOnThisHost: attempts,
  };
  return new Secrets(settings, process.env).remove(report) as object;
}
