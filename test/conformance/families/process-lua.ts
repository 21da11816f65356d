/** `process-lua`: Lua processes, slot by slot (vectors README). */
import { defineFamily } from '../family.ts';
import { runProcessCase, type ProcessCase } from './support/process-case.ts';

export default defineFamily<ProcessCase>({
  family: 'process-lua',
  async run({ data }, env) {
    await runProcessCase(data, env);
  },
});
