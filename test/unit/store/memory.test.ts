import { MemoryStore } from '../../../src/store/memory.ts';
import { storeContract } from '../../setup/store-contract.ts';

storeContract('memory', async () => new MemoryStore());
