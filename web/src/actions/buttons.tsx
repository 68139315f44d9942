import {
  type ActionKind,
  actionRow,
  actionSentence,
} from '../../../src/features/actions/action-table.pure.ts';
import type { ActionTarget } from '../../../src/readmodel/action-api.ts';
import { troubleNow, useLive } from '../live.ts';
import { useMayAct } from '../session.ts';
import { ask } from './asking.ts';

/** An action that may be offered. */
export interface Offer {
  kind: ActionKind;
  /** False: the button is shown, and disabled. */
  fits: boolean;
  /** The recommended action. */
  advised?: boolean;
}

interface ActionButtonsProps {
  offers: readonly Offer[];
  targets: readonly ActionTarget[];
  /** What the actions are about, for screen readers. */
  about: string;
  onSent?: () => void;
}

/** Buttons of actions, always in the same order; viewers see none. */
export function ActionButtons({ offers, targets, about, onSent }: ActionButtonsProps) {
  const mayAct = useMayAct();
  useLive();
  // Without its database nothing can be requested, nor seen.
  const rests = troubleNow() !== null;
  if (!mayAct || offers.length === 0) return null;
  return (
    <div class="actions" role="group" aria-label={`Actions on ${about}`}>
      {offers.map(({ kind, fits, advised }) => (
        <button
          type="button"
          key={kind}
          class={`action ${advised ? 'advised' : ''} ${actionRow(kind).isDangerous ? 'danger' : ''}`}
          title={actionSentence(kind)}
          disabled={!fits || targets.length === 0 || rests}
          onClick={() => ask({ kind, targets, ...(onSent === undefined ? {} : { onSent }) })}
        >
          {actionRow(kind).button}
        </button>
      ))}
    </div>
  );
}
