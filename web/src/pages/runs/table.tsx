import type { RunRow } from '../../../../src/readmodel/run-row.pure.ts';
import { clock } from '../../format.ts';
import { serverNow, useLive } from '../../live.ts';
import { HostName, Time, Until } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { ConditionSign } from '../../signs.tsx';

interface RunTableProps {
  runs: readonly RunRow[];
  /** Absent for viewers, who choose no runs. */
  chosen?: ReadonlySet<number>;
  onChoose?: (chosen: ReadonlySet<number>) => void;
}

/** Runs, one row each; operators can choose them. */
export function RunTable({ runs, chosen, onChoose }: RunTableProps) {
  const numbers = runs.flatMap(({ run }) => run ?? []);
  const all = chosen !== undefined && numbers.every((number) => chosen.has(number));
  const toggle = (run: number) => {
    const next = new Set(chosen);
    if (!next.delete(run)) next.add(run);
    onChoose?.(next);
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of runs">
      <table class="run-table">
        <thead>
          <tr>
            {chosen !== undefined && (
              <th scope="col" class="choose">
                <input
                  type="checkbox"
                  aria-label="All runs on this page"
                  checked={all && numbers.length > 0}
                  onChange={() => onChoose?.(new Set(all ? [] : numbers))}
                />
              </th>
            )}
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col" class="wide">
              Mode
            </th>
            <th scope="col" class="wide">
              Detectors
            </th>
            <th scope="col" class="wide">
              Start, UTC
            </th>
            <th scope="col" class="right wide" title="hours:minutes:seconds">
              Length
            </th>
            <th scope="col" class="right wide">
              MB/s
            </th>
            <th scope="col" class="wide">
              Host
            </th>
            <th scope="col" class="right wide">
              Failures
            </th>
            <th scope="col" class="wide">
              Next
            </th>
            <th scope="col" class="right wide">
              Targets
            </th>
            <th scope="col">Why</th>
            <th scope="col" class="wide">
              Tags
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} chosen={chosen?.has(run.run ?? NaN)} onToggle={toggle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  run: RunRow;
  chosen: boolean | undefined;
  onToggle: (run: number) => void;
}

function Row({ run, chosen, onToggle }: RowProps) {
  const { run: number, condition, failures } = run;
  return (
    <tr class={chosen === true ? 'chosen' : undefined}>
      {chosen !== undefined && (
        <td class="choose">
          {number !== null && (
            <input
              type="checkbox"
              aria-label={`Choose run ${number}`}
              checked={chosen}
              onChange={() => onToggle(number)}
            />
          )}
        </td>
      )}
      <th scope="row">{run.run === null ? '?' : <Link to={`/runs/${run.run}`}>{run.run}</Link>}</th>
      <td>
        <ConditionSign condition={condition} />
      </td>
      <td class="wide">{run.mode}</td>
      <td class="quiet wide detectors" title={run.detectors.join(', ')}>
        {run.detectors.join(', ')}
      </td>
      <td class="wide">{run.start !== null && <Time at={run.start} short />}</td>
      <td class="right wide">
        <Length run={run} />
      </td>
      <td class="right num wide">
        {run.rateMBps === null ? '' : run.rateMBps.toFixed(run.rateMBps < 9.95 ? 1 : 0)}
      </td>
      <td class="wide">{run.host !== null && <HostName host={run.host} />}</td>
      <td class="right num wide">{failures === 0 ? '' : `${failures} of ${run.giveUpAfter}`}</td>
      <td class="wide">
        {run.nextRetry !== null && (condition === 'retrying' || condition === 'requeued') && (
          <Until at={run.nextRetry} />
        )}
      </td>
      <td class="right num wide">{run.wanted === 0 ? '' : `${run.got} of ${run.wanted}`}</td>
      <td class="why" title={run.why ?? undefined}>
        <span class="why-text">{run.why}</span>
      </td>
      <td class="wide">
        {run.tags.map((tag) => (
          <Link key={tag} to={`/runs?tag=${encodeURIComponent(tag)}`} class="tag">
            {tag}
          </Link>
        ))}
      </td>
    </tr>
  );
}

function Length({ run }: { run: RunRow }) {
  useLive();
  if (run.start === null) return null;
  const end = run.end === null ? serverNow() : Date.parse(run.end);
  const seconds = (end - Date.parse(run.start)) / 1000;
  return (
    <span class="num">
      {run.end === null && <span class="quiet">so far </span>}
      {clock(seconds)}
    </span>
  );
}
