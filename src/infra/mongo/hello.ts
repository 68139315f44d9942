import type { Document } from 'mongodb';

import { toStoreError } from './store-error.ts';

/** What a server says of itself. Those before 4.4.2, and some of other makes, know `isMaster` only. */
export async function hello(ask: (command: Document) => Promise<Document>): Promise<Document> {
  try {
    return await ask({ hello: 1 });
  } catch (error) {
    if (toStoreError(error, 'hello', 'this').kind !== 'unsupported') throw error;
    return ask({ isMaster: 1 });
  }
}
