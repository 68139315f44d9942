import { z } from 'zod';

import { DECISION_SETTINGS } from './schema/decision-settings.pure.ts';
import { LIMIT_SETTINGS } from './schema/limit-settings.pure.ts';
import { describeSetting } from './schema/setting.pure.ts';

/** Everything that a site may change about the decisions. */
export const RULES = z.strictObject({ ...DECISION_SETTINGS.shape, ...LIMIT_SETTINGS.shape });

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type Rules = DeepReadonly<z.output<typeof RULES>>;
export type TargetRules = Rules['targets'];
export type ResourceRules = Rules['resources'];
export type RetryRules = Rules['retry'];
export type QuarantineRules = Rules['quarantine'];
/** When an attempt is stopped, before the kernel kills any process it likes. */
export type MemoryRules = Rules['memory'];
export type DiskRules = Rules['disk'];
export type LimitRules = Rules['limits'];

export type Shedding = TargetRules['shedding'];
/** Targets of a run mode; the first rule whose substring occurs in the mode applies (5.1). */
export type ModeRule = TargetRules['modes'][number];
/** A type that matches `pattern` is dropped once the failures exceed `failures` (5.2). */
export type LadderRule = TargetRules['ladder'][number];
/** A type that matches `pattern` is of interest only for runs with `detector` (5.1, step 4). */
export type DetectorRule = TargetRules['detectors'][number];
/** One row of a resource table (6.1). */
export type ResourceRow = ResourceRules['tables'][string][number];
export type Clip = ResourceRules['clips']['cores'];

/** The rules of a host that sets nothing. */
export const defaultRules: Rules = defaultsOf(RULES);

/** No rule has a default that depends on the machine. */
function defaultsOf<S extends z.ZodObject>(section: S): z.output<S> {
  const entries = Object.entries<z.ZodType>(section.shape).map(([key, node]) => [
    key,
    defaultOf(node),
  ]);
  return Object.fromEntries(entries) as z.output<S>;
}

function defaultOf(node: z.core.$ZodType): unknown {
  return node instanceof z.ZodObject ? defaultsOf(node) : describeSetting(node)?.default;
}
