import type { Command } from 'commander';

import { query } from '../framework/answering.ts';
import { drawAttention, drawStatus, readStatus } from './status-view.ts';

/** `bootstrax status`: hosts, queue, the runs in work, and what needs attention. */
export function addStatus(program: Command): void {
  query(program, {
    name: 'status',
    about: 'hosts, queue, each run that is being processed, and what needs attention',
    json: 'one object: {time, hosts, queue, runs, attention}',
    read: async ({ store, settings }) => {
      const { attentionNow } = await import('../../readmodel/readings.ts');
      const status = await readStatus(store, settings);
      return { ...status, attention: await attentionNow(store, settings.rules) };
    },
    draw: ({ attention, ...status }) =>
      [drawStatus(status), drawAttention(attention)].filter((part) => part !== '').join('\n\n'),
  });
}
