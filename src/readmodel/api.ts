import type { Latencies } from '../attempt/attempt-times.pure.ts';
import type { AlarmKind } from '../features/alarms/alarm.pure.ts';
import type { PictureStanding } from '../features/pictures/picture-standing.pure.ts';
import type { Picture, StoredType } from '../features/pictures/pictures.pure.ts';
import type { Run } from '../run/run.pure.ts';
import type { ActionView } from './action-api.ts';
import type { NumberedExplanation } from './explain-number.pure.ts';
import type { FailureGroup } from './failures.pure.ts';
import type { LadderRow } from './ladder.pure.ts';
import type { Condition } from './run-condition.pure.ts';
import type { RunRow } from './run-row.pure.ts';
import type { Silence } from './silences.pure.ts';
import type { RunAdvice } from './trouble.pure.ts';

/** The answers of the API: the one definition for server and client. Times are ISO 8601, UTC. */

/** One cell of the strip of the last runs. */
export interface StripCell {
  run: number;
  condition: Condition;
  start: string | null;
}

/** An alarm. */
export interface AlarmView {
  key: string;
  kind: AlarmKind;
  run: number | null;
  host: string | null;
  what: string;
  todo: string;
  opened: string;
  /** Null while it is open. */
  over: string | null;
  /** The last message to each receiver. */
  told: { receiver: string; said: 'raised' | 'cleared'; at: string }[];
}

/** Panel `alarms`. */
export interface AlarmsPanel {
  /** Newest first. */
  open: AlarmView[];
  /** Alarms that ended in the last day, newest first. */
  recent: AlarmView[];
  /** Receivers of the settings; without any no alarm is sent. */
  receivers: {
    destination: 'webhook' | 'mail' | 'dead_man';
    /** When the last message was sent. */
    sent: string | null;
    failingSince: string | null;
    problem: string | null;
    /** When the next try follows. */
    next: string | null;
  }[];
  /** Times in which no alarm is sent: none at all, or none about one host. */
  maintenance: {
    id: string;
    host: string | null;
    from: string;
    until: string;
    by: string;
    reason: string;
  }[];
}

/** Event `changed`: documents of runs that are not as they were; null: any of them may have changed. */
export interface ChangedEvent {
  ids: string[] | null;
}

/** GET /api/runs */
export interface RunsAnswer {
  now: string;
  runs: RunRow[];
  /** Run number below which the next page begins; null at the end. */
  before: number | null;
  /** Number of runs that fit, on all pages together; null while they are being counted. */
  total: number | null;
}

/** One attempt at a run. */
export interface AttemptView {
  attempt: string;
  host: string;
  started: string;
  ended: string | null;
  /** Its strax process is known to have been started. */
  begun: boolean;
  /** Counted failures before this attempt. */
  rung: number;
  outcome: string | null;
  cause: string | null;
  counted: boolean;
  reason: string | null;
  traceback: string | null;
  fingerprint: string | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
  bytes: number | null;
  cores: number | null;
  maxMessages: number | null;
  timeoutSeconds: number | null;
  /** Durations of its steps. */
  steps: Latencies;
  /** The reasons for the plan, one sentence each. */
  reasons: string[];
  /** What was read of the live data, one sentence each. */
  input: string[];
  versions: Record<string, string>;
  /** Whether its log and curves can be read on the machine of the dashboard. */
  filesHere: boolean;
}

export interface StoredData {
  type: string;
  host: string;
  location: string | null;
}

export interface DeletedData {
  type: string;
  host: string;
  at: string | null;
  by: string | null;
}

/** A tag or comment of a person or a program. */
export interface RunNote {
  text: string;
  by: string | null;
  /** ISO 8601, UTC. */
  at: string | null;
}

/** GET /api/runs/N */
export interface RunAnswer {
  now: string;
  row: RunRow;
  /** The whole reason, with traceback. */
  reason: string | null;
  explanation: NumberedExplanation;
  /** What a person can do; null: nothing is wrong, or it becomes well by itself. */
  advice: RunAdvice | null;
  rateMBps: number | null;
  daq: Run['daq'] | null;
  /** Oldest first. */
  attempts: AttemptView[];
  ladder: LadderRow[];
  data: StoredData[];
  deleted: DeletedData[];
  /** Both oldest first. */
  tags: RunNote[];
  comments: RunNote[];
  /** Newest first; older ones are at `/api/actions?run=`. */
  actions: ActionView[];
}

/** A picture, and whether it is drawn. */
export interface PictureView extends Picture {
  standing: PictureStanding;
}

/** GET /api/attempts/A/pictures */
export interface PicturesAnswer {
  /** When they were written. */
  written: string;
  /** Nothing will be added. */
  final: boolean;
  /** Why the context has no pictures. */
  problem: string | null;
  stored: StoredType[];
  pictures: PictureView[];
}

/** GET /api/runs/N/document */
export interface DocumentAnswer {
  /** Extended JSON, without passwords. */
  text: string;
}

/** GET /api/hosts/HOST/history: series of equal length; percent, null where unknown. */
export interface HostHistoryAnswer {
  now: string;
  /** Seconds since 1970 UTC. */
  at: number[];
  cpu: (number | null)[];
  memory: (number | null)[];
  swap: (number | null)[];
  disk: (number | null)[];
  liveDisk: (number | null)[];
  /** Processes that run or wait for a core. */
  load: (number | null)[];
  /** Times without a heartbeat. */
  silences: Silence[];
}

/** GET /api/failures */
export interface FailuresAnswer {
  now: string;
  days: number;
  groups: FailureGroup[];
}

/** GET /api/handover */
export interface HandoverAnswer {
  now: string;
  hours: number;
  /** Plain text, for a log book. */
  text: string;
}

/** Any answer that is not 200. */
export interface ErrorAnswer {
  error: string;
}
