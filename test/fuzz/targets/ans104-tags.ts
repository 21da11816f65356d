/** The tags of a data item: the Avro block alone. */
import { equalBytes, toBytes } from '../../../src/base/bytes.ts';
import { readTags, writeTags } from '../../../src/codec/ans104-tags.ts';
import { joinTags } from '../../../src/codec/ans104-values.ts';
import { few } from '../seeds.ts';
import { Broken, defineTarget } from '../target.ts';

const tags = (...pairs: [string, string | Uint8Array][]) =>
  writeTags(pairs.map(([name, value]) => ({ name, value })));

export default defineTarget({
  seeds: () =>
    few([
      tags(['a', '1']),
      tags(['Action', 'Eval'], ['x', '']),
      tags(['A', '1'], ['a', '2'], ['ao-types', 'a="integer", %41="atom"']),
      tags(['long', 'v'.repeat(300)], ['bytes', Uint8Array.of(0xff, 0)]),
      tags(...Array.from({ length: 130 }, (_, index): [string, string] => [`k${index}`, 'v'])),
      // A block with a negative count and its size, then another.
      Uint8Array.of(1, 8, 2, 97, 2, 49, 2, 2, 98, 2, 50, 0),
      toBytes('\x02\x02a\x02b\x00'),
    ]),
  run(input) {
    const { tags: found, canonical } = readTags(input);
    if (canonical && input.length > 1 && !equalBytes(writeTags(found), input))
      throw new Broken('Canonical tags have other bytes than those that they were read from.');
    joinTags(found);
  },
});
