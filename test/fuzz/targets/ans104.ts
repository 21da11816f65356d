/** Octets → data item, and the bundle in it. */
import { parseBundle, readBundleMap } from '../../../src/codec/ans104-bundle.ts';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { attemptAll } from '../attempt.ts';
import { decode64, few, valuesOf } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  seeds: () => few(decode64(valuesOf('bytes', 'ans104-items', 'codec')), 200),
  run(input) {
    attemptAll(
      () => parseBundle(input),
      () => {
        const item = DataItem.parse(input);
        readBundleMap(parseBundle(item.data), '');
      },
    );
  },
});
