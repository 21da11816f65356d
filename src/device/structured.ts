/** `structured@1.0` (messages.md §2): typed values as the type-annotated form that codecs share, and back. */
import { decodeStructured } from '../codec/structured.ts';
import { toTabm } from '../commitment/http.ts';
import type { Link } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import type { Device } from '../resolver/device.ts';
import { codecKeys } from './codec-keys.ts';

export const structured: Device = {
  name: 'structured@1.0',
  keys: codecKeys({
    encode: (value, request, context) => {
      const load = (link: Link) => context.cache.load(link);
      return toTabm(value, { bundle: isTrue(request.get('bundle')), load });
    },
    decode: decodeStructured,
  }),
};
