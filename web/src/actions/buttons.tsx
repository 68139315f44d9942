import type { ActionTarget } from '../../../src/readmodel/action-api.ts';
import {
  actionRow,
  actionSentence,
  type ActionKind,
} from '../../../src/features/actions/action-table.pure.ts';
import { useMayAct } from '../session.ts';
import { ask } from './asking.ts';

/** An action that may be offered. */
export interface Offer {
  kind: ActionKind;
  /** False: in its place, but it makes no sense now. */
  fits: boolean;
  /** The one to press if in doubt. */
  advised?: boolean;
}

interface ActionButtonsProps {
  offers: readonly Offer[];
  targets: readonly ActionTarget[];
  /** For those who do not see what it stands beside. */
  about: string;
  onSent?: () => void;
}

/** Buttons of actions, always in the same places; nothing for those who may only look. */
export function ActionButtons({ offers, targets, about, onSent }: ActionButtonsProps) {
  const mayAct = useMayAct();
  if (!mayAct || offers.length === 0) return null;
  return (
    <div class="actions" role="group" aria-label={`Actions on ${about}`}>
      {offers.map(({ kind, fits, advised }) => (
        <button
          type="button"
          key={kind}
          class={`action ${advised ? 'advised' : ''} ${actionRow(kind).isDangerous ? 'danger' : ''}`}
          title={actionSentence(kind)}
          disabled={!fits || targets.length === 0}
          onClick={() => ask({ kind, targets, ...(onSent === undefined ? {} : { onSent }) })}
        >
          {actionRow(kind).button}
        </button>
      ))}
    </div>
  );
}
