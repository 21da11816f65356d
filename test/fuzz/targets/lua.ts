/** Octets → a Lua chunk, compiled and run for a short while; what it leaves is saved and restored. */
import { LuaMachine } from '../../../src/engine/lua/machine.ts';
import { few, isText, valuesOf } from '../seeds.ts';
import { Broken, defineTarget } from '../target.ts';

const limits = { compute: 50_000, memory: 16 << 20 };

export default defineTarget({
  seeds: () => few(valuesOf('lua', 'lua').filter(isText), 400),
  words: [
    'function ',
    'end ',
    'local ',
    'return ',
    '{',
    '}',
    '[[',
    ']]',
    '..',
    '::',
    '0x',
    '1e308',
    '2^53',
    '%b()',
    '\\z',
  ],
  async run(input) {
    const machine = await LuaMachine.start({ modules: [], limits });
    const outcome = await machine.run('fuzz', input);
    if (!outcome.ok) {
      if (outcome.text.startsWith('The evaluator failed')) throw new Broken(outcome.text);
      return;
    }
    const image = await machine.save();
    await LuaMachine.start({ modules: [], image: structuredClone(image) });
  },
});
