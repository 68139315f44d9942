import type { ActionDocument } from '../features/actions/action.port.ts';
import type { ActionView } from '../readmodel/action-api.ts';

/** One action as people see it. */
export function actionView(action: ActionDocument): ActionView {
  const { id, kind, run, host, item, by, via, reason, state, message, before, after } = action;
  return {
    ...(run === null ? {} : { run }),
    ...(host === null ? {} : { host }),
    ...(item === null ? {} : { item }),
    ...{ id, kind, by, via, reason, state, message },
    requested: action.requested.toISOString(),
    seenBy:
      action.seenBy === null
        ? null
        : { host: action.seenBy.host, at: action.seenBy.at.toISOString() },
    ended: action.ended?.toISOString() ?? null,
    expires: action.expires?.toISOString() ?? null,
    before,
    after,
  };
}
