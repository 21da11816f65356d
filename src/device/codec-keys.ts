/** What every codec device answers: `to` and `from` of a value, and the commitments of `httpsig@1.0`. */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Atom, type Binary, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { KeyFunction } from '../resolver/device.ts';
import { commitMessage, verifyMessage } from './commit.ts';
import { readKey } from './values.ts';

export interface CodecFunctions {
  encode(value: Value, request: Message, context: Context): Promise<Value>;
  decode(encoded: Binary | Message): Value | Promise<Value>;
}

/** What is converted: the request's body, else the base. */
async function subject(base: Message, request: Message, context: Context): Promise<Value> {
  return (await readKey(request, 'body', context)) ?? (await readKey(base, 'body', context)) ?? base;
}

export function codecKeys({ encode, decode }: CodecFunctions): Record<string, KeyFunction> {
  return {
    to: async (base, request, context) => encode(await subject(base, request, context), request, context),
    from: async (base, request, context) => {
      const encoded = await subject(base, request, context);
      if (!isBinary(encoded) && !(encoded instanceof Message))
        throw new AoError('bad-value', 'Only a binary or a message can be decoded.');
      return decode(encoded);
    },
    commit: (base, request, context) => commitMessage(base, request.without('commitments'), context),
    verify: async (base, request, context) =>
      Atom.boolean(await verifyMessage(base, request.without('commitments'), context)),
  };
}
