/**
 * Log events and metrics that have a better name since 0.2.0. Each is also sent under its former name
 * until 0.3.0, so that filters, alert rules and boards of a site go on while they are changed.
 */

/** Log events: present name, former name. */
export const RENAMED_EVENTS: Readonly<Record<string, string>> = {
  'alarms.unsent': 'alarms.untold',
  'attempt.products_removed': 'attempt.cleaned',
  'daq_log.unwritten': 'daq_log.untold',
  'debt.products_removed': 'debt.cleaned',
  'host.silent': 'host.dead',
  'online_monitor.removed': 'online_monitor.wiped',
  'run.corrected': 'run.mended',
  'run.handed_on': 'run.status_mended',
  'run.not_handed_on': 'run.uncertified',
  'run.number_freed': 'run.number_settled',
  'service.not_notified': 'service.unheard',
  'shadow.polling': 'shadow.unheard',
};

/** Metrics: present name, former name. */
export const RENAMED_METRICS: Readonly<Record<string, string>> = {
  bootstrax_host_heartbeat_age_seconds: 'bootstrax_host_life_sign_age_seconds',
};
