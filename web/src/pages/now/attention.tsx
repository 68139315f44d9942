import type { ActionTarget } from '../../../../src/readmodel/action-api.ts';
import {
  type AttentionGroup,
  openGroups,
} from '../../../../src/readmodel/attention-groups.pure.ts';
import type {
  AttentionItem,
  AttentionKind,
} from '../../../../src/readmodel/attention-item.pure.ts';
import type { Shape, Tone } from '../../../../src/readmodel/run-condition.pure.ts';
import { ActionButtons, type Offer } from '../../actions/buttons.tsx';
import { AdviceLines } from '../../advice.tsx';
import { count, roughly, utc } from '../../format.ts';
import { type NoNews, runningNow, troubleNow, usePanel } from '../../live.ts';
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
  output_disk: 'disk',
  live_disk: 'live-data disk',
  versions_differ: 'versions differ',
} as const satisfies Record<AttentionKind, string>;

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
  output_disk: 'triangle',
  live_disk: 'triangle',
  versions_differ: 'part',
} as const satisfies Record<AttentionKind, Shape>;

/** All others are bad. */
const TONES: Partial<Record<AttentionKind, Tone>> = {
  run_stalled: 'warn',
  taken_together: 'warn',
  versions_differ: 'warn',
};

const MOST_SHOWN = 8;

/** What needs attention, most urgent first. */
export function Attention() {
  const panel = usePanel('attention');
  const items = panel.data ?? [];
  const open = openGroups(items);
  const trouble = troubleNow();
  const known = items.filter(({ acknowledged }) => acknowledged !== null);
  return (
    <Panel
      title="Needs attention"
      class={`attention ${open.length > 0 ? 'attention-some' : ''}`}
      fresh={panel}
      loading={panel.data === null}
      aside={open.length > 0 && <span class="count">{open.length}</span>}
    >
      {trouble !== null && <Away trouble={trouble} />}
      {open.length === 0 && trouble === null && (
        <AllWell stale={panel.stale} ageSeconds={panel.ageSeconds ?? 0} known={known.length > 0} />
      )}
      {open.length > 0 && (
        <ul class="attention-list">
          {open.slice(0, MOST_SHOWN).map((group) => (
            <Group key={group.id} group={group} />
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

/** Before all other items: what is below is as of then. */
function Away({ trouble }: { trouble: NoNews }) {
  const { what, database, why, sinceMs } = trouble;
  const seconds = (runningNow() - sinceMs) / 1000;
  const which = database === null ? 'The database' : `The ${database} database`;
  const silent = what === 'database' ? which : 'The dashboard';
  return (
    <ul class="attention-list away">
      <li>
        <span class="attention-kind">
          <Glyph shape="cross" tone="bad" />
          {what === 'database' ? 'database away' : 'no connection'}
        </span>
        <div class="attention-what">
          <span>
            <span role="alert">{silent} has not answered</span> for {roughly(seconds)}.
          </span>
          <p class="attention-todo">
            {what === 'database' &&
              'Hosts go on with the runs that they have, and write what came of them once it answers; they begin no new run. '}
            All below is as of {utc(new Date(sinceMs)).slice(11)} UTC; no action can be requested
            meanwhile.
          </p>
          {why !== null && (
            <details class="attention-detail">
              <summary>Details</summary>
              <p>{why}</p>
            </details>
          )}
        </div>
      </li>
    </ul>
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

/** The button that helps with a trouble; none if none does. */
function helpOf({ items }: AttentionGroup): { offer: Offer; targets: ActionTarget[] } | null {
  const [{ kind, host, advice }] = items;
  if (kind === 'host_quarantined' && host !== null) {
    return { offer: { kind: 'drain', fits: true }, targets: [{ host }] };
  }
  const button = advice?.button ?? null;
  if (button === null) return null;
  const offer: Offer = { kind: button.kind, fits: true, advised: true };
  if (button.kind !== 'drain') {
    return { offer, targets: items.flatMap(({ run }) => (run === null ? [] : [{ run }])) };
  }
  const hosts = items.flatMap((item) => item.advice?.button?.host ?? []);
  return { offer, targets: [...new Set(hosts)].map((each) => ({ host: each })) };
}

function Group({ group }: { group: AttentionGroup }) {
  const { items, since, takenOn } = group;
  const [first] = items;
  const about = items.length === 1 ? nameOf(first) : count(items.length, 'item');
  const help = helpOf(group);
  const [known] = takenOn;
  return (
    <li>
      <span class="attention-kind">
        <Glyph shape={SHAPES[first.kind]} tone={TONES[first.kind] ?? 'bad'} />
        {WORDS[first.kind]}
      </span>
      <div class="attention-what">
        <Headline group={group} />
        {first.advice === null ? (
          <p class="attention-todo">{first.todo}</p>
        ) : (
          <AdviceLines advice={first.advice} />
        )}
        <Details items={items} />
        {known?.acknowledged != null && (
          <p class="quiet">
            <b>{known.acknowledged.by}</b> takes care of {takenOn.length} more of this cause.
          </p>
        )}
      </div>
      <div class="attention-do">
        {help !== null && (
          <ActionButtons offers={[help.offer]} targets={help.targets} about={about} />
        )}
        <ActionButtons
          offers={[{ kind: 'acknowledge', fits: true }]}
          targets={items.map(({ key }) => ({ item: key }))}
          about={`the item of ${about}`}
        />
      </div>
      <span class="attention-since">{since !== null && <Ago at={since} />}</span>
    </li>
  );
}

function nameOf({ run, host }: AttentionItem): string {
  return run !== null ? `run ${run}` : (host ?? 'this');
}

const MOST_RUNS = 8;

function Headline({ group: { items, what } }: { group: AttentionGroup }) {
  const [first, ...more] = items;
  if (more.length === 0) return <What item={first} />;
  const runs = items.flatMap(({ run }) => run ?? []);
  return (
    <>
      <span>{what}</span>
      <p class="attention-runs">
        {runs.slice(0, MOST_RUNS).map((run) => (
          <Link key={run} to={`/runs/${run}`}>
            {run}
          </Link>
        ))}
        {runs.length > MOST_RUNS && <span>and {runs.length - MOST_RUNS} more</span>}
      </p>
    </>
  );
}

/** The whole reasons, with paths and exceptions, for those who want them. */
function Details({ items }: { items: readonly AttentionItem[] }) {
  const known = items.filter(({ detail }) => detail !== null);
  if (known.length === 0) return null;
  return (
    <details class="attention-detail">
      <summary>Details</summary>
      {known.slice(0, MOST_RUNS).map((item) => (
        <p key={item.key}>
          {items.length > 1 && <b>{item.run}: </b>}
          {item.detail}
        </p>
      ))}
    </details>
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
