import { useState } from 'preact/hooks';

import type { RunsAnswer } from '../../../src/readmodel/api.ts';
import { ActionButtons } from '../actions/buttons.tsx';
import { MANY_RUNS } from '../actions/offers.ts';
import { count } from '../format.ts';
import { Empty, Panel } from '../parts.tsx';
import { useReloadOnChange } from '../reload-on-change.ts';
import { useResource } from '../resource.ts';
import { Link } from '../router.tsx';
import { useMayAct } from '../session.ts';
import { address, FILTERS, Filters, Views } from './runs/filters.tsx';
import { RunTable } from './runs/table.tsx';

/** The list is read again this time after a change of a run. */
const RELOAD_MS = 400;

/** The list of runs; its filters are part of the address. */
export function RunsPage({ query }: { query: URLSearchParams }) {
  const asked = new URLSearchParams(
    [...query].filter(([name, value]) => [...FILTERS, 'before'].includes(name) && value !== ''),
  );
  return (
    <>
      <h1>Runs</h1>
      <Views asked={asked} />
      <Filters asked={asked} />
      <List asked={asked} key={asked.toString()} />
    </>
  );
}

function List({ asked }: { asked: URLSearchParams }) {
  const runs = useResource<RunsAnswer>(`/api/runs?${asked}`, 10);
  useReloadOnChange(runs.reload, RELOAD_MS);
  const mayAct = useMayAct();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const filtered = FILTERS.some((name) => asked.has(name));
  const list = runs.data?.runs ?? [];
  const before = runs.data?.before ?? null;
  const noneFits =
    before === null
      ? 'No run fits these filters.'
      : 'No run fits these filters among those searched so far.';
  return (
    <Panel
      title={asked.has('before') ? `Runs below ${asked.get('before')}` : 'Newest runs'}
      class="runs"
      fresh={runs}
      loading={runs.data === null}
      aside={
        runs.data !== null &&
        runs.data.total !== null && (
          <span class="quiet num">of {runs.data.total.toLocaleString('en')}</span>
        )
      }
    >
      {mayAct && <ManyActions chosen={chosen} onSent={() => setChosen(new Set())} />}
      {list.length === 0 ? (
        <Empty>{filtered ? noneFits : 'There is no run in this database yet.'}</Empty>
      ) : (
        <RunTable runs={list} {...(mayAct ? { chosen, onChoose: setChosen } : {})} />
      )}
      <Pages
        asked={asked}
        before={before}
        older={list.length === 0 ? 'Search older runs' : 'Older'}
      />
    </Panel>
  );
}

interface PagesProps {
  asked: URLSearchParams;
  before: number | null;
  /** What stands on the link to the older runs. */
  older: string;
}

function Pages({ asked, before, older }: PagesProps) {
  return (
    <nav class="pages" aria-label="Pages of runs">
      {asked.has('before') && <Link to={address(asked, { before: null })}>Newest</Link>}
      {before !== null && <Link to={address(asked, { before: String(before) })}>{older}</Link>}
    </nav>
  );
}

interface ManyActionsProps {
  chosen: ReadonlySet<number>;
  onSent: () => void;
}

/** The actions on the chosen runs. Always shown, so that choosing moves nothing. */
function ManyActions({ chosen, onSent }: ManyActionsProps) {
  return (
    <div class="many">
      <p class="many-count" role="status">
        {chosen.size === 0 ? 'Choose runs to act on them' : `${count(chosen.size, 'run')} chosen`}
      </p>
      <ActionButtons
        offers={MANY_RUNS}
        targets={[...chosen].sort((a, b) => a - b).map((run) => ({ run }))}
        about="the chosen runs"
        onSent={onSent}
      />
    </div>
  );
}
