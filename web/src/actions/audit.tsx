import { useEffect } from 'preact/hooks';

import type { ActionView, AuditAnswer } from '../../../src/readmodel/action-api.ts';
import type { RunAnswer } from '../../../src/readmodel/api.ts';
import { Ago, Empty, HostName, Linked, Panel, Until } from '../parts.tsx';
import { type Resource, useResource } from '../resource.ts';
import { Link } from '../router.tsx';
import { saidOf } from './notices.tsx';
import { ActionSign } from './sign.tsx';
import { onBatches } from './under-way.ts';
import { buttonOf, targetName } from './words.ts';

interface AuditProps {
  /** Query of the API: `host=eb0`, or empty for all. */
  query: string;
  /** Shown if there is no action. */
  empty: string;
  /** Names the target of each action. */
  named?: boolean;
  /** Address of the next page; none without it. */
  older?: (before: string) => string;
}

/** Who requested which action, why, and its result; newest first. */
export function Audit({ query, empty, named = false, older }: AuditProps) {
  const answer = useResource<AuditAnswer>(`/api/actions?${query}`, 10);
  const { reload } = answer;
  useEffect(() => onBatches(reload), [reload]);
  const before = answer.data?.before ?? null;
  return (
    <Panel
      title="Actions"
      class="audit"
      fresh={answer}
      loading={answer.data === null}
      aside={older === undefined && <Link to="/actions">all actions</Link>}
    >
      <AuditList actions={answer.data?.actions ?? []} empty={empty} named={named} />
      {older !== undefined && before !== null && (
        <nav class="pages" aria-label="Pages of actions">
          <Link to={older(before)}>Older</Link>
        </nav>
      )}
    </Panel>
  );
}

/** The actions on one run, which its answer contains. */
export function RunAudit({ answer }: { answer: Resource<RunAnswer> }) {
  const { reload } = answer;
  useEffect(() => onBatches(reload), [reload]);
  return (
    <Panel
      title="Actions"
      class="audit"
      fresh={answer}
      loading={answer.data === null}
      aside={<Link to="/actions">all actions</Link>}
    >
      <AuditList
        actions={answer.data?.actions ?? []}
        empty="Nobody has requested an action on this run yet."
        named={false}
      />
    </Panel>
  );
}

interface AuditListProps {
  actions: readonly ActionView[];
  empty: string;
  named: boolean;
}

function AuditList({ actions, empty, named }: AuditListProps) {
  if (actions.length === 0) return <Empty>{empty}</Empty>;
  return (
    <ul class="audit-list">
      {actions.map((action) => (
        <AuditEntry key={action.id} action={action} named={named} />
      ))}
    </ul>
  );
}

function AuditEntry({ action, named }: { action: ActionView; named: boolean }) {
  const { kind, by, via, reason, state, requested, seenBy, expires, before, after } = action;
  const said = action.message ?? (seenBy === null ? saidOf(action) : '');
  return (
    <li>
      <span class="audit-state">
        <ActionSign state={state} />
      </span>
      <div class="audit-what">
        <p>
          <b>{buttonOf(kind)}</b>
          {named && (
            <>
              {' '}
              <Target action={action} />
            </>
          )}
          <span class="audit-reason">
            <Linked text={reason} />
          </span>
        </p>
        <p class="quiet">
          {by}
          {via === 'command' && ', from a terminal'}
          {seenBy !== null && (
            <>
              {' '}
              · seen by <HostName host={seenBy.host} /> <Ago at={seenBy.at} />
            </>
          )}
          {expires !== null && state !== 'refused' && (
            <>
              {' '}
              · ends <Until at={expires} past="ended" />
            </>
          )}
          {said !== '' && ` · ${said}`}
        </p>
        {(before !== null || after !== null) && (
          <details>
            <summary>Before and after</summary>
            <pre tabIndex={0} role="region" aria-label={`Before and after ${buttonOf(kind)}`}>
              {`before ${JSON.stringify(before, null, 1)}\nafter ${JSON.stringify(after, null, 1)}`}
            </pre>
          </details>
        )}
      </div>
      <span class="audit-when">
        <Ago at={requested} />
      </span>
    </li>
  );
}

function Target({ action }: { action: ActionView }) {
  const { run, host } = action;
  if (run !== undefined) return <Link to={`/runs/${run}`}>run {run}</Link>;
  if (host !== undefined) {
    return <Link to={`/hosts?host=${encodeURIComponent(host)}`}>{host}</Link>;
  }
  return <span>{targetName(action)}</span>;
}
