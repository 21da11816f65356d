/** `ans104@1.0` (messages.md §8): messages as signed data items of Arweave, and back. */
import { AoError } from '../base/errors.ts';
import { ans104Bytes, decodeAns104 } from '../codec/ans104.ts';
import { decodeStructured } from '../codec/structured.ts';
import { toTabm } from '../commitment/http.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, type Link, type Value } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction } from '../resolver/device.ts';
import { codecKeys } from './codec-keys.ts';
import { commitMessage } from './commit.ts';
import { readKey } from './values.ts';

async function encode(value: Value, request: Message, context: Context): Promise<Value> {
  const load = (link: Link) => context.cache.load(link);
  return ans104Bytes(await toTabm(value, { bundle: isTrue(request.get('bundle')), load }));
}

function decode(encoded: Value): Value {
  if (!isBinary(encoded)) throw new AoError('bad-item', 'A data item is a binary.');
  return decodeStructured(decodeAns104(binaryBytes(encoded)));
}

const serialize: KeyFunction = async (base, request, context) =>
  Message.from([
    ['content-type', 'application/ans104'],
    ['body', await encode(base, request, context)],
  ]);

export const ans104: Device = {
  name: 'ans104@1.0',
  keys: {
    ...codecKeys({ encode, decode }),
    serialize,
    deserialize: async (base, _request, context) => decode((await readKey(base, 'body', context)) ?? ''),
    'content-type': () => 'application/ans104',
    commit: (base, request, context) =>
      commitMessage(
        base,
        request.without('commitments').with({ 'commitment-device': 'ans104@1.0' }),
        context,
      ),
  },
};
