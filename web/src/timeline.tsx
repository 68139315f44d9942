import type { AttemptView } from '../../src/readmodel/api.ts';
import { duration, utc } from './format.ts';
import { serverNow, useLive } from './live.ts';
import { HostName } from './parts.tsx';
import { Link } from './router.tsx';

interface TimelineProps {
  attempts: AttemptView[];
  chosen: string | null;
  /** Run number. */
  start: string | null;
  end: string | null;
  to: (attempt: string) => string;
}

/** What has become of an attempt; one that waits for its worker does not run yet. */
export function outcomeText({ outcome, begun }: AttemptView): string {
  return outcome?.replaceAll('_', ' ') ?? (begun ? 'running' : 'under way');
}

/** The run and every attempt at it on one time axis; the attempts choose what is shown below. */
export function Timeline({ attempts, chosen, start, end, to }: TimelineProps) {
  useLive();
  const nowMs = serverNow();
  const endOf = (attempt: AttemptView) =>
    attempt.ended === null ? nowMs : Date.parse(attempt.ended);
  const runMs =
    start === null ? null : { from: Date.parse(start), to: end === null ? nowMs : Date.parse(end) };
  const fromMs = Math.min(
    ...attempts.map(({ started }) => Date.parse(started)),
    runMs?.from ?? nowMs,
  );
  const toMs = Math.max(...attempts.map(endOf), runMs?.to ?? 0, fromMs + 1000);
  const share = (ms: number) => ((ms - fromMs) / (toMs - fromMs)) * 100;
  return (
    <ol class="timeline">
      {runMs !== null && (
        <li class="timeline-run">
          <span class="timeline-name">run</span>
          <Bar from={share(runMs.from)} to={share(runMs.to)} tone="idle" />
          <span class="timeline-word">{duration((runMs.to - runMs.from) / 1000)}</span>
        </li>
      )}
      {attempts.map((attempt, i) => {
        const from = Date.parse(attempt.started);
        const tone = toneOf(attempt);
        return (
          <li key={attempt.attempt}>
            <Link
              to={to(attempt.attempt)}
              class="timeline-link"
              aria-current={attempt.attempt === chosen ? 'true' : undefined}
              title={`${utc(new Date(from))} UTC, ${outcomeText(attempt)}`}
            >
              <span class="timeline-name">
                {i + 1} <HostName host={attempt.host} />
              </span>
              <Bar from={share(from)} to={share(endOf(attempt))} tone={tone} />
              <span class="timeline-word">
                {outcomeText(attempt)}, {duration((endOf(attempt) - from) / 1000)}
              </span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}

function toneOf({ outcome, counted }: AttemptView): string {
  if (outcome === null) return 'active';
  if (outcome === 'done') return 'good';
  return counted ? 'bad' : 'warn';
}

function Bar({ from, to, tone }: { from: number; to: number; tone: string }) {
  return (
    <svg
      class={`timeline-bar tone-${tone}`}
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="meter-ground" width="100" height="8" />
      <rect class="meter-fill" x={from} width={Math.max(0.6, to - from)} height="8" />
    </svg>
  );
}
