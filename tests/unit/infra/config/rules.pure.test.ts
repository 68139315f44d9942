import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';

describe('the default rules', () => {
  it('are the ones written down: a change is a decision', () => {
    expect(defaultRules).toMatchSnapshot();
  });
});
