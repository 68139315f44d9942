import { OUTCOME_KINDS, OUTCOME_WORDS } from '../../../../src/readmodel/hours.pure.ts';
import { usePanel } from '../../live.ts';
import { Panel } from '../../parts.tsx';
import { Plot } from '../../plot.tsx';

const OUTCOME_COLOURS = {
  done: '--good',
  error: '--bad',
  memory: '--plot-b',
  stuck: '--warn',
  surroundings: '--plot-c',
  person: '--idle',
} as const;

/** Latency, outcomes and throughput of the last day. */
export function Plots() {
  const panel = usePanel('plots');
  const plots = panel.data;
  return (
    <Panel title="Last 24 hours" class="plots" fresh={panel} loading={plots === null}>
      {plots !== null && (
        <div class="plot-row">
          <Plot
            title="Start of run → first output; end → done"
            unit="seconds"
            at={plots.latency.at}
            series={[
              { label: 'output, p50', values: plots.latency.outputP50, colour: '--accent' },
              {
                label: 'output, p95',
                values: plots.latency.outputP95,
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
            title={
              plots.throughput.unit === 'MB/s'
                ? 'Live data taken and processed'
                : 'Detector time taken and processed'
            }
            unit={plots.throughput.unit}
            atLeast={plots.throughput.unit === 'MB/s' ? 1 : 60}
            at={plots.throughput.at}
            series={[
              {
                label: 'taken',
                values: plots.throughput.taken,
                colour: '--idle',
                dash: [4, 4],
              },
              {
                label: 'processed',
                values: plots.throughput.processed,
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
