import { useRef } from 'preact/hooks';
import type { StripCell } from '../../../src/dashboard/api.ts';
import { LOOKS } from '../../../src/domain/overview/condition.ts';
import { OUTCOME_KINDS, OUTCOME_WORDS } from '../../../src/domain/overview/hours.ts';
import type { RunRow } from '../../../src/domain/overview/run-row.ts';
import { count, duration, percent, roughly, utc } from '../format.ts';
import { HostCards } from '../host-cards.tsx';
import { serverNow, useLive, usePanel } from '../live.ts';
import { Ago, Empty, HostName, Meter, Panel, Until } from '../parts.tsx';
import { Plot } from '../plot.tsx';
import { Link } from '../router.tsx';
import { ConditionSign, Glyph } from '../signs.tsx';

/** At three in the morning: is all well, and if not, what needs a human. */
export function NowPage() {
  return (
    <>
      <h1 class="unseen">Now</h1>
      <div class="now">
        <Attention />
        <QueuePanel />
        <Working />
        <Strip />
        <HostsPanel />
        <Plots />
      </div>
    </>
  );
}

const ATTENTION_WORDS = {
  given_up: 'given up',
  set_aside: 'set aside',
  promise_missed: 'overdue',
  run_silent: 'no life sign',
  host_silent: 'host silent',
  host_quarantined: 'quarantine',
} as const;

const ATTENTION_SHAPES = {
  given_up: 'cross',
  set_aside: 'diamond',
  promise_missed: 'triangle',
  run_silent: 'dots',
  host_silent: 'cross',
  host_quarantined: 'triangle',
} as const;

const MOST_SHOWN = 8;

function Attention() {
  const panel = usePanel('attention');
  const items = panel.data ?? [];
  const first = items.slice(0, MOST_SHOWN);
  return (
    <Panel
      title="Needs a human"
      class={`attention ${items.length > 0 ? 'attention-some' : ''}`}
      fresh={panel}
      loading={panel.data === null}
      aside={items.length > 0 && <span class="count">{items.length}</span>}
    >
      {items.length === 0 ? (
        <p class="all-well">
          <Glyph shape="disc" tone={panel.stale ? 'idle' : 'good'} />
          <span>
            {panel.stale
              ? 'Nothing needed a human when it was last read.'
              : 'Nothing needs a human.'}
            <small>Checked {roughly(panel.ageSeconds ?? 0)} ago</small>
          </span>
        </p>
      ) : (
        <ul class="attention-list">
          {first.map((item) => (
            <li key={`${item.kind} ${item.run} ${item.host}`}>
              <span class="attention-kind">
                <Glyph shape={ATTENTION_SHAPES[item.kind]} tone="bad" />
                {ATTENTION_WORDS[item.kind]}
              </span>
              <span class="attention-what">
                {item.run === null ? (
                  <Link to={`/hosts?host=${encodeURIComponent(item.host ?? '')}`}>{item.what}</Link>
                ) : (
                  <Link to={`/runs/${item.run}`}>{item.what}</Link>
                )}
                <code>{item.todo}</code>
              </span>
              <span class="attention-since">{item.since !== null && <Ago at={item.since} />}</span>
            </li>
          ))}
        </ul>
      )}
      {items.length > MOST_SHOWN && (
        <p class="more">
          and {items.length - MOST_SHOWN} more: <Link to="/runs?condition=given_up">given up</Link>,{' '}
          <Link to="/runs?condition=set_aside">set aside</Link>
        </p>
      )}
    </Panel>
  );
}

function QueuePanel() {
  const panel = usePanel('queue');
  const queue = panel.data;
  return (
    <Panel title="Queue" class="queue" fresh={panel} loading={queue === null}>
      {queue !== null && (
        <dl class="figures">
          <div>
            <dt>
              <Link to="/runs?condition=new">new</Link>
            </dt>
            <dd>
              {queue.fresh}
              {queue.atLeast && '+'}
            </dd>
            <dd class="detail">
              {queue.oldest === null ? (
                'none waits'
              ) : (
                <>
                  oldest began <Ago at={queue.oldest.start} />
                </>
              )}
            </dd>
          </div>
          <div>
            <dt>
              <Link to="/runs?condition=retrying">to be retried</Link>
            </dt>
            <dd>{queue.due + queue.later}</dd>
            <dd class="detail">
              {queue.next !== null ? (
                <>
                  next <Until at={queue.next.at} />
                </>
              ) : (
                `${queue.due} due now`
              )}
            </dd>
          </div>
          <div>
            <dt>
              <Link to="/runs?condition=held">held</Link>
            </dt>
            <dd>{queue.held}</dd>
            <dd class="detail">by a person</dd>
          </div>
        </dl>
      )}
    </Panel>
  );
}

