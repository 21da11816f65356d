/** `tamper`: a committed message with one character too many does not verify; without that character it does. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { EVERY, SIGNED } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { binaryBytes, isBinary } from '../../../src/message/value.ts';
import { check, defineFamily, type Json, Mismatch } from '../family.ts';
import { toMessage } from '../value.ts';
import { checkDevice, checkValid } from './support/committed.ts';
import { loader } from './support/links.ts';

interface TamperCase {
  readonly device: Json;
  readonly committed: Json;
  readonly 'tampered-key': string;
  readonly verify: boolean;
}

export default defineFamily<TamperCase>({
  family: 'tamper',
  async run({ data }) {
    const key = data['tampered-key'];
    const tampered = toMessage(data.committed);
    checkDevice(tampered, data.device);
    const load = loader(tampered);
    const value = tampered.get(key);
    const text = isBinary(value) ? fromBytes(binaryBytes(value)) : undefined;
    if (!text?.endsWith('!')) throw new Mismatch('a value that ends with !', value, key);
    const verdict = await verifyMessage(tampered, SIGNED, { load });
    check(data.verify, verdict, 'as it stands');
    check(false, verdict, 'as it stands');
    check(false, await verifyMessage(tampered, EVERY, { load }), 'every commitment');
    const restored = tampered.with([[key, text.slice(0, -1)]]);
    await checkValid(restored, load, 'restored');
  },
});
