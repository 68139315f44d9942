import { describe, expect, it } from 'vitest';

import { meaningOfReport, reports } from './reported.ts';

const REPORTED = ['reported', 'reported-further', 'reported-later'].flatMap((folder) =>
  reports(folder),
);

describe('failures as users have reported them', () => {
  it.each(REPORTED.map((report) => [report.class, report.name, report] as const))(
    '%s: %s',
    (expected, _name, report) => {
      expect(meaningOfReport(report).class).toBe(expected);
    },
  );

  it('are many, of each of the programs that strax stands on', () => {
    expect(REPORTED.length).toBeGreaterThanOrEqual(120);
  });
});
