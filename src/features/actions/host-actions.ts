import { hostView } from '../../host/host-document.pure.ts';
import type { TargetState, Tools } from './action.ts';
import type { HostActionKind } from './action-table.pure.ts';
import { hostEffect } from './host-effects.pure.ts';
import { hostSeen } from './seen.pure.ts';

/** The state of a host for an action. */
export async function readHostTarget(
  { store, rules }: Pick<Tools, 'store' | 'rules'>,
  kind: HostActionKind,
  host: string,
): Promise<TargetState> {
  const [now, documents] = await Promise.all([store.serverTime(), store.hosts.all()]);
  const document = documents.find((each) => each.host === host);
  const view =
    document === undefined ? null : hostView(document, now, rules.limits.presumedDeadSeconds);
  const effect = hostEffect(kind, host, view);
  return {
    seen: hostSeen(view?.drained ?? null),
    before:
      view === null
        ? null
        : {
            ...{ state: view.state, accepting: view.accepting, why_not: view.whyNot },
            ...{ drained: view.drained, runs: view.runs },
          },
    possible: effect.possible,
    effect: effect.possible ? effect.effect : effect.why,
  };
}
