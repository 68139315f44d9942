import { z } from 'zod';

import type { ShownPlan } from './shadow.pure.ts';

/** As any program writes it while it supervises a child (reference, section 1.6). */
const signSchema = z.looseObject({
  run_id: z.string(),
  targets: z.union([z.string(), z.array(z.string())]).optional(),
  post_processing: z.union([z.string(), z.array(z.string())]).optional(),
  cores: z.number().optional(),
  max_messages: z.number().optional(),
  timeout: z.number().optional(),
});

/** What a host shows of a run in its life sign; null: nothing yet, or of another run. */
export function shownPlan(runId: string, sign: Record<string, unknown> | null): ShownPlan | null {
  const shown = signSchema.safeParse(sign).data;
  // Values of the run before stay in the document: only those of this run count.
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
