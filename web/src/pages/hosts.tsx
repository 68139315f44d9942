import { useMemo } from 'preact/hooks';

import { clusterText } from '../../../src/executors/cluster-facts.pure.ts';
import { leftRunsText } from '../../../src/host/host-document.pure.ts';
import type { HostHistoryAnswer } from '../../../src/readmodel/api.ts';
import type { HostCard, HostScore } from '../../../src/readmodel/hosts.pure.ts';
import { Audit } from '../actions/audit.tsx';
import { utc } from '../format.ts';
import { HostCards } from '../host-cards.tsx';
import { serverNow, useLive, usePanel, usePanelsReady } from '../live.ts';
import { Empty, HostName, Panel } from '../parts.tsx';
import { Plot } from '../plot.tsx';
import { useResource } from '../resource.ts';
import { Link } from '../router.tsx';
import { Glyph } from '../signs.tsx';

const HOURS = ['1', '6', '24'] as const;

/** Hosts: load, disks, success, versions. */
export function HostsPage({ query }: { query: URLSearchParams }) {
  const ready = usePanelsReady(['hosts', 'scores']);
  const panel = usePanel('hosts');
  const scores = usePanel('scores');
  const hosts = panel.data ?? [];
  const chosen = hosts.find(({ host }) => host === query.get('host')) ?? hosts[0] ?? null;
  const hours = HOURS.find((each) => each === query.get('hours')) ?? '6';
  if (!ready) return <Empty>Reading …</Empty>;
  return (
    <>
      <h1>Hosts</h1>
      <Panel title="All hosts" fresh={panel} loading={panel.data === null}>
        {hosts.length === 0 ? (
          <Empty>
            No manager has written to this database yet. Start one with “bootstrax run”.
          </Empty>
        ) : (
          <HostCards hosts={hosts} acting {...(chosen === null ? {} : { chosen: chosen.host })} />
        )}
      </Panel>
      {chosen !== null && <Curves host={chosen} hours={hours} hosts={hosts} />}
      {chosen !== null && (
        <Audit
          key={chosen.host}
          query={`host=${encodeURIComponent(chosen.host)}&limit=10`}
          empty={`Nobody has requested an action on ${chosen.host} yet.`}
        />
      )}
      <Panel
        title="Success in the last 24 hours, compared with all other hosts"
        fresh={scores}
        loading={scores.data === null}
      >
        {scores.data?.length === 0 ? (
          <Empty>No attempt has ended in the last 24 hours.</Empty>
        ) : (
          <Scores scores={scores.data ?? []} />
        )}
      </Panel>
      {hosts.length > 0 && (
        <Panel title="Versions and status" fresh={panel} loading={false}>
          <Sayings hosts={hosts} />
        </Panel>
      )}
    </>
  );
}

function Curves({ host, hours, hosts }: { host: HostCard; hours: string; hosts: HostCard[] }) {
  const name = encodeURIComponent(host.host);
  const history = useResource<HostHistoryAnswer>(`/api/hosts/${name}/history?hours=${hours}`, 15);
  const data = history.data;
  useLive();
  const minute = Math.ceil(serverNow() / 60_000);
  const silences = useMemo(
    () => data?.silences.map(({ from, to }) => ({ from, to: to ?? minute * 60 })) ?? [],
    [data, minute],
  );
  return (
    <Panel
      title={`Heartbeats of ${host.host}`}
      class="curves"
      fresh={history}
      loading={data === null}
      aside={
        <nav class="choices" aria-label="Time span">
          {HOURS.map((each) => (
            <Link
              key={each}
              to={`/hosts?host=${name}&hours=${each}`}
              aria-current={each === hours ? 'true' : undefined}
            >
              {each} h
            </Link>
          ))}
        </nav>
      }
    >
      {hosts.length > 1 && (
        <nav class="choices" aria-label="Host">
          {hosts.map((each) => (
            <Link
              key={each.host}
              to={`/hosts?host=${encodeURIComponent(each.host)}&hours=${hours}`}
              aria-current={each.host === host.host ? 'true' : undefined}
            >
              <HostName host={each.host} />
            </Link>
          ))}
        </nav>
      )}
      {data === null || data.at.length < 2 ? (
        <Empty>The host has sent no heartbeat in this time.</Empty>
      ) : (
        <div class="plot-row plot-pair">
          <Plot
            title="Processors, memory and load"
            unit="percent"
            rightUnit="load"
            atLeast={100}
            at={data.at}
            silences={silences}
            series={[
              { label: 'cpu', values: data.cpu, colour: '--accent', fill: true },
              { label: 'memory', values: data.memory, colour: '--plot-b' },
              { label: 'swap', values: data.swap, colour: '--bad', dash: [4, 4] },
              { label: 'load', values: data.load, colour: '--plot-c', dash: [2, 3], right: true },
            ]}
          />
          <Plot
            title="Disks"
            unit="percent"
            atLeast={100}
            at={data.at}
            silences={silences}
            limit={{ at: host.diskLimitPercent, label: 'takes no runs above' }}
            series={[
              { label: 'output', values: data.disk, colour: '--accent', fill: true },
              { label: 'live data', values: data.liveDisk, colour: '--plot-b', dash: [4, 4] },
            ]}
          />
        </div>
      )}
    </Panel>
  );
}

