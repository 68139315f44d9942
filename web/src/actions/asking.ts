import { useEffect, useState } from 'preact/hooks';

import type { ActionKind } from '../../../src/features/actions/action-table.pure.ts';
import type { ActionTarget } from '../../../src/readmodel/action-api.ts';

/** An action that waits for its reason. */
export interface Asked {
  kind: ActionKind;
  targets: readonly ActionTarget[];
  /** Called once it has been requested. */
  onSent?: () => void;
}

let asked: Asked | null = null;
const listeners = new Set<() => void>();

function set(next: Asked | null): void {
  asked = next;
  for (const listener of listeners) listener();
}

/** Opens the dialog of an action. */
export function ask(next: Asked): void {
  set(next);
}

export function stopAsking(): void {
  set(null);
}

/** The action in the dialog; null: the dialog is closed. */
export function useAsked(): Asked | null {
  const [now, setNow] = useState(asked);
  useEffect(() => {
    const listener = () => setNow(asked);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return now;
}
