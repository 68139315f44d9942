import type { JSX } from 'preact';

import type { PanelName } from '../../../src/readmodel/panels/registry.ts';
import { usePanelsReady } from '../live.ts';
import { Empty } from '../parts.tsx';
import { Alarms } from './now/alarms.tsx';
import { Attention } from './now/attention.tsx';
import { HostsPanel } from './now/hosts.tsx';
import { Plots } from './now/plots.tsx';
import { QueuePanel } from './now/queue.tsx';
import { Strip } from './now/strip.tsx';
import { Working } from './now/working.tsx';

/** The panels of this page, in its order. `scores` stands on the page of the hosts. */
const VIEWS: Readonly<Record<Exclude<PanelName, 'scores'>, () => JSX.Element>> = {
  attention: Attention,
  working: Working,
  queue: QueuePanel,
  strip: Strip,
  hosts: HostsPanel,
  alarms: Alarms,
  plots: Plots,
};
const NAMES = Object.keys(VIEWS) as (keyof typeof VIEWS)[];

/** Is all well, and if not, what needs attention? Made to be read at three in the morning. */
export function NowPage() {
  const ready = usePanelsReady(NAMES);
  if (!ready) return <Empty>Reading …</Empty>;
  return (
    <>
      <h1 class="unseen">Now</h1>
      <div class="now">
        {NAMES.map((name) => {
          const View = VIEWS[name];
          return <View key={name} />;
        })}
      </div>
    </>
  );
}
