import type { Holder } from '../../src/exclusion/holder.pure.ts';

/** A manager as it says itself who it is. */
export function holderOf(host: string, fields: Partial<Holder> = {}): Holder {
  return {
    instance: '0123456789abcdef01234567',
    host,
    state_dir: `/state/${host}`,
    state_folder: `folder of ${host}`,
    pid: 4711,
    start_ticks: 100,
    boot_id: `boot of ${host}`,
    pid_namespace: 'pid:[1]',
    machine: host.split('.')[0]!,
    ...fields,
  };
}
