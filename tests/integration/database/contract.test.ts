import { storeContract } from './contract/index.ts';
import { onEachServer, testStore } from './server.ts';

onEachServer('store', ({ url }) => storeContract(() => testStore(url())));
