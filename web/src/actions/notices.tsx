import type { ActionView } from '../../../src/readmodel/action-api.ts';
import { ActionSign } from './sign.tsx';
import { type Batch, dismiss, useBatches } from './under-way.ts';
import { buttonOf, targetName, targetNames } from './words.ts';

/** The states of the actions just requested; in a corner, so that nothing on the page moves. */
export function Notices() {
  const batches = useBatches();
  return (
    <div class="notices" role="status" aria-label="Actions under way">
      {batches.map((batch) => (
        <Notice key={batch.id} batch={batch} />
      ))}
    </div>
  );
}

const STATES = ['refused', 'requested', 'seen', 'done'] as const;

function Notice({ batch }: { batch: Batch }) {
  const { id, actions } = batch;
  const [first] = actions;
  if (first === undefined) return null;
  const refused = actions.filter(({ state }) => state === 'refused');
  return (
    <section class="notice">
      <header>
        <b>
          {buttonOf(first.kind)}: {targetNames(actions)}
        </b>
        <button
          type="button"
          class="quiet-button"
          aria-label={`Close the notice of ${buttonOf(first.kind)}`}
          onClick={() => dismiss(id)}
        >
          ×
        </button>
      </header>
      <p class="notice-states">
        {STATES.map((state) => {
          const number = actions.filter((action) => action.state === state).length;
          if (number === 0) return null;
          return (
            <span key={state}>
              {actions.length > 1 && `${number} `}
              <ActionSign state={state} />
            </span>
          );
        })}
      </p>
      {actions.length === 1 ? (
        <p class="quiet">{saidOf(first)}</p>
      ) : (
        refused.slice(0, 5).map((action) => (
          <p key={action.id} class="quiet">
            {targetName(action)}: {saidOf(action)}
          </p>
        ))
      )}
    </section>
  );
}

/** The progress of one action, in a sentence. */
export function saidOf({ message, seenBy, state }: ActionView): string {
  if (message !== null) return message;
  if (seenBy !== null) return `seen by ${seenBy.host}`;
  return state === 'requested' ? 'no host has answered yet' : '';
}
