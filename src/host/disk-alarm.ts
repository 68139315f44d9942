import type { Environment } from '../ports/environment.ts';
import { notifyDaq } from '../ports/notify.ts';
import type { HostHealth } from './host-health.ts';

/** Tells the DAQ's log once when the disk is full, and once more when that has lasted for too long. */
export class DiskAlarm {
  readonly #env: Environment;
  #fullSince: number | null = null;
  #alarmed = false;

  constructor(env: Environment) {
    this.#env = env;
  }

  seen({ accepting }: HostHealth): void {
    const { host, clock, rules } = this.#env;
    if (accepting.ok || accepting.kind !== 'disk') {
      this.#fullSince = null;
      this.#alarmed = false;
      return;
    }
    const now = clock.monotonicSeconds();
    if (this.#fullSince === null) {
      this.#fullSince = now;
      notifyDaq(this.#env, 'warning', `${host} takes no new run: ${accepting.reason}`);
    } else if (!this.#alarmed && now - this.#fullSince > rules.disk.alarmSeconds) {
      this.#alarmed = true;
      const hours = Math.round(rules.disk.alarmSeconds / 3600);
      notifyDaq(
        this.#env,
        'fatal',
        `${host} has taken no new run for ${hours} h: ${accepting.reason}. Make room; it goes on by itself`,
      );
    }
  }
}
