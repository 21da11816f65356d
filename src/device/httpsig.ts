/** `httpsig@1.0` (messages.md §4 to §6): messages as HTTP fields and a body, and back. */
import { decodeHttp, encodeHttp, formToMessage, messageToForm } from '../commitment/http.ts';
import { Message } from '../message/message.ts';
import { isBinary, type Link } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import type { Device } from '../resolver/device.ts';
import { codecKeys } from './codec-keys.ts';

export const httpsig: Device = {
  name: 'httpsig@1.0',
  keys: codecKeys({
    encode: async (value, request, context) => {
      const load = (link: Link) => context.cache.load(link);
      const onLoss = (key: string) => context.report({ type: 'value-lost', codec: 'httpsig@1.0', key });
      return formToMessage(await encodeHttp(value, { bundle: isTrue(request.get('bundle')), load, onLoss }));
    },
    decode: (encoded) =>
      decodeHttp(messageToForm(isBinary(encoded) ? Message.from([['body', encoded]]) : encoded)),
  }),
};
