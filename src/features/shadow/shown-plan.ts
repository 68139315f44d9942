import { z } from 'zod';

import type { ShownPlan } from './shadow.pure.ts';

/** The fields that every program writes to `eb_monitor` while it supervises a child. */
const signSchema = z.looseObject({
  run_id: z.string(),
  targets: z.union([z.string(), z.array(z.string())]).optional(),
  post_processing: z.union([z.string(), z.array(z.string())]).optional(),
  cores: z.number().optional(),
  max_messages: z.number().optional(),
  timeout: z.number().optional(),
});

/** The plan of a run in the heartbeat of its host; null: none yet, or that of another run. */
export function shownPlan(runId: string, sign: Record<string, unknown> | null): ShownPlan | null {
  const shown = signSchema.safeParse(sign).data;
  // Values of the previous run may still be in the document: only those of this run count.
  if (shown?.run_id !== runId || shown.cores === undefined) return null;
  const list = (types: string | string[]) => (typeof types === 'string' ? [types] : types);
  return {
    ...(shown.targets === undefined ? {} : { targets: list(shown.targets) }),
    ...(shown.post_processing === undefined ? {} : { postProcessing: list(shown.post_processing) }),
    cores: shown.cores,
    ...(shown.max_messages === undefined ? {} : { maxMessages: shown.max_messages }),
    ...(shown.timeout === undefined ? {} : { timeoutSeconds: shown.timeout }),
  };
}
