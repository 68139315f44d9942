import type { ProgressPoints } from '../../src/attempt/files/progress-points.ts';
import type { AttemptView } from '../../src/readmodel/api.ts';
import { bytes } from './format.ts';
import { Empty, Panel } from './parts.tsx';
import { Plot } from './plot.tsx';
import { useResource } from './resource.ts';

/** Progress, memory and rate of one attempt. */
export function ProgressPanel({ attempt }: { attempt: AttemptView }) {
  const running = attempt.ended === null;
  const url = attempt.filesHere ? `/api/attempts/${attempt.attempt}/progress` : null;
  const points = useResource<ProgressPoints>(url, running ? 2 : 60);
  const data = points.data;
  const isMeasured = data !== null && data.t.length >= 2;
  return (
    <Panel
      title="Progress and memory"
      class={attempt.filesHere ? 'progress' : 'progress elsewhere'}
      fresh={running ? points : { ...points, stale: false }}
      loading={attempt.filesHere && data === null && points.missing === null}
    >
      {!attempt.filesHere && (
        <Empty>The curves lie on {attempt.host}: a dashboard that runs there shows them.</Empty>
      )}
      {attempt.filesHere && !isMeasured && <Empty>Nothing has been measured yet.</Empty>}
      {attempt.filesHere && isMeasured && (
        <div class="plot-row plot-pair">
          <Plot
            title="Detector time read"
            unit="seconds"
            rightUnit="MB/s written"
            elapsed
            at={data.t}
            series={[
              { label: 'read', values: data.coveredSeconds, colour: '--accent' },
              {
                label: 'written',
                values: ratesOf(data),
                colour: '--plot-b',
                dash: [4, 4],
                right: true,
              },
            ]}
          />
          <Plot
            title="Memory of its processes"
            unit=""
            elapsed
            at={data.t}
            series={[{ label: 'memory', values: data.memoryBytes, colour: '--accent', fill: true }]}
            format={bytes}
          />
        </div>
      )}
    </Panel>
  );
}

/** Each rate is an average over this time. */
const WINDOW_SECONDS = 3;

function ratesOf({ t, bytes: written }: ProgressPoints): (number | null)[] {
  let first = 0;
  return t.map((at, i) => {
    while (first < i && at - (t[first] ?? 0) > WINDOW_SECONDS) first++;
    const seconds = at - (t[first] ?? 0);
    return seconds > 0 ? ((written[i] ?? 0) - (written[first] ?? 0)) / 1e6 / seconds : null;
  });
}
