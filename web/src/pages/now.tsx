import type { PanelName } from '../../../src/readmodel/api.ts';
import { Alarms } from '../alarms-panel.tsx';
import { HostCards } from '../host-cards.tsx';
import { usePanel, usePanelsReady } from '../live.ts';
import { Empty, Panel } from '../parts.tsx';
import { Attention } from './now/attention.tsx';
import { Plots } from './now/plots.tsx';
import { QueuePanel } from './now/queue.tsx';
import { Strip } from './now/strip.tsx';
import { Working } from './now/working.tsx';

const PANELS: readonly PanelName[] = [
  ...(['attention', 'working', 'queue', 'strip', 'hosts', 'alarms', 'plots'] as const),
];

/** At three in the morning: is all well, and if not, what needs a human. */
export function NowPage() {
  const ready = usePanelsReady(PANELS);
  if (!ready) return <Empty>Reading …</Empty>;
  return (
    <>
      <h1 class="unseen">Now</h1>
      <div class="now">
        <Attention />
        <Working />
        <QueuePanel />
        <Strip />
        <HostsPanel />
        <Alarms />
        <Plots />
      </div>
    </>
  );
}

function HostsPanel() {
  const panel = usePanel('hosts');
  return (
    <Panel title="Hosts" class="hosts" fresh={panel} loading={panel.data === null}>
      {panel.data?.length === 0 ? (
        <Empty>No manager has reported yet: start one with “bootstrax run”.</Empty>
      ) : (
        <HostCards hosts={panel.data ?? []} />
      )}
    </Panel>
  );
}
