import { describe, expect, it } from 'vitest';

import type { PluginGraph } from '../../../src/attempt/attempt.pure.ts';
import { Plugins } from '../../../src/plan/plugins.pure.ts';

const SAVED: Record<string, PluginGraph['types'][string]['saved']> = {
  '!': 'always',
  '?': 'target',
  '': 'never',
};

/** `type: plugin < input input` a line; `!` always stored, `?` if asked for, else never. */
function graph(text: string): PluginGraph {
  const types: PluginGraph['types'] = {};
  for (const line of text.trim().split('\n')) {
    const [, type, mark, plugin, inputs = ''] = /^\s*(\w+)([!?]?): (\w+)(?: < (.*))?$/.exec(line)!;
    const saved = SAVED[mark!]!;
    types[type!] = { plugin: plugin!, dependsOn: inputs.split(' ').filter(Boolean), saved };
  }
  return { version: 1, context: 'test', types };
}

const plugins = new Plugins(
  graph(`
    raw!: Reader
    records?: Records < raw
    veto!: Records
    peaks!: Peaks < records
    areas: Areas < peaks
    events?: Events < peaks areas
    lonely?: Lonely < unheard_of
  `),
);

describe('the graph of plugins', () => {
  it('says which plugin makes a type, and what a plugin makes', () => {
    expect(plugins.of('records')).toBe('Records');
    expect(plugins.of('veto')).toBe('Records');
    expect(plugins.of('unheard_of')).toBeUndefined();
    expect(plugins.of('constructor')).toBeUndefined();
    expect(plugins.provides('Records')).toEqual(['records', 'veto']);
    expect(plugins.provides('Nobody')).toEqual([]);
  });

  it('says what the plugin of a type reads', () => {
    expect(plugins.inputs('events')).toEqual(['peaks', 'areas']);
    // As a whole: strax runs a plugin for all its types.
    expect(plugins.inputs('veto')).toEqual(['raw']);
    expect(plugins.inputs('raw')).toEqual([]);
    expect(plugins.inputs('unheard_of')).toEqual([]);
  });

  it('says what is stored', () => {
    expect(['raw', 'records', 'areas', 'unheard_of'].map((type) => plugins.isStored(type))).toEqual(
      [true, true, false, false],
    );
    expect(['raw', 'records', 'areas'].map((type) => plugins.isAlwaysStored(type))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('says what must run', () => {
    expect([...plugins.closure(['peaks', 'veto'])].sort()).toEqual(['Peaks', 'Reader', 'Records']);
    expect([...plugins.closure(['lonely', 'unheard_of'])]).toEqual(['Lonely']);
    expect(plugins.closure([]).size).toBe(0);
  });

  it('says what is read on the way', () => {
    const onTheWay = ['areas', 'peaks', 'raw', 'records'];
    expect([...plugins.implied('events')].sort()).toEqual(onTheWay);
    expect([...plugins.implied('events')].sort()).toEqual(onTheWay);
    expect([...plugins.implied('lonely')]).toEqual(['unheard_of']);
    expect([...plugins.implied('raw')]).toEqual([]);
  });

  it('says what rests on some plugins', () => {
    expect([...plugins.resting((name) => name === 'Peaks')].sort()).toEqual([
      'Areas',
      'Events',
      'Peaks',
    ]);
    expect(plugins.resting(() => false).size).toBe(0);
    expect(plugins.resting(() => true).size).toBe(6);
  });

  it('says which of some plugins stands highest', () => {
    const highest = (names: string[], except: string[] = []) =>
      plugins.highest(new Set(names), new Set(except));
    expect(highest(['Reader', 'Records', 'Peaks', 'Areas', 'Events'])).toBe('Events');
    expect(highest(['Peaks', 'Areas', 'Lonely'])).toBe('Areas');
    expect(highest(['Records', 'Lonely', 'Reader'])).toBe('Records');
    expect(highest(['Peaks', 'Areas'], ['Areas'])).toBeNull();
    expect(highest(['Peaks', 'Lonely'], ['Peaks'])).toBe('Lonely');
    expect(highest([])).toBeNull();
  });

  it('decides by name between plugins of the same height', () => {
    const flat = new Plugins(graph('b: B\na: A\nd: D < c\nc: C\ne: E < c'));
    const highest = (...names: string[]) => flat.highest(new Set(names), new Set());
    expect(highest('B', 'A', 'C')).toBe('A');
    expect(highest('A', 'B', 'C')).toBe('A');
    expect(highest('E', 'D', 'A')).toBe('D');
    expect(highest('D', 'E', 'A')).toBe('D');
  });

  it('takes a plugin that reads what it makes itself', () => {
    const own = new Plugins(graph('a: A < b\nb: A < raw\nraw: R\nz: Z < raw'));
    expect(own.highest(new Set(['A', 'R']), new Set())).toBe('A');
    expect(own.highest(new Set(['A', 'Z']), new Set())).toBe('A');
    expect([...own.implied('a')].sort()).toEqual(['b', 'raw']);
    expect([...own.closure(['a'])].sort()).toEqual(['A', 'R']);
  });

  it('does not run for ever on a graph that goes round', () => {
    const round = new Plugins(graph('a: A < b\nb: B < c\nc: C < a'));
    expect([...round.implied('a')].sort()).toEqual(['a', 'b', 'c']);
    expect(round.highest(new Set(['A', 'B', 'C']), new Set())).toBeNull();
    expect([...round.closure(['b'])].sort()).toEqual(['A', 'B', 'C']);
  });
});
