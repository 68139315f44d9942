import { roughly } from '../../format.ts';
import { usePanel } from '../../live.ts';
import { Ago, Panel } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { Glyph } from '../../signs.tsx';

const ATTENTION_WORDS = {
  given_up: 'given up',
  set_aside: 'set aside',
  promise_missed: 'overdue',
  run_silent: 'no life sign',
  host_silent: 'host silent',
  host_quarantined: 'quarantine',
} as const;

const ATTENTION_SHAPES = {
  given_up: 'cross',
  set_aside: 'diamond',
  promise_missed: 'triangle',
  run_silent: 'dots',
  host_silent: 'cross',
  host_quarantined: 'triangle',
} as const;

const MOST_SHOWN = 8;

/** What needs a human, most urgent first. */
export function Attention() {
  const panel = usePanel('attention');
  const items = panel.data ?? [];
  const first = items.slice(0, MOST_SHOWN);
  return (
    <Panel
      title="Needs a human"
      class={`attention ${items.length > 0 ? 'attention-some' : ''}`}
      fresh={panel}
      loading={panel.data === null}
      aside={items.length > 0 && <span class="count">{items.length}</span>}
    >
      {items.length === 0 ? (
        <p class="all-well">
          <Glyph shape="disc" tone={panel.stale ? 'idle' : 'good'} />
          <span>
            {panel.stale
              ? 'Nothing needed a human when it was last read.'
              : 'Nothing needs a human.'}
            <small>Checked {roughly(panel.ageSeconds ?? 0)} ago</small>
          </span>
        </p>
      ) : (
        <ul class="attention-list">
          {first.map((item) => (
            <li key={`${item.kind} ${item.run} ${item.host}`}>
              <span class="attention-kind">
                <Glyph shape={ATTENTION_SHAPES[item.kind]} tone="bad" />
                {ATTENTION_WORDS[item.kind]}
              </span>
              <span class="attention-what">
                {item.run === null ? (
                  <Link to={`/hosts?host=${encodeURIComponent(item.host ?? '')}`}>{item.what}</Link>
                ) : (
                  <Link to={`/runs/${item.run}`}>{item.what}</Link>
                )}
                <code>{item.todo}</code>
              </span>
              <span class="attention-since">{item.since !== null && <Ago at={item.since} />}</span>
            </li>
          ))}
        </ul>
      )}
      {items.length > MOST_SHOWN && (
        <p class="more">
          and {items.length - MOST_SHOWN} more: <Link to="/runs?condition=given_up">given up</Link>,{' '}
          <Link to="/runs?condition=set_aside">set aside</Link>
        </p>
      )}
    </Panel>
  );
}