function Working() {
  const panel = usePanel('working');
  const runs = panel.data ?? [];
  return (
    <Panel
      title="Being taken and processed"
      class="working"
      fresh={panel}
      loading={panel.data === null}
    >
      {runs.length === 0 ? (
        <Empty>No run is being taken, and none is being processed.</Empty>
      ) : (
        <ul class="work-list">
          {runs.map((run) => (
            <WorkingRun key={run.id} run={run} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function WorkingRun({ run }: { run: RunRow }) {
  useLive();
  const { progress } = run;
  const taking = run.end === null;
  const seconds =
    run.start === null
      ? 0
      : ((run.end === null ? serverNow() : Date.parse(run.end)) - Date.parse(run.start)) / 1000;
  return (
    <li>
      <div class="work-name">
        <Link to={`/runs/${run.run}`} class="run-number">
          {run.run ?? '?'}
        </Link>
        <ConditionSign condition={run.condition} />
      </div>
      <div class="work-about">
        <span>{run.mode ?? 'no mode'}</span>
        <span class="quiet">{run.detectors.join(', ')}</span>
      </div>
      <div class="work-progress">
        <Meter
          label={`Processed of run ${run.run}`}
          fraction={progress?.fraction ?? 0}
          tone={progress === null ? 'idle' : 'active'}
        />
        <p class="work-facts">
          <span>{taking ? `taken for ${duration(seconds)}` : `${duration(seconds)} long`}</span>
          <span>{lagOf(run)}</span>
          {run.host !== null && run.condition !== 'new' && (
            <span>
              on <HostName host={run.host} />
            </span>
          )}
        </p>
      </div>
    </li>
  );
}

/** How far processing is behind the detector, in words. */
function lagOf({ condition, progress, end, start }: RunRow): string {
  if (progress === null) {
    if (condition === 'new' && start !== null) {
      return `waits for a host for ${roughly((serverNow() - Date.parse(start)) / 1000)}`;
    }
    return condition === 'busy' ? 'starting' : '';
  }
  if (end === null && progress.behindSeconds !== null) {
    return `${duration(progress.behindSeconds)} behind`;
  }
  if (progress.estimatedEnd !== null && (progress.fraction ?? 0) < 1) {
    const left = (Date.parse(progress.estimatedEnd) - serverNow()) / 1000;
    return `${percent((progress.fraction ?? 0) * 100)}, about ${roughly(left)} left`;
  }
  return progress.phase.replaceAll('_', ' ');
}

function Strip() {
  const panel = usePanel('strip');
  const cells = panel.data ?? [];
  return (
    <Panel
      title={`Last ${cells.length === 0 ? '' : `${count(cells.length, 'run')}`}`.trim()}
      class="strip-panel"
      fresh={panel}
      loading={panel.data === null}
    >
      {cells.length === 0 ? (
        <Empty>There is no run in this database yet.</Empty>
      ) : (
        <StripCells cells={cells} />
      )}
    </Panel>
  );
}

function StripCells({ cells }: { cells: StripCell[] }) {
  const list = useRef<HTMLOListElement>(null);
  const shown = [...new Set(cells.map(({ condition }) => condition))];
  return (
    <>
      <ol
        class="strip"
        ref={list}
        aria-label="oldest first; arrow keys move"
        onKeyDown={(event) => {
          const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
          if (step === 0) return;
          const links = [...(list.current?.querySelectorAll('a') ?? [])];
          links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]?.focus();
        }}
      >
        {cells.map(({ run, condition, start }, i) => {
          const { word, shape, tone } = LOOKS[condition];
          const when = start === null ? '' : `, began ${utc(new Date(start))} UTC`;
          return (
            <li key={run}>
              <Link
                to={`/runs/${run}`}
                class={`cell tone-${tone}`}
                aria-label={`Run ${run}: ${word}`}
                title={`${run}: ${word}${when}`}
                tabIndex={i === cells.length - 1 ? 0 : -1}
              >
                <Glyph shape={shape} tone={tone} />
              </Link>
            </li>
          );
        })}
      </ol>
      <div class="strip-ends">
        <span>{cells[0]?.run}</span>
        <span class="strip-key">
          {shown.map((condition) => (
            <ConditionSign key={condition} condition={condition} />
          ))}
        </span>
        <span>{cells.at(-1)?.run}</span>
      </div>
    </>
  );
}

function HostsPanel() {
  const panel = usePanel('hosts');
  return (
    <Panel title="Hosts" class="hosts" fresh={panel} loading={panel.data === null}>
      {panel.data?.length === 0 ? (
        <Empty>No manager has reported yet: start one with “bootstrax run”.</Empty>
      ) : (
        <HostCards hosts={panel.data ?? []} />
      )}
    </Panel>
  );
}

const OUTCOME_COLOURS = {
  done: '--good',
  error: '--bad',
  memory: '--plot-b',
  stuck: '--warn',
  surroundings: '--plot-c',
  person: '--idle',
} as const;

function Plots() {
  const panel = usePanel('plots');
  const plots = panel.data;
  return (
    <Panel title="Last 24 hours" class="plots" fresh={panel} loading={plots === null}>
      {plots !== null && (
        <div class="plot-row">
          <Plot
            title="Start of run → processing begins; end → done"
            unit="seconds"
            at={plots.latency.at}
            series={[
              { label: 'begins, p50', values: plots.latency.startP50, colour: '--accent' },
              {
                label: 'begins, p95',
                values: plots.latency.startP95,
                colour: '--accent',
                dash: [4, 4],
              },
              { label: 'done, p50', values: plots.latency.doneP50, colour: '--plot-b' },
              {
                label: 'done, p95',
                values: plots.latency.doneP95,
                colour: '--plot-b',
                dash: [4, 4],
              },
            ]}
          />
          <Plot
            title="Attempts that ended, by cause"
            unit="per hour"
            at={plots.outcomes.at}
            stacked
            series={OUTCOME_KINDS.map((kind) => ({
              label: OUTCOME_WORDS[kind],
              values: plots.outcomes.counts[kind],
              colour: OUTCOME_COLOURS[kind],
              bars: true,
            }))}
          />
          <Plot
            title="Detector time taken and processed"
            unit="min per hour"
            atLeast={60}
            at={plots.throughput.at}
            series={[
              {
                label: 'taken',
                values: plots.throughput.takenMinutes,
                colour: '--idle',
                dash: [4, 4],
              },
              {
                label: 'processed',
                values: plots.throughput.processedMinutes,
                colour: '--accent',
                fill: true,
              },
            ]}
          />
        </div>
      )}
    </Panel>
  );
}
