import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AttemptView, DocumentAnswer, RunAnswer } from '../../../src/dashboard/api.ts';
import type { FleetExplanation } from '../../../src/domain/overview/explain-fleet.ts';
import type { LadderRow, Step } from '../../../src/domain/overview/ladder.ts';
import { isWorking } from '../../../src/domain/overview/condition.ts';
import { bytes, count, duration } from '../format.ts';
import { serverNow, useChanges, useLive } from '../live.ts';
import { LogPanel } from '../log-panel.tsx';
import { Ago, Empty, HostName, Meter, Panel, Time, Until } from '../parts.tsx';
import { ProgressPanel } from '../progress-panel.tsx';
import { useResource, type Resource } from '../resource.ts';
import { Link } from '../router.tsx';
import { ConditionSign, Glyph } from '../signs.tsx';
import { Timeline } from '../timeline.tsx';

/** All about one run, the answer to "why" first. */
export function RunPage({ number, query }: { number: number; query: URLSearchParams }) {
  const [working, setWorking] = useState(false);
  const answer = useResource<RunAnswer>(`/api/runs/${number}`, working ? 1.5 : 10);
  const id = answer.data?.row.id;
  const { reload } = answer;
  useChanges(
    useCallback(
      (ids) => {
        if (ids === null || id === undefined || ids.includes(id)) reload();
      },
      [id, reload],
    ),
  );
  const condition = answer.data?.row.condition;
  useEffect(() => setWorking(condition !== undefined && isWorking(condition)), [condition]);

  if (answer.missing !== null) {
    return (
      <div class="lost">
        <h1>Run {number}</h1>
        <p>{answer.missing}</p>
        <p>
          <Link to="/runs">All runs</Link>
        </p>
      </div>
    );
  }
  const chosen = query.get('attempt');
  const attempts = answer.data?.attempts ?? [];
  const attempt = attempts.find((each) => each.attempt === chosen) ?? attempts.at(-1) ?? null;
  return (
    <>
      <div class="run-head">
        <h1>Run {number}</h1>
        {answer.data !== null && <ConditionSign condition={answer.data.row.condition} />}
        <nav aria-label="Neighbouring runs">
          <Link to={`/runs/${Math.max(0, number - 1)}`}>← {Math.max(0, number - 1)}</Link>
          <Link to={`/runs/${number + 1}`}>{number + 1} →</Link>
        </nav>
      </div>
      {answer.data !== null && <Facts answer={answer.data} />}
      <div class="run">
        <Explain answer={answer} />
        <Attempts answer={answer} attempt={attempt} number={number} />
        {attempt !== null && <AttemptDetails attempt={attempt} answer={answer} />}
        {attempt !== null && <ProgressPanel attempt={attempt} key={`p${attempt.attempt}`} />}
        {attempt !== null && <LogPanel attempt={attempt} key={`l${attempt.attempt}`} />}
        <Targets answer={answer} />
        <Data answer={answer} />
        <RawDocument number={number} />
      </div>
    </>
  );
}

