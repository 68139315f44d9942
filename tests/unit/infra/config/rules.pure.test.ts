import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';

describe('the default rules', () => {
  // All others stand in docs/configuration.md, which another test compares.
  it('have the tables that are written down: a change is a decision', () => {
    const { modes, ladder, detectors } = defaultRules.targets;
    const { tables, forcedRates } = defaultRules.resources;
    expect({ modes, ladder, detectors, tables, forcedRates }).toMatchSnapshot();
  });
});
