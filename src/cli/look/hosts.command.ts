import type { Command } from 'commander';

import { query } from '../framework/answering.ts';
import { hostViews } from './host-view.ts';
import { drawHosts } from './status-view.ts';

/** `bootstrax hosts`: every host that has reported. */
export function addHosts(program: Command): void {
  query(program, {
    name: 'hosts',
    about: 'every host that has reported, and what it does',
    json: 'one object: {hosts}',
    read: async ({ store, settings }) => ({
      hosts: await hostViews(store, settings, await store.serverTime()),
    }),
    draw: ({ hosts }) => (hosts.length === 0 ? 'No manager has reported yet.' : drawHosts(hosts)),
  });
}
