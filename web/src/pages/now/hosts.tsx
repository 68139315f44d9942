import { HostCards } from '../../host-cards.tsx';
import { usePanel } from '../../live.ts';
import { Empty, Panel } from '../../parts.tsx';

/** All hosts, a card each. */
export function HostsPanel() {
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
