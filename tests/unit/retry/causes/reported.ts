import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { outcomeOf } from '../../../../src/attempt/outcome.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import { type Cause, causeOf } from '../../../../src/retry/causes.pure.ts';

/** A failure as users of strax and of what it stands on have reported it, shortened. */
export interface Report {
  name: string;
  class: Cause['class'];
  plugin?: string;
  /** The worker says by itself that its host is to blame. */
  host?: boolean;
  /** The exceptions, the original first; frames as `path:function`, outermost first. */
  chain: readonly { frames: readonly string[]; error: string; led?: 'cause' | 'context' }[];
}

const LINKS = {
  cause: 'The above exception was the direct cause of the following exception:',
  context: 'During handling of the above exception, another exception occurred:',
};
const SITE = '/opt/python/lib/python3.11/site-packages';

/** By file below `folder`. */
export function reports(folder: string): Report[] {
  const at = join(import.meta.dirname, folder);
  return readdirSync(at).flatMap(
    (name) => JSON.parse(readFileSync(join(at, name), 'utf8')) as Report[],
  );
}

function tracebackOf({ chain }: Report): string {
  return chain
    .map(({ frames, error, led }) => {
      const lines = frames.map((frame) => {
        const [path = '', name = ''] = frame.split(':');
        const file = path.startsWith('<frozen-') ? `<frozen ${path.slice(8)}` : `${SITE}/${path}`;
        return `  File "${file}", line 7, in ${name}\n    called()`;
      });
      const text = ['Traceback (most recent call last):', ...lines, error].join('\n');
      return led === undefined ? `${text}\n` : `${text}\n\n${LINKS[led]}\n\n`;
    })
    .join('');
}

/** What a manager makes of it, by what the worker would have written of it. */
export function meaningOfReport(report: Report): Cause {
  const last = report.chain.at(-1)?.error ?? '';
  const [, type = '', message = ''] = /^([\w.]+)(?:: ?([^]*))?$/.exec(last) ?? [];
  const error = {
    type: type.slice(type.lastIndexOf('.') + 1),
    message,
    traceback: tracebackOf(report),
    plugin: report.plugin ?? null,
    file: null,
    origin: report.host === true ? ('host' as const) : ('run' as const),
  };
  const result = {
    ...{ version: 1, attempt: 'a'.repeat(24), run: 7, ok: false, error, products: [] },
    ...{ skipped: [], seconds: 12, peakMemoryBytes: 2e9, versions: {} },
  };
  const judgement = outcomeOf(
    { run: 7, started: true, exit: null, result, ended: null },
    { kind: 'ok' },
  );
  if (judgement.kind !== 'failed') throw new Error(`it is judged as ${judgement.kind}`);
  return causeOf({ ...judgement, progress: null }, defaultRules.targets);
}
