import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 25;

/** Ends the report with the files that took longest, tests and hooks together. */
export default class LongestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length <= SHOWN) return;
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: secondsOf(module) }))
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN);
    console.log(`\nThe ${SHOWN} files that took longest, in seconds:`);
    for (const { name, seconds } of files) console.log(seconds.toFixed(0).padStart(6), name);
  }
}

function secondsOf(module: TestModule): number {
  const { duration, collectDuration, environmentSetupDuration, prepareDuration } =
    module.diagnostic();
  return (duration + collectDuration + environmentSetupDuration + prepareDuration) / 1000;
}
