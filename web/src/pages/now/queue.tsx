import { usePanel } from '../../live.ts';
import { Ago, Panel, Until } from '../../parts.tsx';
import { Link } from '../../router.tsx';

/** The runs that wait for a host. */
export function QueuePanel() {
  const panel = usePanel('queue');
  const queue = panel.data;
  return (
    <Panel title="Queue" class="queue" fresh={panel} loading={queue === null}>
      {queue !== null && (
        <dl class="figures">
          <div>
            <dt>
              <Link to="/runs?condition=new">new</Link>
            </dt>
            <dd>
              {queue.fresh}
              {queue.atLeast && '+'}
            </dd>
            <dd class="detail">
              {queue.oldest === null ? (
                'none waiting'
              ) : (
                <>
                  oldest began <Ago at={queue.oldest.start} />
                </>
              )}
            </dd>
          </div>
          <div>
            <dt>
              <Link to="/runs?condition=retrying">to be retried</Link>
            </dt>
            <dd>{queue.due + queue.later}</dd>
            <dd class="detail">
              {queue.next !== null ? (
                <>
                  next <Until at={queue.next.at} />
                </>
              ) : (
                `${queue.due} due now`
              )}
            </dd>
          </div>
          <div>
            <dt>
              <Link to="/runs?condition=held">held</Link>
            </dt>
            <dd>{queue.held}</dd>
            <dd class="detail">by a person</dd>
          </div>
        </dl>
      )}
    </Panel>
  );
}
