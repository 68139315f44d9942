import type { FailuresAnswer, RunAnswer } from '../../../../src/readmodel/api.ts';
import { hostOrRun, type Suspect } from '../../../../src/readmodel/host-or-run.pure.ts';
import { usePanel } from '../../live.ts';
import { Panel } from '../../parts.tsx';
import { type Resource, useResource } from '../../resource.ts';
import { Link } from '../../router.tsx';
import { Glyph } from '../../signs.tsx';

const SHAPES = { host: 'triangle', run: 'diamond', common: 'cross', unclear: 'ring' } as const;
const TONES: Readonly<Record<Suspect, 'bad' | 'warn' | 'idle'>> = {
  host: 'bad',
  run: 'warn',
  common: 'bad',
  unclear: 'idle',
};

/** Is it the host or the run? Only for runs that have failed. */
export function HostOrRun({ answer }: { answer: Resource<RunAnswer> }) {
  const attempts = answer.data?.attempts ?? [];
  const failed = attempts.filter(({ counted }) => counted);
  const failures = useResource<FailuresAnswer>(
    failed.length === 0 ? null : '/api/failures?days=7',
    30,
  );
  const scores = usePanel('scores').data ?? [];
  const fingerprint = failed.at(-1)?.fingerprint ?? null;
  const group = failures.data?.groups.find((each) => each.fingerprint === fingerprint) ?? null;
  const told = hostOrRun(attempts, group, scores);
  if (told === null) return null;
  return (
    <Panel
      title="Is it the host or the run?"
      class="blame"
      fresh={answer}
      loading={failures.data === null && failures.why === null}
    >
      <p class="verdict">
        <Glyph shape={SHAPES[told.blame]} tone={TONES[told.blame]} /> {told.says}
      </p>
      <ul class="plain">
        {told.because.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {told.advice !== null && <p class="advice">{told.advice}</p>}
      <p class="links">
        {[...new Set(failed.map(({ host }) => host))].map((host) => (
          <Link key={host} to={`/hosts?host=${encodeURIComponent(host)}`}>
            {host}
          </Link>
        ))}
        {fingerprint !== null && (
          <Link to={`/failures?group=${encodeURIComponent(fingerprint)}`}>
            failures of the same cause
          </Link>
        )}
      </p>
    </Panel>
  );
}
