import type { RunAnswer } from '../../../../src/readmodel/api.ts';
import type { FleetExplanation } from '../../../../src/readmodel/explain-fleet.pure.ts';
import type { NumberedExplanation } from '../../../../src/readmodel/explain-number.pure.ts';
import { isWorking, LOOKS } from '../../../../src/readmodel/run-condition.pure.ts';
import { stallText } from '../../../../src/run/stall.pure.ts';
import { AdviceLines } from '../../advice.tsx';
import { bytes, count, duration } from '../../format.ts';
import { Meter, Panel, Until } from '../../parts.tsx';
import type { Resource } from '../../resource.ts';
import { Glyph } from '../../signs.tsx';

const VERDICTS: Readonly<Record<FleetExplanation['verdict'], string>> = {
  eligible: 'It can be claimed.',
  waiting: 'It waits.',
  running: 'It is being processed.',
  held: 'It is held: no host takes it until a person releases it.',
  finished: 'It is done.',
  givenUp: 'It is given up: it failed too often, and only a person brings it back.',
  abandoned: 'It is abandoned: a person has told that it is not to be processed.',
  malformed: 'It is set aside: a person must correct its document.',
};

/** A claimed run may wait for minutes before its child starts. */
function verdictOf({ verdict, state }: FleetExplanation, row: RunAnswer['row']): string {
  if (row.condition === 'stalled' && row.progress !== null) {
    return `It is stalled: ${stallText(row.progress)}.`;
  }
  return verdict === 'running' && state === 'considering'
    ? LOOKS.considering.meaning
    : VERDICTS[verdict];
}

/** Why the run is, or is not, being processed. */
export function Explain({ answer }: { answer: Resource<RunAnswer> }) {
  const explanation = answer.data?.explanation;
  return (
    <Panel title="Why" class="explain" fresh={answer} loading={explanation === undefined}>
      {explanation !== undefined && (
        <>
          <p class="verdict">{verdictOf(explanation, answer.data!.row)}</p>
          {explanation.next !== null && (
            <p>
              Next: {explanation.next.what}
              {explanation.next.who !== null && `, by ${explanation.next.who}`}
              {explanation.next.at !== null && (
                <>
                  , <Until at={explanation.next.at} />
                </>
              )}
              .
            </p>
          )}
          {answer.data!.advice !== null && <AdviceLines advice={answer.data!.advice} />}
          <SameNumber {...explanation} />
          <RunningBar answer={answer.data!} />
          {answer.data?.row.why != null && <p class="reason">{answer.data.row.why}</p>}
          <details>
            <summary>The rules that were asked, as seen from {explanation.seenFrom}</summary>
            <ul class="rules">
              {explanation.rules.map(({ rule, value, holds }) => (
                <li key={rule}>
                  <Glyph shape={holds ? 'disc' : 'cross'} tone={holds ? 'good' : 'bad'} />
                  <span>
                    <b>{holds ? 'yes' : 'no'}</b> {rule}: {value}
                  </span>
                </li>
              ))}
            </ul>
            {explanation.hosts.length > 1 && (
              <ul class="rules">
                {explanation.hosts.map(({ host, verdict, obstacle }) => (
                  <li key={host}>
                    <span>
                      <b>{host}</b> {verdict}
                      {obstacle !== null && `; this rule does not hold: ${obstacle}`}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </details>
          {explanation.commands.length > 0 && (
            <p class="commands">
              On a terminal:{' '}
              {explanation.commands.map((command) => (
                <code key={command}>{command}</code>
              ))}
            </p>
          )}
        </>
      )}
    </Panel>
  );
}

/** Names the other documents that have the same run number. */
function SameNumber({ document, sameNumber }: NumberedExplanation) {
  if (sameNumber.length === 0) return null;
  return (
    <p class="reason">
      {count(sameNumber.length + 1, 'document')} have this number. This is {document}; the others
      are {sameNumber.join(', ')}.
    </p>
  );
}

function RunningBar({ answer }: { answer: RunAnswer }) {
  const { progress, run } = answer.row;
  if (progress === null || !isWorking(answer.row.condition)) return null;
  return (
    <div class="running">
      <Meter
        label={`Processed of run ${run}`}
        fraction={progress.fraction ?? 0}
        tone={progress.isStalled ? 'warn' : 'active'}
      />
      <p class="work-facts">
        <span>{progress.phase.replaceAll('_', ' ')}</span>
        <span>{duration(progress.coveredSeconds)} of data read</span>
        <span>{count(progress.chunks, 'chunk')}</span>
        <span>{bytes(progress.memoryBytes)} of memory</span>
        {progress.behindSeconds !== null && <span>{duration(progress.behindSeconds)} behind</span>}
      </p>
    </div>
  );
}
