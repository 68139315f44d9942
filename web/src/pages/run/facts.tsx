import type { ComponentChildren } from 'preact';

import type { RunAnswer } from '../../../../src/readmodel/api.ts';
import { duration } from '../../format.ts';
import { serverNow, useLive } from '../../live.ts';
import { HostName, Time } from '../../parts.tsx';
import { Link } from '../../router.tsx';

/** What the DAQ wrote about the run. */
export function Facts({ answer }: { answer: RunAnswer }) {
  useLive();
  const { row, rateMBps } = answer;
  const end = row.end === null ? serverNow() : Date.parse(row.end);
  return (
    <dl class="facts">
      <Fact name="Mode">{row.mode ?? 'none'}</Fact>
      <Fact name="Detectors">{row.detectors.join(', ') || 'none'}</Fact>
      <Fact name="Start, UTC">{row.start === null ? 'unknown' : <Time at={row.start} />}</Fact>
      <Fact name="Length">
        {row.start === null
          ? 'unknown'
          : `${duration((end - Date.parse(row.start)) / 1000)}${row.end === null ? ' so far' : ''}`}
      </Fact>
      <Fact name="Rate">{rateMBps === null ? 'not known yet' : `${rateMBps.toFixed(1)} MB/s`}</Fact>
      <Fact name="Host">{row.host === null ? 'none' : <HostName host={row.host} />}</Fact>
      {row.tags.length > 0 && (
        <Fact name="Tags">
          {row.tags.map((tag) => (
            <Link key={tag} to={`/runs?tag=${encodeURIComponent(tag)}`} class="tag">
              {tag}
            </Link>
          ))}
        </Fact>
      )}
    </dl>
  );
}

/** One fact with its name. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
