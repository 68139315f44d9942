import { writeFileSync } from 'node:fs';

import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 30;
const SHORT_SECONDS = 5;
const REASON_LENGTH = 160;

/** Where the names of the files with failures go, one a line; scripts/node-test.sh reads them. */
const FAILED_FILES = process.env['FAILED_TEST_FILES'];

/**
 * Ends the report with what would be overlooked: the longest files, tests that passed only the
 * second time, and last of all what failed, since often only the end of a report is kept.
 */
export default class ReportEnd implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: secondsOf(module) }))
      .filter(({ seconds }) => seconds >= SHORT_SECONDS)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN)
      .map(({ name, seconds }) => `${seconds.toFixed(0).padStart(4)} ${name}`);
    show('The files that took longest, in seconds:', files);
    const flaky = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    show('Passed or failed only at the second try, and to be looked at:', flaky);
    show('Failed:', modules.flatMap(failuresOf));
    if (FAILED_FILES !== undefined) {
      const failed = modules.filter((module) => module.state() === 'failed');
      writeFileSync(FAILED_FILES, failed.map((module) => `${module.relativeModuleId}\n`).join(''));
    }
  }
}

function show(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
}

/** Each test of a file that failed, and what failed outside its tests: hooks, imports. */
function failuresOf(module: TestModule): string[] {
  const line = (name: string, errors: readonly { readonly message: string }[]) =>
    errors.map(({ message }) => `${name}: ${message.split('\n')[0]!.slice(0, REASON_LENGTH)}`);
  const file = module.relativeModuleId;
  return [
    ...line(file, module.errors()),
    ...[...module.children.allSuites()].flatMap((suite) =>
      line(`${file} > ${suite.fullName}`, suite.errors()),
    ),
    ...[...module.children.allTests('failed')].flatMap((test) =>
      line(`${file} > ${test.fullName}`, test.result().errors ?? []),
    ),
  ];
}

/** Tests and hooks together. */
function secondsOf(module: TestModule): number {
  const { duration, collectDuration, environmentSetupDuration, prepareDuration } =
    module.diagnostic();
  return (duration + collectDuration + environmentSetupDuration + prepareDuration) / 1000;
}
