import type { Plan, Progress } from '../attempt/attempt.pure.ts';
import { firstStepsAt } from '../attempt/attempt-times.pure.ts';
import type { PlanSummary, ProgressSummary } from '../run/run.port.ts';

/** The part of a plan that the run document shows. */
export function planSummary(plan: Plan): PlanSummary {
  return {
    targets: plan.targets,
    post_processing: plan.postProcessing,
    dropped: plan.dropped,
    cores: plan.cores,
    max_messages: plan.maxMessages,
    timeout: plan.timeoutSeconds,
    rung: plan.failures,
    ...(plan.place == null ? {} : { place: plan.place }),
  };
}

/**
 * The part of the progress that the run document shows. `phase` is the manager's phase, where it goes
 * beyond that of the child; `started`: when the run became busy.
 */
export function progressSummary(
  progress: Progress,
  phase: string | null,
  started?: Date,
): ProgressSummary {
  const { chunks, coveredSeconds, bytes, memoryBytes, t } = progress;
  const { firstOutput } = firstStepsAt(started, progress);
  return {
    phase: phase ?? progress.phase,
    chunks,
    covered_seconds: coveredSeconds,
    bytes,
    memory_bytes: memoryBytes,
    mb_per_s: t > 0 ? bytes / 1e6 / t : null,
    t,
    ...(firstOutput === undefined ? {} : { first_output: firstOutput }),
  };
}
