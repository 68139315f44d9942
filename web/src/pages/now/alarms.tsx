import { ALARM_WORDS } from '../../../../src/features/alarms/alarm.pure.ts';
import type { AlarmsPanel, AlarmView } from '../../../../src/readmodel/api.ts';
import { usePanel } from '../../live.ts';
import { Ago, Panel, Time, Until } from '../../parts.tsx';
import { Link } from '../../router.tsx';
import { Glyph } from '../../signs.tsx';

const MOST_OPEN = 6;
const MOST_RECENT = 4;

const DESTINATION_WORDS = {
  webhook: 'webhook',
  mail: 'mail',
  dead_man: 'dead-man signal',
} as const;

/** Alarms, maintenance, and whether alarms can be sent. */
export function Alarms() {
  const panel = usePanel('alarms');
  const alarms = panel.data;
  return (
    <Panel
      title="Alarms"
      class="alarms"
      fresh={panel}
      loading={alarms === null}
      aside={
        alarms !== null && alarms.open.length > 0 && <span class="count">{alarms.open.length}</span>
      }
    >
      {alarms !== null && (
        <>
          {alarms.maintenance.map((window) => (
            <Window key={window.id} window={window} />
          ))}
          {alarms.open.length === 0 && alarms.receivers.length > 0 && (
            <p class="quiet">No alarm is open.</p>
          )}
          <ul class="alarm-list">
            {alarms.open.slice(0, MOST_OPEN).map((alarm) => (
              <Row key={alarm.key} alarm={alarm} />
            ))}
            {alarms.recent.slice(0, MOST_RECENT).map((alarm) => (
              <Row key={`${alarm.key} ${alarm.opened}`} alarm={alarm} />
            ))}
          </ul>
          {alarms.open.length > MOST_OPEN && (
            <p class="more">
              and {alarms.open.length - MOST_OPEN} more: <code>bootstrax alarms</code>
            </p>
          )}
          <Receivers receivers={alarms.receivers} />
        </>
      )}
    </Panel>
  );
}

function Row({ alarm }: { alarm: AlarmView }) {
  const { kind, run, host, what, opened, over, told } = alarm;
  const ofHost = host === null ? null : `/hosts?host=${encodeURIComponent(host)}`;
  const to = run === null ? ofHost : `/runs/${run}`;
  return (
    <li class={over === null ? '' : 'alarm-over'}>
      <span class="alarm-kind">
        <Glyph shape={over === null ? 'triangle' : 'disc'} tone={over === null ? 'bad' : 'idle'} />
        {over === null ? ALARM_WORDS[kind] : `over: ${ALARM_WORDS[kind]}`}
      </span>
      <span class="alarm-what">{to === null ? what : <Link to={to}>{what}</Link>}</span>
      <span class="alarm-told">
        {told.length === 0
          ? 'not sent'
          : `sent to ${told.map(({ receiver }) => receiver).join(', ')}`}
      </span>
      <span class="alarm-since">
        {over === null ? <Ago at={opened} /> : <Time at={over} short />}
      </span>
    </li>
  );
}

function Window({ window }: { window: AlarmsPanel['maintenance'][number] }) {
  const { host, until, by, reason } = window;
  return (
    <p class="alarm-window">
      <Glyph shape="pause" tone="warn" />
      <span>
        Maintenance{host === null ? '' : ` of ${host}`}, by {by}: {reason}.{' '}
        {host === null ? 'No alarm is sent' : 'No alarm about this host is sent'}; ends{' '}
        <Until at={until} />.
      </span>
    </p>
  );
}

function Receivers({ receivers }: { receivers: AlarmsPanel['receivers'] }) {
  if (receivers.length === 0) {
    return (
      <p class="quiet">
        No alarm is ever sent: the settings name no webhook, no mail and no dead-man signal.
      </p>
    );
  }
  return (
    <ul class="alarm-receivers">
      {receivers.map(({ destination, sent, problem, failingSince, next }) => (
        <li key={destination}>
          {problem !== null && failingSince !== null ? (
            <>
              <Glyph shape="cross" tone="bad" />
              <span>
                <strong>{DESTINATION_WORDS[destination]} fails</strong> for{' '}
                <Ago at={failingSince} suffix="" />: {problem}
                {next !== null && (
                  <>
                    ; next try <Until at={next} />
                  </>
                )}
              </span>
            </>
          ) : (
            <>
              <Glyph
                shape={sent === null ? 'ring' : 'disc'}
                tone={sent === null ? 'idle' : 'good'}
              />
              <span>
                {DESTINATION_WORDS[destination]}:{' '}
                {sent === null ? (
                  'nothing sent yet'
                ) : (
                  <>
                    last sent <Ago at={sent} />
                  </>
                )}
              </span>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
