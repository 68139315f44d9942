import { relative } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

const SHOWN = 30;
const SHORT_SECONDS = 5;
const REASON_LENGTH = 160;

/**
 * Ends the report with what would be overlooked: the longest files, what was skipped and why, and
 * last of all what failed, since often only the end of a report is kept.
 */
export default class ReportEnd implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], stray: readonly SerializedError[]): void {
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: secondsOf(module) }))
      .filter(({ seconds }) => seconds >= SHORT_SECONDS)
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN)
      .map(({ name, seconds }) => `${seconds.toFixed(0).padStart(4)} ${name}`);
    show('The files that took longest, in seconds:', files);
    show('Skipped:', isFiltered(modules) ? [] : modules.flatMap(skippedIn));
    show('Failed:', [
      ...modules.flatMap(failuresOf),
      ...stray.flatMap((error) => told(`${fileOf(error)}, beside its tests`, [error])),
    ]);
  }
}

function show(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
}

/** Tests that were not chosen by `-t` or `.only` are skipped as well. */
function isFiltered(modules: readonly TestModule[]): boolean {
  return modules.some(
    ({ project, children }) =>
      project.globalConfig.testNamePattern !== undefined ||
      [...children.allTests()].some((test) => test.options.mode === 'only'),
  );
}

function skippedIn(module: TestModule): string[] {
  return [...module.children.allTests('skipped')].map((test) => {
    const { note } = test.result() as { note?: string };
    return `${module.relativeModuleId} > ${test.fullName}${note === undefined ? '' : `: ${note}`}`;
  });
}

function told(what: string, errors: readonly { readonly message: string }[]): string[] {
  return errors.map(({ message }) => `${what}: ${message.split('\n')[0]!.slice(0, REASON_LENGTH)}`);
}

/** In which an error happened that no test has caught. */
function fileOf(error: SerializedError): string {
  const path: unknown = error['VITEST_TEST_PATH'];
  return typeof path === 'string' ? relative(process.cwd(), path) : 'an unknown file';
}

/** Each test of a file that failed, and what failed outside its tests: hooks, imports. */
function failuresOf(module: TestModule): string[] {
  const file = module.relativeModuleId;
  return [
    ...told(file, module.errors()),
    ...[...module.children.allSuites()].flatMap((suite) =>
      told(`${file} > ${suite.fullName}`, suite.errors()),
    ),
    ...[...module.children.allTests('failed')].flatMap((test) =>
      told(`${file} > ${test.fullName}`, test.result().errors ?? []),
    ),
  ];
}

/** Tests and hooks together. */
function secondsOf(module: TestModule): number {
  const { duration, collectDuration, environmentSetupDuration, prepareDuration } =
    module.diagnostic();
  return (duration + collectDuration + environmentSetupDuration + prepareDuration) / 1000;
}
