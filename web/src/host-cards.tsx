import { Fragment } from 'preact';

import { clusterText } from '../../src/executors/cluster-facts.pure.ts';
import { leftRunsText } from '../../src/host/host-document.pure.ts';
import type { HostCard } from '../../src/readmodel/hosts.pure.ts';
import type { RunRow } from '../../src/readmodel/run-row.pure.ts';
import { ActionButtons } from './actions/buttons.tsx';
import { hostOffers } from './actions/offers.ts';
import { bytes, percent, roughly } from './format.ts';
import { usePanel } from './live.ts';
import { Ago, HostName, Meter, Until } from './parts.tsx';
import { Link } from './router.tsx';
import { HostSign } from './signs.tsx';

/** A fraction of the limit. */
const MEMORY_WARN = 0.85;

interface HostCardsProps {
  hosts: readonly HostCard[];
  /** With the buttons of actions. */
  acting?: boolean;
  /** The host whose curves are shown. */
  chosen?: string;
}

/** A card per host. */
export function HostCards({ hosts, acting = false, chosen }: HostCardsProps) {
  const working = usePanel('working').data ?? [];
  return (
    <ul class="cards">
      {hosts.map((host) => (
        <li
          key={host.host}
          class={`card card-${host.condition} ${host.host === chosen ? 'card-chosen' : ''}`}
        >
          <header>
            <h3>
              <Link to={`/hosts?host=${encodeURIComponent(host.host)}`}>
                <HostName host={host.host} />
              </Link>
            </h3>
            <HostSign condition={host.condition} />
          </header>
          {!saysDrained(host) && <p class="says">{saysOf(host)}</p>}
          {host.cluster !== undefined && <p class="says">{clusterText(host.cluster)}</p>}
          {host.leftRuns.length > 0 && <p class="says">{leftRunsText(host)}</p>}
          {host.condition === 'busy' && <InWork host={host} working={working} />}
          {host.drained !== null && (
            <p class="drained">
              {host.drained.reason}
              {host.drained.expires !== null && (
                <>
                  , ends <Until at={host.drained.expires} past="ended" />
                </>
              )}
            </p>
          )}
          <dl class="meters">
            <Reading name="Memory" value={host.memoryPercent} warnAt={85} of={host} />
            <Reading name="Disk" value={host.diskPercent} limit={host.diskLimitPercent} of={host} />
          </dl>
          <footer>
            <span>{diskForecast(host)}</span>
            {host.versions['bootstrax'] !== undefined && (
              <span title={versionsText(host.versions)}>v{host.versions['bootstrax']}</span>
            )}
            <span>
              sign <Ago at={host.lastSign} />
            </span>
          </footer>
          {acting && (
            <ActionButtons
              offers={hostOffers(host)}
              targets={[{ host: host.host }]}
              about={host.host}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

/** Progress and memory of the runs in work. */
function InWork({ host, working }: { host: HostCard; working: readonly RunRow[] }) {
  return (
    <dl class="meters">
      {working
        .filter((row) => row.host === host.host && row.progress !== null)
        .map((row) => (
          <Fragment key={row.id}>
            <div>
              <dt class="num">{row.run}</dt>
              <dd>
                <Meter
                  label={`Processed of run ${row.run}`}
                  fraction={row.progress?.fraction ?? 0}
                  tone={row.progress?.isStalled === true ? 'warn' : 'active'}
                />
                <span class="num">{shortLag(row)}</span>
              </dd>
            </div>
            {host.memoryLimitBytes !== null && (
              <MemoryOfRun
                run={row.run}
                usedBytes={row.progress?.memoryBytes ?? 0}
                limitBytes={host.memoryLimitBytes}
              />
            )}
          </Fragment>
        ))}
    </dl>
  );
}

interface MemoryOfRunProps {
  run: number | null;
  usedBytes: number;
  limitBytes: number;
}

/** Memory in use against the limit of the attempt. */
function MemoryOfRun({ run, usedBytes, limitBytes }: MemoryOfRunProps) {
  const fraction = usedBytes / limitBytes;
  return (
    <div title={`${bytes(usedBytes)} of ${bytes(limitBytes)}: with more the attempt is stopped`}>
      <dt>run’s RAM</dt>
      <dd>
        <Meter
          label={`Memory of run ${run}, of ${bytes(limitBytes)}`}
          fraction={fraction}
          tone={fraction >= MEMORY_WARN ? 'warn' : 'active'}
        />
        <span class="num">{bytes(usedBytes)}</span>
      </dd>
    </div>
  );
}

/** How far the processing is behind the detector, or how much of the run is done. */
function shortLag({ progress }: RunRow): string {
  if (progress === null) return '';
  if (progress.isStalled) return 'stalled';
  if (progress.behindSeconds !== null) return `−${roughly(progress.behindSeconds)}`;
  return progress.fraction === null ? '' : percent(progress.fraction * 100);
}

/** The drain is shown with its reason already. */
function saysDrained({ drained, whyNotKind, condition }: HostCard): boolean {
  return drained !== null && whyNotKind === 'drained' && condition === 'drained';
}

function saysOf(host: HostCard) {
  if (host.condition === 'silent') {
    return host.runs.length === 0
      ? 'sends no heartbeat'
      : `sends no heartbeat; had run ${host.runs.join(', ')}`;
  }
  if (host.runs.length > 0 && host.whyNot === null) {
    const taken = `${host.runs.length} of ${host.slots} slots taken`;
    return (
      <>
        {host.thinking === null ? `has run ${host.runs.join(', ')}` : withLinks(host.thinking)}
        {host.slots !== null && host.slots > 1 && ` (${taken})`}
      </>
    );
  }
  return host.whyNot ?? host.thinking ?? '';
}

/** Split by this pattern, each third part is a run number. */
const RUN_NUMBER = /(\brun )(\d+)\b/;

/** A text of a host, with links for the runs that it names. */
function withLinks(text: string) {
  return text.split(RUN_NUMBER).map((part, i) =>
    i % 3 === 2 ? (
      <Link key={i} to={`/runs/${part}`}>
        {part}
      </Link>
    ) : (
      part
    ),
  );
}

interface ReadingProps {
  name: string;
  value: number | null;
  limit?: number;
  warnAt?: number;
  of: Pick<HostCard, 'condition'>;
}

function toneOf({ value, limit, warnAt, of }: ReadingProps) {
  if (value === null || of.condition === 'silent') return 'idle';
  if (limit !== undefined && value >= limit) return 'bad';
  const from = limit === undefined ? warnAt : limit - 5;
  return from !== undefined && value >= from ? 'warn' : 'active';
}

function Reading(props: ReadingProps) {
  const { name, value, limit, of } = props;
  const tone = toneOf(props);
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Meter
          label={name}
          fraction={(value ?? 0) / 100}
          tone={tone}
          {...(limit === undefined ? {} : { limit: limit / 100 })}
        />
        <span class="num">
          {value !== null && of.condition === 'silent' && 'was '}
          {value === null ? 'unknown' : percent(value)}
        </span>
      </dd>
    </div>
  );
}

function diskForecast({ diskFullInHours, diskPercent, condition }: HostCard): string {
  if (diskPercent === null || condition === 'silent') return '';
  if (diskFullInHours === null) return 'disk lasts';
  return diskFullInHours === 0 ? 'disk full' : `disk full in ${roughly(diskFullInHours * 3600)}`;
}

function versionsText(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
