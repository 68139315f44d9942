import { counted } from '../../../src/infra/values/counted.pure.ts';
import type { FailuresAnswer } from '../../../src/readmodel/api.ts';
import type { FailureGroup } from '../../../src/readmodel/failures.pure.ts';
import { firstLine } from '../../../src/readmodel/run-row.pure.ts';
import { ActionButtons } from '../actions/buttons.tsx';
import { count } from '../format.ts';
import { Ago, Empty, HostName, Linked, Panel, Until } from '../parts.tsx';
import { useReloadOnChange } from '../reload-on-change.ts';
import { useResource } from '../resource.ts';
import { Link } from '../router.tsx';

const DAYS = ['1', '7', '30'] as const;
const MOST_RUNS = 12;
/** The groups are read again this time after a change of a run. */
const RELOAD_MS = 2000;

/** Failures that are alike, in groups. */
export function FailuresPage({ query }: { query: URLSearchParams }) {
  const days = DAYS.find((each) => each === query.get('days')) ?? '7';
  const answer = useResource<FailuresAnswer>(`/api/failures?days=${days}`, 15);
  useReloadOnChange(answer.reload, RELOAD_MS);
  const groups = answer.data?.groups ?? [];
  const chosen = query.get('group');
  return (
    <>
      <h1>Failures</h1>
      <Panel
        title={groups.length === 0 ? 'Groups' : count(groups.length, 'group')}
        fresh={answer}
        loading={answer.data === null}
        aside={
          <nav class="choices" aria-label="Span of time">
            {DAYS.map((each) => (
              <Link
                key={each}
                to={`/failures?days=${each}`}
                aria-current={each === days ? 'true' : undefined}
              >
                {counted(Number(each), 'day')}
              </Link>
            ))}
          </nav>
        }
      >
        {groups.length === 0 ? (
          <Empty>No run has failed in this time.</Empty>
        ) : (
          <ul class="groups">
            {groups.map((group) => (
              <Group
                key={group.fingerprint}
                group={group}
                isOpen={group.fingerprint === chosen}
                onActed={answer.reload}
              />
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

interface GroupProps {
  group: FailureGroup;
  isOpen: boolean;
  onActed: () => void;
}

function Group({ group, isOpen, onActed }: GroupProps) {
  const { acknowledged } = group;
  const reason = firstLine(group.reason) ?? 'no reason is known';
  const rest = [group.reason, group.traceback ?? '']
    .filter((text) => text !== '' && text.trim() !== reason)
    .join('\n');
  return (
    <li class={`group ${isOpen ? 'group-chosen' : ''}`}>
      <div class="group-count">
        <span class="figure num">{group.count}</span>
        <Trend trend={group.trend} />
      </div>
      <div class="group-what">
        <h3>
          {reason}
          {group.isNew && <span class="mark">new</span>}
          {acknowledged !== null && <span class="mark mark-known">known</span>}
          {group.onlyHost !== null && (
            <span class="mark mark-host">
              only on <HostName host={group.onlyHost} />
            </span>
          )}
        </h3>
        <p class="quiet">
          {group.cause !== null && <>{group.cause} · </>}
          first <Ago at={group.firstSeen} /> · last <Ago at={group.lastSeen} /> · on{' '}
          {group.hosts.map((host, i) => (
            <span key={host}>
              {i > 0 && ', '}
              <HostName host={host} />
            </span>
          ))}
          {group.versions.length > 0 && <> · {group.versions.join(', ')}</>}
        </p>
        <p class="run-links">
          {group.runs.slice(0, MOST_RUNS).map((run) => (
            <Link key={run} to={`/runs/${run}`} class="run-link">
              {run}
            </Link>
          ))}
          {group.runs.length > MOST_RUNS && (
            <span class="quiet">and {group.runs.length - MOST_RUNS} more</span>
          )}
        </p>
        {acknowledged !== null && (
          <p class="owner">
            <b>{acknowledged.by}</b> takes care of it: <Linked text={acknowledged.reason} />{' '}
            <span class="quiet">
              (<Ago at={acknowledged.at} />
              {acknowledged.expires !== null && (
                <>
                  , ends <Until at={acknowledged.expires} past="ended" />
                </>
              )}
              )
            </span>
          </p>
        )}
        {rest !== '' && (
          <details open={isOpen}>
            <summary>The newest failure</summary>
            <pre tabIndex={0} role="region" aria-label={`Traceback: ${reason}`}>
              {rest}
            </pre>
          </details>
        )}
      </div>
      <ActionButtons
        offers={[{ kind: 'acknowledge', fits: true }]}
        targets={[{ item: group.key }]}
        about={`the failure ${reason}`}
        onSent={onActed}
      />
    </li>
  );
}

function Trend({ trend }: { trend: number[] }) {
  const most = Math.max(1, ...trend);
  return (
    <svg
      class="trend"
      viewBox={`0 0 ${trend.length * 5} 20`}
      preserveAspectRatio="xMinYMid meet"
      role="img"
      aria-label={`Failures per day, oldest first: ${trend.join(', ')}`}
    >
      {trend.map((value, i) => (
        <rect
          key={i}
          x={i * 5}
          width="4"
          y={20 - Math.max(value > 0 ? 2 : 0.8, (value / most) * 20)}
          height={Math.max(value > 0 ? 2 : 0.8, (value / most) * 20)}
        />
      ))}
    </svg>
  );
}
