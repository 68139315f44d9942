import { type Scenario, SCENARIOS } from './scenarios.ts';
import type { Cut } from './trial.ts';

export interface Case {
  cut: Cut;
  scenario: Scenario;
  name: string;
}

/** Every cut in every scenario: the nightly tier. */
export const ALL_CASES: readonly Case[] = SCENARIOS.flatMap((scenario) =>
  scenario.points.map((cut) => ({ cut, scenario, name: scenario.name })),
);

/**
 * What a cut leaves are the writes before it: the state after one write is that before the next. So
 * the daily tier cuts after each write, in the first scenario that has it, and once in the middle of
 * each scenario that has no write of its own.
 */
export const DAILY_CASES: readonly Case[] = dailyCases();

export function writeOf(cut: Cut): string {
  return cut.split(':', 1)[0]!;
}

function dailyCases(): Case[] {
  const met = new Set<string>();
  return SCENARIOS.flatMap((scenario) => {
    const own = scenario.points.filter((cut) => {
      if (!isAfter(cut) || met.has(writeOf(cut))) return false;
      met.add(writeOf(cut));
      return true;
    });
    const chosen = own.length > 0 ? own : [middleOf(scenario)];
    return chosen.map((cut) => ({ cut, scenario, name: scenario.name }));
  });
}

function middleOf({ points }: Scenario): Cut {
  const after = points.filter(isAfter);
  const all = after.length > 0 ? after : points;
  return all[Math.floor(all.length / 2)]!;
}

function isAfter(cut: Cut): boolean {
  return /:after(#\d+)?$/.test(cut);
}
