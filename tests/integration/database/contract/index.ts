import { describe } from 'vitest';

import { actionsContract } from './actions.ts';
import { claimContract } from './claim.ts';
import { collectionsContract } from './collections.ts';
import { debtsContract } from './debts.ts';
import { deletionsContract } from './deletions.ts';
import { fenceContract } from './fence.ts';
import type { Open } from './opened.ts';
import { recoveryContract } from './recovery.ts';
import { semanticsContract } from './semantics.ts';
import { watchContract } from './watch.ts';

/** What every store has to do, whatever carries out its calls. */
export function storeContract(open: Open): void {
  describe('claim', () => claimContract(open));
  describe('fence', () => fenceContract(open));
  describe('collections', () => collectionsContract(open));
  describe('debts', () => debtsContract(open));
  describe('deletions', () => deletionsContract(open));
  describe('recovery', () => recoveryContract(open));
  describe('semantics', () => semanticsContract(open));
  describe('actions', () => actionsContract(open));
  describe('watch', () => watchContract(open));
}
