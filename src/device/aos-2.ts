/** Messages in the form that legacynet's programs know, for `accept: application/aos-2` (resolver.md §9.1). */
import { writeJson } from '../codec/json-text.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { messageStruct } from './json-struct.ts';
import { textOf } from './values.ts';

const AOS_2 = 'application/aos-2';

export function wantsAos2(request: Message): boolean {
  return textOf(request.get('accept')) === AOS_2;
}

export async function asAos2(value: Value, context: Context): Promise<Value> {
  if (!(value instanceof Message)) return value;
  const struct = await messageStruct(value, context, { signature: true });
  return Message.of({ 'content-type': AOS_2, body: writeJson(struct) });
}
