import type { HostView } from '../../host/host-document.pure.ts';

export type HostActionKind = 'drain' | 'undrain';

export type HostEffect = { possible: true; effect: string } | { possible: false; why: string };

/** What an action would do to a host; null: no host of this name has ever reported. */
export function hostEffect(
  kind: HostActionKind,
  host: string,
  view: Pick<HostView, 'state' | 'drained' | 'runs'> | null,
): HostEffect {
  if (view === null) return { possible: false, why: `no host ${host} has ever reported` };
  const late =
    view.state === 'dead' ? ` It gives no life sign now, and will do so when it comes back.` : '';
  if (kind === 'undrain') {
    const effect = view.drained === null ? 'It is not drained.' : 'It takes runs again.';
    return { possible: true, effect: `${effect}${late}` };
  }
  const going =
    view.runs.length === 0
      ? ''
      : ` Run ${view.runs.join(', ')} ${view.runs.length === 1 ? 'goes' : 'go'} on.`;
  const before = view.drained === null ? '' : ` This replaces: ${view.drained.reason}.`;
  return { possible: true, effect: `It takes no new run.${going}${before}${late}` };
}
