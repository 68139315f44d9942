import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 30;
const SHORT_SECONDS = 5;

/** Ends the report with what would be overlooked: tests that passed only the second time, and the longest files. */
export default class ReportEnd implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const flaky = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    show('Passed or failed only at the second try, and to be looked at:', flaky);
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: secondsOf(module) }))
      .filter(({ seconds }) => seconds >= SHORT_SECONDS)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN)
      .map(({ name, seconds }) => `${seconds.toFixed(0).padStart(4)} ${name}`);
    show('The files that took longest, in seconds:', files);
  }
}

function show(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
}

/** Tests and hooks together. */
function secondsOf(module: TestModule): number {
  const { duration, collectDuration, environmentSetupDuration, prepareDuration } =
    module.diagnostic();
  return (duration + collectDuration + environmentSetupDuration + prepareDuration) / 1000;
}
