import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 30;
const SHORT_SECONDS = 5;

/** Ends the report with the files that took longest, tests and hooks together. */
export default class LongestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: secondsOf(module) }))
      .filter(({ seconds }) => seconds >= SHORT_SECONDS)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN);
    if (files.length === 0) return;
    console.log('\nThe files that took longest, in seconds:');
    for (const { name, seconds } of files) console.log(seconds.toFixed(0).padStart(6), name);
  }
}

function secondsOf(module: TestModule): number {
  const { duration, collectDuration, environmentSetupDuration, prepareDuration } =
    module.diagnostic();
  return (duration + collectDuration + environmentSetupDuration + prepareDuration) / 1000;
}
