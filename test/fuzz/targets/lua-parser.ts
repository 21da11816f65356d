/** Octets → the tree of a Lua chunk. */
import { bytesToLatin1 } from '../../../src/base/bytes.ts';
import { LuaCrash, LuaSyntaxError } from '../../../src/engine/lua/errors.ts';
import { parse } from '../../../src/engine/lua/parser.ts';
import { few, isText, valuesOf } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  seeds: () => few(valuesOf('lua', 'lua').filter(isText), 400),
  words: ['function ', 'end ', 'local ', 'return ', '{', '(', '[[', ']]', '..', '::', '0x', '\\z', '--[==['],
  run(input) {
    try {
      parse(bytesToLatin1(input));
    } catch (thrown) {
      if (!(thrown instanceof LuaSyntaxError || thrown instanceof LuaCrash)) throw thrown;
    }
  },
});
