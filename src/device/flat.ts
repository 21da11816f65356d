/** `flat@1.0` (messages.md §9.1): messages as lines of paths and values. */
import { decodeFlat, encodeFlat, flatToText, textToFlat } from '../codec/flat.ts';
import { decodeStructured } from '../codec/structured.ts';
import { toTabm } from '../commitment/http.ts';
import { Message } from '../message/message.ts';
import { isBinary, type Link } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { codecKeys } from './codec-keys.ts';
import { readKey, textOf } from './values.ts';

const serialize: KeyFunction = async (base, request, context) => {
  const load = (link: Link) => context.cache.load(link);
  const tabm = await toTabm(base.without('commitments'), { bundle: isTrue(request.get('bundle')), load });
  return Message.from([['body', flatToText(tabm)]]);
};

const deserialize: KeyFunction = async (base, request, context) => {
  const target = textOf(await readKey(request, 'target', context)) ?? 'body';
  const text = await readKey(base, target, context);
  if (!isBinary(text)) return error(Message.of({ status: 404n, body: 'There is no text to read.' }));
  return decodeFlat(textToFlat(text));
};

export const flat: Device = {
  name: 'flat@1.0',
  keys: {
    ...codecKeys({
      encode: async (value, request, context) => {
        const load = (link: Link) => context.cache.load(link);
        return encodeFlat(await toTabm(value, { bundle: isTrue(request.get('bundle')), load }));
      },
      decode: (encoded) => decodeStructured(decodeFlat(isBinary(encoded) ? textToFlat(encoded) : encoded)),
    }),
    serialize,
    deserialize,
  },
};