function Scores({ scores }: { scores: HostScore[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Success by host">
      <table>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col" class="right">
              Succeeded
            </th>
            <th scope="col" class="right">
              Failed
            </th>
            <th scope="col" class="right">
              Share
            </th>
            <th scope="col" class="right">
              All others
            </th>
            <th scope="col">Host or run?</th>
          </tr>
        </thead>
        <tbody>
          {scores.map((score) => (
            <tr key={score.host}>
              <th scope="row">
                <HostName host={score.host} />
              </th>
              <td class="right num">{score.succeeded}</td>
              <td class="right num">{score.failed}</td>
              <td class="right num">{shareText(score.share)}</td>
              <td class="right num">{shareText(score.othersShare)}</td>
              <td>
                {score.worse ? (
                  <span class="sign tone-bad">
                    <Glyph shape="triangle" tone="bad" />
                    worse than by chance: check the host
                  </span>
                ) : (
                  <span class="quiet">like the others</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shareText(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}

function Sayings({ hosts }: { hosts: HostCard[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Versions and status of the hosts">
      <table>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Role</th>
            <th scope="col" class="right">
              Slots
            </th>
            <th scope="col">Worker</th>
            <th scope="col">Versions</th>
            <th scope="col" class="right">
              Clock
            </th>
            <th scope="col" class="right">
              Load
            </th>
            <th scope="col">Status</th>
          </tr>
        </thead>
        <tbody>
          {hosts.map(({ host, role, slots, worker, thinking, ...more }) => (
            <tr key={host} class={more.condition === 'silent' ? 'quiet' : undefined}>
              <th scope="row">{host}</th>
              <td>{role ?? 'unknown'}</td>
              <td class="right num">{slots ?? '?'}</td>
              <td>
                {worker !== null && <Was {...more} />}
                {worker ?? 'unknown'}
              </td>
              <td>{versionsText(more.versions)}</td>
              <td class="right num">
                {more.clockSkewSeconds !== null && <Was {...more} />}
                <Skew seconds={more.clockSkewSeconds} />
              </td>
              <td class="right num">
                {more.load !== null && <Was {...more} />}
                {more.load === null ? '–' : more.load.toFixed(1)}
              </td>
              <td class="why-wide">
                {[
                  more.condition === 'silent'
                    ? `silent since ${utc(new Date(more.lastSign))}`
                    : null,
                  more.condition === 'silent' && thinking !== null ? `was: ${thinking}` : thinking,
                  leftRunsText(more),
                  more.cluster === undefined ? null : clusterText(more.cluster),
                ]
                  .filter((says) => says !== null)
                  .join('; ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Before a value that a silent host had. */
function Was({ condition }: Pick<HostCard, 'condition'>) {
  return condition === 'silent' ? <>was </> : null;
}

/** The packages that are shown; all others appear on hover. */
const SHOWN = ['bootstrax', 'strax', 'straxen'];

function versionsText(versions: Record<string, string>) {
  const text = (names: string[]) => names.map((name) => `${name} ${versions[name]}`).join(', ');
  const known = SHOWN.filter((name) => versions[name] !== undefined);
  return known.length === 0 ? (
    <span class="quiet">unknown</span>
  ) : (
    <span title={text(Object.keys(versions))}>{text(known)}</span>
  );
}

/** Clocks further apart than this are marked, seconds; no decision depends on them. */
const SKEW_LIMIT_SECONDS = 2;

function Skew({ seconds }: { seconds: number | null }) {
  if (seconds === null) return <>–</>;
  const text = `${seconds >= 0 ? '+' : '−'}${Math.abs(seconds).toFixed(1)} s`;
  if (Math.abs(seconds) <= SKEW_LIMIT_SECONDS) return <>{text}</>;
  return (
    <span class="sign tone-warn">
      <Glyph shape="triangle" tone="warn" />
      {text}
    </span>
  );
}
