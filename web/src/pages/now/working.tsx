import type { RunRow } from '../../../../src/readmodel/run-row.pure.ts';
import { stallText } from '../../../../src/run/stall.pure.ts';
import { duration, percent, roughly } from '../../format.ts';
import { serverNow, useLive, usePanel } from '../../live.ts';
import { Empty, HostName, Meter, Panel } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { ConditionSign } from '../../signs.tsx';

/** The runs that are being taken or processed. */
export function Working() {
  const panel = usePanel('working');
  const runs = panel.data ?? [];
  return (
    <Panel
      title="Runs being taken or processed"
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
          tone={toneOf(progress)}
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

function toneOf(progress: RunRow['progress']): 'idle' | 'warn' | 'active' {
  if (progress === null) return 'idle';
  return progress.isStalled ? 'warn' : 'active';
}

function waitOf({
  condition,
  start,
  waitsFor,
}: Pick<RunRow, 'condition' | 'start' | 'waitsFor'>): string {
  if (condition === 'new' && start !== null) {
    return `waits for a host for ${roughly((serverNow() - Date.parse(start)) / 1000)}`;
  }
  if (waitsFor !== null) return `waits for ${waitsFor}`;
  return condition === 'busy' ? 'starting' : '';
}

/** How far processing is behind the detector, in words. */
function lagOf({ condition, progress, waitsFor, end, start }: RunRow): string {
  if (progress === null) return waitOf({ condition, start, waitsFor });
  if (progress.isStalled) return stallText(progress);
  if (end === null && progress.behindSeconds !== null) {
    return `${duration(progress.behindSeconds)} behind`;
  }
  if (progress.estimatedEnd !== null && (progress.fraction ?? 0) < 1) {
    const left = (Date.parse(progress.estimatedEnd) - serverNow()) / 1000;
    return `${percent((progress.fraction ?? 0) * 100)}, about ${roughly(left)} left`;
  }
  if (end !== null && progress.fraction !== null && progress.fraction < 1) {
    return `${percent(progress.fraction * 100)} read`;
  }
  return progress.phase.replaceAll('_', ' ');
}
