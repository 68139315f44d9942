import { useEffect, useRef, useState } from 'preact/hooks';

import { actionRow } from '../../../src/features/actions/action-table.pure.ts';
import type {
  ActionEffect,
  PreviewAnswer,
  PreviewBody,
} from '../../../src/readmodel/action-api.ts';
import { begin } from '../background.ts';
import { count } from '../format.ts';
import { send } from '../session.ts';
import { Glyph } from '../signs.tsx';
import { type Asked, stopAsking, useAsked } from './asking.ts';
import { act } from './under-way.ts';
import { targetName, targetNames } from './words.ts';

/** Asks for a reason, and shows what the action will do, before it is requested. */
export function ActionDialog() {
  const asked = useAsked();
  return asked === null ? null : <OpenDialog asked={asked} key={JSON.stringify(asked)} />;
}

function OpenDialog({ asked }: { asked: Asked }) {
  const { kind, targets } = asked;
  const dialog = useRef<HTMLDialogElement>(null);
  const [effects, setEffects] = useState<ActionEffect[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [keep, setKeep] = useState(false);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let isNewest = true;
    const body: PreviewBody = { kind, targets: [...targets], ...(keep ? { keep } : {}) };
    send<PreviewAnswer>('POST', '/api/actions/preview', body).then(
      (answer) => isNewest && setEffects(answer.effects),
      (error: Error) => isNewest && setProblem(error.message),
    );
    return () => {
      isNewest = false;
    };
  }, [kind, targets, keep]);

  const possible = (effects ?? []).filter((effect) => effect.possible);
  const confirm = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const reason = fields.get('reason');
    const hours = Number(fields.get('hours') ?? 0);
    setSending(true);
    setProblem(null);
    try {
      await act({
        kind,
        reason: typeof reason === 'string' ? reason.trim() : '',
        targets: possible.map(({ run, host, item, seen }) => ({
          ...(run === undefined ? {} : { run }),
          ...(host === undefined ? {} : { host }),
          ...(item === undefined ? {} : { item }),
          seen,
        })),
        ...(hours > 0 ? { hours } : {}),
        ...(keep ? { keep } : {}),
      });
      asked.onSent?.();
      stopAsking();
    } catch (error) {
      setProblem((error as Error).message);
      setSending(false);
    }
  };

  const { button: name, isDangerous, usualHours } = actionRow(kind);
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="ask-title" onClose={stopAsking}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          begin(confirm(event.currentTarget));
        }}
      >
        <h2 id="ask-title">
          {name}: {targetNames(targets)}
        </h2>
        <Effects effects={effects} problem={problem} />
        <label class="field">
          Reason
          <input
            name="reason"
            required
            pattern=".*\S.*"
            maxLength={MOST_REASON}
            autocomplete="off"
            autoFocus
            aria-describedby="reason-help"
          />
        </label>
        <p id="reason-help" class="quiet">
          {kind === 'acknowledge'
            ? 'Recorded with your name and shown to everybody; web addresses become links.'
            : 'Recorded with your name, for those who read it later.'}
        </p>
        {usualHours !== undefined && <Hours usual={usualHours} />}
        {kind === 'reprocess' && <Keep keep={keep} onChange={setKeep} />}
        <p class="ask-problem" role="alert">
          {problem}
        </p>
        <div class="ask-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={isDangerous ? 'main-button danger' : 'main-button'}
            disabled={sending || possible.length === 0}
          >
            {name}
          </button>
        </div>
      </form>
    </dialog>
  );
}

const MOST_REASON = 500;
const SHOWN = 50;

function Effects({ effects, problem }: { effects: ActionEffect[] | null; problem: string | null }) {
  if (effects === null) {
    return (
      <div class="effects">
        <p class="quiet">{problem === null ? 'Reading what it would do …' : ''}</p>
      </div>
    );
  }
  const [first] = effects;
  if (effects.length === 1 && first !== undefined) {
    return (
      <div class="effects">
        <Effect effect={first} named={false} />
      </div>
    );
  }
  const possible = effects.filter((effect) => effect.possible);
  const not = effects.filter((effect) => !effect.possible);
  return (
    <div class="effects">
      <p>
        Will be done for <b>{count(possible.length, 'target')}</b>
        {not.length > 0 && `; not possible for ${not.length} more`}
      </p>
      <div class="effects-list" tabIndex={0} role="region" aria-label="What it would do">
        {[...not, ...possible].slice(0, SHOWN).map((effect) => (
          <Effect key={targetName(effect)} effect={effect} named />
        ))}
        {effects.length > SHOWN && <p class="quiet">and {effects.length - SHOWN} more</p>}
      </div>
    </div>
  );
}

function Effect({ effect, named }: { effect: ActionEffect; named: boolean }) {
  return (
    <p class="effect">
      <Glyph
        shape={effect.possible ? 'play' : 'cross'}
        tone={effect.possible ? 'active' : 'warn'}
      />
      <span>
        {named && <b>{targetName(effect)}: </b>}
        {!effect.possible && <b>not possible: </b>}
        {effect.effect}
      </span>
    </p>
  );
}

function Keep({ keep, onChange }: { keep: boolean; onChange: (keep: boolean) => void }) {
  return (
    <label class="field keep">
      <input
        type="checkbox"
        checked={keep}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      Keep the present products until the new ones are there (needs twice the disk space)
    </label>
  );
}

const CHOICES = [
  { hours: 1, word: '1 hour' },
  { hours: 4, word: '4 hours' },
  { hours: 8, word: '8 hours' },
  { hours: 24, word: '1 day' },
  { hours: 168, word: '7 days' },
  { hours: 0, word: 'does not end by itself' },
] as const;

function Hours({ usual }: { usual: number }) {
  return (
    <label class="field">
      Ends after
      <select name="hours">
        {CHOICES.map(({ hours, word }) => (
          <option key={hours} value={hours} selected={hours === usual}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}
