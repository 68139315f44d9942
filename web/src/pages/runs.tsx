import { useCallback, useEffect, useState } from 'preact/hooks';
import type { RunsAnswer } from '../../../src/dashboard/api.ts';
import { CONDITIONS, LOOKS } from '../../../src/domain/overview/condition.ts';
import type { RunRow } from '../../../src/domain/overview/run-row.ts';
import { duration } from '../format.ts';
import { serverNow, useChanges, useLive, usePanel } from '../live.ts';
import { Empty, HostName, Panel, Time, Until } from '../parts.tsx';
import { useResource } from '../resource.ts';
import { Link, navigate } from '../router.tsx';
import { ConditionSign } from '../signs.tsx';

const TEXT_FILTERS = [
  { name: 'mode', label: 'Mode' },
  { name: 'detector', label: 'Detector' },
  { name: 'host', label: 'Host' },
  { name: 'tag', label: 'Tag' },
] as const;
const NUMBER_FILTERS = [
  { name: 'from', label: 'From run' },
  { name: 'to', label: 'To run' },
] as const;
const FILTERS = ['condition', ...[...TEXT_FILTERS, ...NUMBER_FILTERS].map(({ name }) => name)];

/** All runs, by filters that are part of the address. */
export function RunsPage({ query }: { query: URLSearchParams }) {
  const asked = new URLSearchParams(
    [...query].filter(([name, value]) => [...FILTERS, 'before'].includes(name) && value !== ''),
  );
  const runs = useResource<RunsAnswer>(`/api/runs?${asked}`, 10);
  useReloadOnChange(runs.reload);
  const filtered = FILTERS.some((name) => asked.has(name));
  const list = runs.data?.runs ?? [];
  const before = runs.data?.before ?? null;
  return (
    <>
      <h1>Runs</h1>
      <Filters asked={asked} />
      <Panel
        title={asked.has('before') ? `Runs below ${asked.get('before')}` : 'Newest runs'}
        class="runs"
        fresh={runs}
        loading={runs.data === null}
      >
        {list.length === 0 ? (
          <Empty>
            {filtered
              ? before === null
                ? 'No run fits these filters.'
                : 'No run fits these filters among those looked at so far.'
              : 'There is no run in this database yet.'}
          </Empty>
        ) : (
          <RunTable runs={list} />
        )}
        <nav class="pages" aria-label="Pages of runs">
          {asked.has('before') && <Link to={address(asked, { before: null })}>Newest</Link>}
          {before !== null && (
            <Link to={address(asked, { before: String(before) })}>
              {list.length === 0 ? 'Look further back' : 'Older'}
            </Link>
          )}
        </nav>
      </Panel>
    </>
  );
}

/** At most once a second, however much changes. */
function useReloadOnChange(reload: () => void): void {
  const [due, setDue] = useState(0);
  useChanges(useCallback(() => setDue((count) => count + 1), []));
  useEffect(() => {
    if (due === 0) return;
    const timer = setTimeout(reload, 400);
    return () => clearTimeout(timer);
  }, [due, reload]);
}

function address(asked: URLSearchParams, changes: Record<string, string | null>): string {
  const next = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === '' ? '/runs' : `/runs?${text}`;
}

function Filters({ asked }: { asked: URLSearchParams }) {
  const hosts = usePanel('hosts').data ?? [];
  const apply = (form: HTMLFormElement) => {
    const fields = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [
        name,
        typeof value === 'string' ? value.trim() : '',
      ]),
    );
    navigate(address(new URLSearchParams(), fields));
  };
  const key = asked.toString();
  return (
    <form
      class="filters"
      aria-label="Filters"
      key={key}
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      <label>
        State
        <select name="condition" onChange={(event) => apply(event.currentTarget.form!)}>
          <option value="">any</option>
          {CONDITIONS.map((condition) => (
            <option
              key={condition}
              value={condition}
              selected={asked.get('condition') === condition}
            >
              {LOOKS[condition].word}
            </option>
          ))}
        </select>
      </label>
      {TEXT_FILTERS.map(({ name, label }) => (
        <label key={name}>
          {label}
          <input
            name={name}
            defaultValue={asked.get(name) ?? ''}
            placeholder="any"
            list={name === 'host' ? 'known-hosts' : undefined}
            size={12}
          />
        </label>
      ))}
      {NUMBER_FILTERS.map(({ name, label }) => (
        <label key={name}>
          {label}
          <input
            name={name}
            defaultValue={asked.get(name) ?? ''}
            inputMode="numeric"
            pattern="[0-9]{1,7}"
            placeholder="any"
            size={8}
          />
        </label>
      ))}
      <datalist id="known-hosts">
        {hosts.map(({ host }) => (
          <option key={host} value={host} />
        ))}
      </datalist>
      <button type="submit">Filter</button>
      {key !== '' && (
        <Link to="/runs" class="clear">
          Clear
        </Link>
      )}
    </form>
  );
}

function RunTable({ runs }: { runs: RunRow[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col">Mode</th>
            <th scope="col">Detectors</th>
            <th scope="col">Start, UTC</th>
            <th scope="col" class="right">
              Length
            </th>
            <th scope="col">Host</th>
            <th scope="col" class="right">
              Failures
            </th>
            <th scope="col">Next</th>
            <th scope="col" class="right">
              Targets
            </th>
            <th scope="col">Why</th>
            <th scope="col">Tags</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run }: { run: RunRow }) {
  const { condition, failures } = run;
  return (
    <tr>
      <th scope="row">{run.run === null ? '?' : <Link to={`/runs/${run.run}`}>{run.run}</Link>}</th>
      <td>
        <ConditionSign condition={condition} />
      </td>
      <td>{run.mode}</td>
      <td class="quiet">{run.detectors.join(', ')}</td>
      <td>{run.start !== null && <Time at={run.start} />}</td>
      <td class="right">
        <Length run={run} />
      </td>
      <td>{run.host !== null && <HostName host={run.host} />}</td>
      <td class="right num">{failures === 0 ? '' : `${failures} of ${run.giveUpAfter}`}</td>
      <td>
        {run.nextRetry !== null && (condition === 'retrying' || condition === 'requeued') && (
          <Until at={run.nextRetry} />
        )}
      </td>
      <td class="right num">{run.wanted === 0 ? '' : `${run.got} of ${run.wanted}`}</td>
      <td class="why" title={run.why ?? undefined}>
        {run.why}
      </td>
      <td>
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
      {duration(seconds)}
      {run.end === null && <span class="quiet"> so far</span>}
    </span>
  );
}
