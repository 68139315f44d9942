import { CRASH_POINTS, type CrashPoint } from '../../../src/infra/crash-points/points.ts';

const pointsOf = (subject: string): CrashPoint[] =>
  CRASH_POINTS.filter((point) => point.startsWith(`${subject}.`));

/** Writes of the dashboard, which has no run in its hands: cut in `tests/integration/features/alarms`. */
export const ALARM_POINTS = pointsOf('alarms');
export const MAINTENANCE_POINTS = pointsOf('maintenance');
/** The process that makes pictures, of which nothing depends: cut in `worker/tests/test_pictures.py`. */
export const PICTURE_POINTS = CRASH_POINTS.filter((point) => point.startsWith('pictures.json:'));
/** Of attempts that are jobs: cut on a real Slurm, in `tests/integration/executors/slurm`. */
export const SLURM_POINTS = CRASH_POINTS.filter((point) =>
  /^(slurm-proof\.json|node-probe|submit\.json|job\.json|job-environment|job-begun|attempt\.link|runs\.renew_waiting)[.:]/.test(
    point,
  ),
);
