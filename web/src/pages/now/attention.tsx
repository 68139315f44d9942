import type { AttentionItem } from '../../../../src/readmodel/attention.pure.ts';
import { ActionButtons, type Offer } from '../../actions/buttons.tsx';
import { roughly } from '../../format.ts';
import { usePanel } from '../../live.ts';
import { Ago, Linked, Panel, Until } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { Glyph } from '../../signs.tsx';

const WORDS = {
  given_up: 'given up',
  set_aside: 'set aside',
  promise_missed: 'overdue',
  run_silent: 'no heartbeat',
  run_stalled: 'stalled',
  taken_together: 'taken at once',
  host_silent: 'host silent',
  two_managers: 'two managers',
  host_quarantined: 'quarantine',
  same_number: 'same number',
  runs_left: 'write refused',
  cluster_blocked: 'Slurm',
  node_excluded: 'node',
  job_waits: 'job waits',
  incomplete: 'incomplete',
  not_handed_on: 'not handed on',
} as const;

const SHAPES = {
  given_up: 'cross',
  set_aside: 'diamond',
  promise_missed: 'triangle',
  run_silent: 'dots',
  run_stalled: 'hourglass',
  taken_together: 'diamond',
  host_silent: 'cross',
  two_managers: 'cross',
  host_quarantined: 'triangle',
  same_number: 'diamond',
  runs_left: 'triangle',
  cluster_blocked: 'triangle',
  node_excluded: 'triangle',
  job_waits: 'hourglass',
  incomplete: 'diamond',
  not_handed_on: 'diamond',
} as const;

const MOST_SHOWN = 8;

/** What needs attention, most urgent first. */
export function Attention() {
  const panel = usePanel('attention');
  const items = panel.data ?? [];
  const open = items.filter(({ acknowledged }) => acknowledged === null);
  const known = items.filter(({ acknowledged }) => acknowledged !== null);
  return (
    <Panel
      title="Needs attention"
      class={`attention ${open.length > 0 ? 'attention-some' : ''}`}
      fresh={panel}
      loading={panel.data === null}
      aside={open.length > 0 && <span class="count">{open.length}</span>}
    >
      {open.length === 0 ? (
        <AllWell stale={panel.stale} ageSeconds={panel.ageSeconds ?? 0} known={known.length > 0} />
      ) : (
        <ul class="attention-list">
          {open.slice(0, MOST_SHOWN).map((item) => (
            <Item key={item.key} item={item} />
          ))}
        </ul>
      )}
      {open.length > MOST_SHOWN && (
        <p class="more">
          and {open.length - MOST_SHOWN} more: <Link to="/runs?condition=given_up">given up</Link>,{' '}
          <Link to="/runs?condition=set_aside">set aside</Link>
        </p>
      )}
      {known.length > 0 && (
        <>
          <h3 class="known-head">Acknowledged</h3>
          <ul class="attention-list known">
            {known.slice(0, MOST_SHOWN).map((item) => (
              <Known key={item.key} item={item} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function AllWell({
  stale,
  ageSeconds,
  known,
}: {
  stale: boolean;
  ageSeconds: number;
  known: boolean;
}) {
  const what = known ? 'Nothing else' : 'Nothing';
  return (
    <p class="all-well">
      <Glyph shape="disc" tone={stale ? 'idle' : 'good'} />
      <span>
        {stale ? `${what} needed attention at the last reading.` : `${what} needs attention.`}
        <small>Read {roughly(ageSeconds)} ago</small>
      </span>
    </p>
  );
}

/** The actions that may help with each kind. */
function offersOf({ kind }: AttentionItem): Offer[] {
  switch (kind) {
    case 'given_up':
      return [{ kind: 'reprocess', fits: true, advised: true }];
    case 'set_aside':
      return [{ kind: 'retry', fits: true }];
    case 'host_quarantined':
      return [{ kind: 'drain', fits: true }];
    case 'promise_missed':
    case 'run_silent':
    case 'run_stalled':
    case 'taken_together':
    case 'host_silent':
    case 'two_managers':
    case 'same_number':
    case 'runs_left':
    case 'cluster_blocked':
    case 'node_excluded':
    case 'job_waits':
    case 'incomplete':
    case 'not_handed_on':
      return [];
  }
}

function Item({ item }: { item: AttentionItem }) {
  const { kind, run, host, since, todo, key } = item;
  const about = run !== null ? `run ${run}` : (host ?? 'this');
  const target = run !== null ? { run } : { host: host ?? '' };
  return (
    <li>
      <span class="attention-kind">
        <Glyph shape={SHAPES[kind]} tone="bad" />
        {WORDS[kind]}
      </span>
      <div class="attention-what">
        <What item={item} />
        <p class="attention-todo">{todo}</p>
      </div>
      <div class="attention-do">
        <ActionButtons offers={offersOf(item)} targets={[target]} about={about} />
        <ActionButtons
          offers={[{ kind: 'acknowledge', fits: true }]}
          targets={[{ item: key }]}
          about={`the item of ${about}`}
        />
      </div>
      <span class="attention-since">{since !== null && <Ago at={since} />}</span>
    </li>
  );
}

function What({ item: { run, host, what } }: { item: AttentionItem }) {
  if (run !== null) return <Link to={`/runs/${run}`}>{what}</Link>;
  if (host === null) return <span>{what}</span>;
  return <Link to={`/hosts?host=${encodeURIComponent(host)}`}>{what}</Link>;
}

function Known({ item }: { item: AttentionItem }) {
  const { acknowledged } = item;
  if (acknowledged === null) return null;
  const { by, reason, at, expires } = acknowledged;
  return (
    <li>
      <span class="attention-kind">{WORDS[item.kind]}</span>
      <div class="attention-what">
        <What item={item} />
        <p class="quiet">
          <b>{by}</b>, <Ago at={at} />: <Linked text={reason} />
          {expires !== null && (
            <>
              {' '}
              (ends <Until at={expires} past="ended" />)
            </>
          )}
        </p>
      </div>
    </li>
  );
}
