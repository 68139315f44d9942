import type { AttemptView, RunAnswer } from '../../../../src/readmodel/api.ts';
import type { LadderRow, Step } from '../../../../src/readmodel/ladder.pure.ts';
import { count } from '../../format.ts';
import { Empty, HostName, Panel } from '../../parts.tsx';
import type { Resource } from '../../resource.ts';

const STEPS: Readonly<Record<Step, { mark: string; word: string; tone: string }>> = {
  made: { mark: '●', word: 'made', tone: 'good' },
  asked: { mark: '○', word: 'in the plan', tone: 'active' },
  culprit: { mark: '✕', word: 'its plugin failed', tone: 'bad' },
  dropped: { mark: '–', word: 'dropped', tone: 'warn' },
  none: { mark: '', word: 'not wanted', tone: 'off' },
};

/** Which data types were wanted, made and dropped, attempt by attempt. */
export function Targets({ answer }: { answer: Resource<RunAnswer> }) {
  const ladder = answer.data?.ladder ?? [];
  const attempts = (answer.data?.attempts ?? []).slice(-(ladder[0]?.steps.length ?? 0));
  return (
    <Panel title="Ladder of targets" class="targets" fresh={answer} loading={answer.data === null}>
      {ladder.length === 0 ? (
        <Empty>No plan has been made for this run yet.</Empty>
      ) : (
        <Ladder ladder={ladder} attempts={attempts} />
      )}
    </Panel>
  );
}

function Ladder({ ladder, attempts }: { ladder: LadderRow[]; attempts: AttemptView[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Targets by attempt">
      <table class="ladder">
        <thead>
          <tr>
            <th scope="col">Data type</th>
            {attempts.map(({ attempt, rung }, i) => (
              <th scope="col" key={attempt} title={`after ${count(rung, 'failure')}`}>
                {i + 1}
              </th>
            ))}
            <th scope="col">Stored on</th>
          </tr>
        </thead>
        <tbody>
          {ladder.map(({ type, steps, storedOn }) => (
            <tr key={type}>
              <th scope="row">{type}</th>
              {steps.map((step, i) => {
                const { mark, word, tone } = STEPS[step];
                return (
                  <td key={attempts[i]?.attempt ?? i} class={`step tone-${tone}`} title={word}>
                    <span aria-hidden="true">{mark}</span>
                    <span class="unseen">{word}</span>
                  </td>
                );
              })}
              <td>
                {storedOn.length === 0 ? (
                  <span class="quiet">nowhere</span>
                ) : (
                  storedOn.map((host) => <HostName key={host} host={host} />)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="key">
        {(['made', 'asked', 'culprit', 'dropped'] as const).map((step) => (
          <span key={step} class={`tone-${STEPS[step].tone}`}>
            <span aria-hidden="true">{STEPS[step].mark}</span> {STEPS[step].word}
          </span>
        ))}
      </p>
    </div>
  );
}
