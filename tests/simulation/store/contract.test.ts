import { describe } from 'vitest';

import { storeContract } from '../../integration/database/contract/index.ts';
import { createDatabase, openStore } from './index.ts';

describe('store in memory', () => {
  storeContract(() => {
    // Each look at the clock is later than the one before, as on a server it nearly always is.
    let now = Date.now();
    const database = createDatabase(() => ++now);
    return Promise.resolve({
      // Opened anew for each test, so that each shows what it needs of it.
      get store() {
        return openStore(database);
      },
      runs: database.runs,
      outside: (name) => database.collection(name),
      close: () => Promise.resolve(),
    });
  });
});