function Facts({ answer }: { answer: RunAnswer }) {
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

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const VERDICTS: Readonly<Record<FleetExplanation['verdict'], string>> = {
  eligible: 'It is free to be taken.',
  waiting: 'It waits.',
  running: 'It is being processed.',
  held: 'It is held: a person has told all hosts to leave it alone.',
  finished: 'It is done.',
  givenUp: 'It is given up: it failed too often, and only a person brings it back.',
  abandoned: 'It is abandoned: a person has told that it is not to be processed.',
  malformed: 'It is set aside: its document must be mended by a person.',
};

function Explain({ answer }: { answer: Resource<RunAnswer> }) {
  const explanation = answer.data?.explanation;
  return (
    <Panel title="Why" class="explain" fresh={answer} loading={explanation === undefined}>
      {explanation !== undefined && (
        <>
          <p class="verdict">{VERDICTS[explanation.verdict]}</p>
          {explanation.next !== null && (
            <p>
              Next: {explanation.next.what}
              {explanation.next.who !== null && `, by ${explanation.next.who}`}
              {explanation.next.at !== null && (
                <>
                  , <Until at={explanation.next.at} />
                </>
              )}
              .
            </p>
          )}
          <RunningBar answer={answer.data!} />
          {answer.data?.row.why != null && <p class="reason">{answer.data.row.why}</p>}
          <details>
            <summary>The rules that were asked, as seen from {explanation.seenFrom}</summary>
            <ul class="rules">
              {explanation.rules.map(({ rule, value, holds }) => (
                <li key={rule}>
                  <Glyph shape={holds ? 'disc' : 'cross'} tone={holds ? 'good' : 'bad'} />
                  <span>
                    <b>{holds ? 'yes' : 'no'}</b> {rule}: {value}
                  </span>
                </li>
              ))}
            </ul>
            {explanation.hosts.length > 1 && (
              <ul class="rules">
                {explanation.hosts.map(({ host, verdict, obstacle }) => (
                  <li key={host}>
                    <span>
                      <b>{host}</b> {verdict}
                      {obstacle !== null && `, because not: ${obstacle}`}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </details>
          {explanation.commands.length > 0 && (
            <p class="commands">
              On a terminal:{' '}
              {explanation.commands.map((command) => (
                <code key={command}>{command}</code>
              ))}
            </p>
          )}
        </>
      )}
    </Panel>
  );
}

function RunningBar({ answer }: { answer: RunAnswer }) {
  const { progress, run } = answer.row;
  if (progress === null || !isWorking(answer.row.condition)) return null;
  return (
    <div class="running">
      <Meter label={`Processed of run ${run}`} fraction={progress.fraction ?? 0} />
      <p class="work-facts">
        <span>{progress.phase.replaceAll('_', ' ')}</span>
        <span>{duration(progress.coveredSeconds)} of data read</span>
        <span>{count(progress.chunks, 'chunk')}</span>
        <span>{bytes(progress.memoryBytes)} of memory</span>
        {progress.behindSeconds !== null && <span>{duration(progress.behindSeconds)} behind</span>}
      </p>
    </div>
  );
}

function Attempts({
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
        <Empty>No host has tried it yet.</Empty>
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

function AttemptDetails({
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
          {attempt.seconds !== null ? (
            duration(attempt.seconds)
          ) : attempt.ended === null ? (
            <>
              running, since <Ago at={attempt.started} suffix="" />
            </>
          ) : (
            'unknown'
          )}
        </Fact>
        <Fact name="Outcome">
          {attempt.outcome ?? 'running'}
          {attempt.counted && ', counted as a failure'}
        </Fact>
        {attempt.cause !== null && <Fact name="Cause">{attempt.cause.replaceAll('_', ' ')}</Fact>}
        {attempt.peakMemoryBytes !== null && (
          <Fact name="Memory at most">{bytes(attempt.peakMemoryBytes)}</Fact>
        )}
        {attempt.cores !== null && (
          <Fact name="Plan">
            {count(attempt.cores, 'core')}, {count(attempt.maxMessages ?? 0, 'message')}, time-out{' '}
            {duration(attempt.timeoutSeconds ?? 0)}
          </Fact>
        )}
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
      {attempt.reasons.length > 0 && (
        <details>
          <summary>What shaped the plan</summary>
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

const STEPS: Readonly<Record<Step, { mark: string; word: string; tone: string }>> = {
  made: { mark: '●', word: 'made', tone: 'good' },
  asked: { mark: '○', word: 'asked for', tone: 'active' },
  culprit: { mark: '✕', word: 'its plugin failed', tone: 'bad' },
  dropped: { mark: '–', word: 'left out', tone: 'warn' },
  none: { mark: '', word: 'not wanted', tone: 'off' },
};

function Targets({ answer }: { answer: Resource<RunAnswer> }) {
  const ladder = answer.data?.ladder ?? [];
  const attempts = (answer.data?.attempts ?? []).slice(-(ladder[0]?.steps.length ?? 0));
  return (
    <Panel title="Ladder of targets" class="targets" fresh={answer} loading={answer.data === null}>
      {ladder.length === 0 ? (
        <Empty>No plan has been made for it yet.</Empty>
      ) : (
        <Ladder ladder={ladder} attempts={attempts} />
      )}
    </Panel>
  );
}

function Ladder({ ladder, attempts }: { ladder: LadderRow[]; attempts: AttemptView[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Targets by attempt">
      <table class="ladder">
        <thead>
          <tr>
            <th scope="col">Data type</th>
            {attempts.map(({ attempt, rung }, i) => (
              <th scope="col" key={attempt} title={`after ${count(rung, 'failure')}`}>
                {i + 1}
              </th>
            ))}
            <th scope="col">Stored on</th>
          </tr>
        </thead>
        <tbody>
          {ladder.map(({ type, steps, storedOn }) => (
            <tr key={type}>
              <th scope="row">{type}</th>
              {steps.map((step, i) => {
                const { mark, word, tone } = STEPS[step];
                return (
                  <td key={attempts[i]?.attempt ?? i} class={`step tone-${tone}`} title={word}>
                    <span aria-hidden="true">{mark}</span>
                    <span class="unseen">{word}</span>
                  </td>
                );
              })}
              <td>
                {storedOn.length === 0 ? (
                  <span class="quiet">nowhere</span>
                ) : (
                  storedOn.map((host) => <HostName key={host} host={host} />)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="key">
        {(['made', 'asked', 'culprit', 'dropped'] as const).map((step) => (
          <span key={step} class={`tone-${STEPS[step].tone}`}>
            <span aria-hidden="true">{STEPS[step].mark}</span> {STEPS[step].word}
          </span>
        ))}
      </p>
    </div>
  );
}

function Data({ answer }: { answer: Resource<RunAnswer> }) {
  const data = answer.data?.data ?? [];
  const deleted = answer.data?.deleted ?? [];
  return (
    <Panel title="Data and deletions" class="data" fresh={answer} loading={answer.data === null}>
      {data.length === 0 ? (
        <Empty>No data is listed for this run.</Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Stored data">
          <table>
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col">Host</th>
                <th scope="col">Place</th>
              </tr>
            </thead>
            <tbody>
              {data.map(({ type, host, location }) => (
                <tr key={`${type} ${host} ${location}`}>
                  <th scope="row">{type}</th>
                  <td>
                    <HostName host={host} />
                  </td>
                  <td class="path">{location}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {deleted.length > 0 && (
        <details>
          <summary>{count(deleted.length, 'deletion')}</summary>
          <ul class="plain">
            {deleted.map(({ type, host, at, by }, i) => (
              <li key={i}>
                {type} on {host}
                {at !== null && (
                  <>
                    , <Time at={at} />
                  </>
                )}
                {by !== null && `, by ${by}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function RawDocument({ number }: { number: number }) {
  const [open, setOpen] = useState(false);
  const answer = useResource<DocumentAnswer>(open ? `/api/runs/${number}/document` : null, 30);
  return (
    <section class="panel raw">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>The document as it is stored, without passwords</summary>
        {answer.data === null ? (
          <p class="empty">{answer.why ?? 'Reading …'}</p>
        ) : (
          <pre tabIndex={0} role="region" aria-label="Run document">
            {answer.data.text}
          </pre>
        )}
      </details>
    </section>
  );
}
