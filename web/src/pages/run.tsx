import { useCallback, useEffect, useState } from 'preact/hooks';

import type { RunAnswer } from '../../../src/readmodel/api.ts';
import { isWorking } from '../../../src/readmodel/run-condition.pure.ts';
import { RunAudit } from '../actions/audit.tsx';
import { ActionButtons } from '../actions/buttons.tsx';
import { runOffers } from '../actions/offers.ts';
import { useChanges } from '../live.ts';
import { LogPanel } from '../log-panel.tsx';
import { Panel } from '../parts.tsx';
import { ProgressPanel } from '../progress-panel.tsx';
import { type Resource, useResource } from '../resource.ts';
import { Link } from '../router.tsx';
import { ConditionSign } from '../signs.tsx';
import { AttemptDetails, Attempts } from './run/attempts.tsx';
import { Data } from './run/data.tsx';
import { RawDocument } from './run/document.tsx';
import { Explain } from './run/explain.tsx';
import { Facts } from './run/facts.tsx';
import { HostOrRun } from './run/host-or-run.tsx';
import { Notes } from './run/notes.tsx';
import { Pictures } from './run/pictures.tsx';
import { Targets } from './run/targets.tsx';

/** Everything about one run; first why it is, or is not, being processed. */
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
      <div class="run-actions">
        {answer.data !== null && (
          <ActionButtons
            offers={runOffers(answer.data.row, answer.data.advice)}
            targets={[{ run: number }]}
            about={`run ${number}`}
            onSent={reload}
          />
        )}
        {answer.data !== null && <DrainButton answer={answer.data} />}
        <a class="button" href={`/api/report?run=${number}`} download>
          Bug report
        </a>
      </div>
      {answer.data === null ? (
        <Panel title="Why" fresh={answer} loading />
      ) : (
        <About answer={answer} data={answer.data} number={number} chosen={query.get('attempt')} />
      )}
    </>
  );
}

/** Where the trouble is one of its host. */
function DrainButton({ answer: { advice } }: { answer: RunAnswer }) {
  const host = advice?.button?.host ?? null;
  if (host === null) return null;
  return (
    <ActionButtons
      offers={[{ kind: 'drain', fits: true, advised: true }]}
      targets={[{ host }]}
      about={host}
    />
  );
}

interface AboutProps {
  answer: Resource<RunAnswer>;
  data: RunAnswer;
  number: number;
  /** The attempt that the address names. */
  chosen: string | null;
}

/** Drawn once the whole answer has arrived, so that nothing moves. */
function About({ answer, data, number, chosen }: AboutProps) {
  const { attempts } = data;
  const attempt = attempts.find((each) => each.attempt === chosen) ?? attempts.at(-1) ?? null;
  return (
    <>
      <Facts answer={data} />
      <div class="run">
        <Explain answer={answer} />
        <div class="run-side">
          <HostOrRun answer={answer} />
          <RunAudit answer={answer} />
        </div>
        <Attempts answer={answer} attempt={attempt} number={number} />
        {attempt !== null && <AttemptDetails attempt={attempt} answer={answer} />}
        {attempt !== null && (
          <Pictures attempt={attempt} run={number} key={`pictures ${attempt.attempt}`} />
        )}
        {attempt !== null && <ProgressPanel attempt={attempt} key={`p${attempt.attempt}`} />}
        {attempt !== null && <LogPanel attempt={attempt} key={`l${attempt.attempt}`} />}
        <Targets answer={answer} />
        <div class="run-data">
          <Data answer={answer} />
          <Notes answer={answer} />
        </div>
        <RawDocument number={number} />
      </div>
    </>
  );
}
