import type { AttemptView, RunAnswer } from '../../../../src/readmodel/api.ts';
import { bytes, count, duration, precisely } from '../../format.ts';
import { Ago, Empty, HostName, Panel, Time } from '../../parts.tsx';
import type { Resource } from '../../resource.ts';
import { Link } from '../../router.tsx';
import { outcomeText, Timeline } from '../../timeline.tsx';
import { Fact } from './facts.tsx';

/** Every attempt on one time axis. */
export function Attempts({
  answer,
  attempt,
  number,
}: {
  answer: Resource<RunAnswer>;
  attempt: AttemptView | null;
  number: number;
}) {
  const attempts = answer.data?.attempts ?? [];
  return (
    <Panel
      title={attempts.length === 0 ? 'Attempts' : count(attempts.length, 'attempt')}
      class="attempts"
      fresh={answer}
      loading={answer.data === null}
    >
      {attempts.length === 0 ? (
        <Empty>No host has tried this run yet.</Empty>
      ) : (
        <Timeline
          attempts={attempts}
          chosen={attempt?.attempt ?? null}
          start={answer.data?.row.start ?? null}
          end={answer.data?.row.end ?? null}
          to={(id) => `/runs/${number}?attempt=${id}`}
        />
      )}
    </Panel>
  );
}

function Took({ attempt }: { attempt: AttemptView }) {
  if (attempt.seconds !== null) return <>{duration(attempt.seconds)}</>;
  if (attempt.ended !== null) return <>unknown</>;
  return (
    <>
      {outcomeText(attempt)}, for <Ago at={attempt.started} suffix="" />
    </>
  );
}

/** One attempt: its plan and its outcome. */
export function AttemptDetails({
  attempt,
  answer,
}: {
  attempt: AttemptView;
  answer: Resource<RunAnswer>;
}) {
  const versions = Object.entries(attempt.versions).filter(([name]) =>
    ['strax', 'straxen', 'numba', 'python'].includes(name),
  );
  return (
    <Panel title="The chosen attempt" class="attempt" fresh={answer} loading={false}>
      <dl class="facts">
        <Fact name="Host">
          <HostName host={attempt.host} />
        </Fact>
        <Fact name="Started, UTC">
          <Time at={attempt.started} />
        </Fact>
        <Fact name="Took">
          <Took attempt={attempt} />
        </Fact>
        <Fact name="Outcome">
          {outcomeText(attempt)}
          {attempt.counted && ', counted as a failure'}
        </Fact>
        {attempt.cause !== null && <Fact name="Cause">{attempt.cause}</Fact>}
        {attempt.peakMemoryBytes !== null && (
          <Fact name="Peak memory">{bytes(attempt.peakMemoryBytes)}</Fact>
        )}
        {attempt.cores !== null && (
          <Fact name="Plan">
            {count(attempt.cores, 'core')}, {count(attempt.maxMessages ?? 0, 'message')}, timeout{' '}
            {duration(attempt.timeoutSeconds ?? 0)}
          </Fact>
        )}
        <Steps {...attempt.steps} />
        {versions.length > 0 && (
          <Fact name="Versions">
            {versions.map(([name, version]) => `${name} ${version}`).join(', ')}
          </Fact>
        )}
      </dl>
      {attempt.reason !== null && attempt.reason !== answer.data?.row.why && (
        <p class="reason">{attempt.reason}</p>
      )}
      {attempt.fingerprint !== null && (
        <p>
          <Link to={`/failures?group=${encodeURIComponent(attempt.fingerprint)}`}>
            Failures of the same cause
          </Link>
        </p>
      )}
      {attempt.traceback !== null && (
        <details>
          <summary>Traceback</summary>
          <pre tabIndex={0} role="region" aria-label="Traceback">
            {attempt.traceback}
          </pre>
        </details>
      )}
      {attempt.input.length > 0 && (
        <details>
          <summary>Live data read</summary>
          <ul class="plain">
            {attempt.input.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
      {attempt.reasons.length > 0 && (
        <details>
          <summary>Reasons for the plan</summary>
          <ul class="plain">
            {attempt.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

/** The time from each step to the next; unknown times are not shown. */
function Steps({
  noticeToClaim,
  claimToStart,
  startToFirstChunk,
  runStartToFirstOutput,
  runEndToDone,
}: AttemptView['steps']) {
  const steps = [
    ['Noticed to claimed', noticeToClaim],
    ['Claimed to started', claimToStart],
    ['Started to first chunk', startToFirstChunk],
    ['Start of run to first output', runStartToFirstOutput],
    ['End of run to done', runEndToDone],
  ] as const;
  return (
    <>
      {steps.map(
        ([name, seconds]) =>
          seconds !== null && (
            <Fact name={name} key={name}>
              {precisely(seconds)}
            </Fact>
          ),
      )}
    </>
  );
}
