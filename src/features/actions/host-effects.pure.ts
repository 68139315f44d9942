import type { HostView } from '../../host/host-document.pure.ts';
import type { HostActionKind } from './action-table.pure.ts';

type Host = Pick<HostView, 'state' | 'drained' | 'runs'>;

export type HostEffect = { possible: true; effect: string } | { possible: false; why: string };

/** What an action would do to a host; `view` null: no host of this name has ever written a document. */
export function hostEffect(kind: HostActionKind, host: string, view: Host | null): HostEffect {
  if (view === null) return { possible: false, why: `no host ${host} is known` };
  const late =
    view.state === 'dead' ? ` The host is silent now, and will do so when it comes back.` : '';
  return { possible: true, effect: `${EFFECTS[kind](view)}${late}` };
}

const EFFECTS: Readonly<Record<HostActionKind, (host: Host) => string>> = {
  drain: ({ runs, drained }) => {
    const going =
      runs.length === 0 ? '' : ` Run ${runs.join(', ')} ${runs.length === 1 ? 'goes' : 'go'} on.`;
    const before = drained === null ? '' : ` This replaces: ${drained.reason}.`;
    return `It takes no new run.${going}${before}`;
  },
  undrain: ({ drained }) => (drained === null ? 'It is not drained.' : 'It takes runs again.'),
};
