/** Octets → data item, the bundle in it, and the message that it is. */
import { equalBytes } from '../../../src/base/bytes.ts';
import { parseBundle, readBundleMap } from '../../../src/codec/ans104-bundle.ts';
import { decodeItem, encodeAns104 } from '../../../src/codec/ans104.ts';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { decodeStructured } from '../../../src/codec/structured.ts';
import { attemptAll } from '../attempt.ts';
import { decode64, few, valuesOf } from '../seeds.ts';
import { Broken, defineTarget } from '../target.ts';

export default defineTarget({
  seeds: () => few(decode64(valuesOf('bytes', 'ans104-items', 'codec')), 200),
  run(input) {
    attemptAll(
      () => parseBundle(input),
      () => {
        const item = DataItem.parse(input);
        readBundleMap(parseBundle(item.data), '');
      },
      () => {
        const item = DataItem.parse(input);
        if (item.canonical && !equalBytes(item.toBytes(), input))
          throw new Broken('A canonical item has other bytes than those that it was read from.');
        const message = decodeItem(item);
        encodeAns104(message).toBytes();
        decodeStructured(message);
      },
    );
  },
});
