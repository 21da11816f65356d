/**
 * Processes and messages that somebody else signs: a wallet in the page gets what there is to sign as the parts of a
 * data item (ANS-104), and hands back the signed item. It is taken like any item that came over HTTP.
 */
import { AoError } from '../base/errors.ts';
import { encodeAns104 } from '../codec/ans104-encode.ts';
import { toTabm } from '../commitment/http.ts';
import { signedId } from '../device/message-id.ts';
import { textOf } from '../device/values.ts';
import type { Message } from '../message/message.ts';
import { isBinary } from '../message/value.ts';
import type { ItemContent, PreparedSpawn, SpawnOptions } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { decodeItem } from './http/item.ts';
import type { Samples } from './samples.ts';
import { unsignedDefinition } from './spawn.ts';

/**
 * What a new process's definition is made of, its module stored. @throws AoError what `defineProcess` throws
 */
export async function prepareSpawn(
  options: SpawnOptions,
  context: NodeContext,
  samples: Samples,
): Promise<PreparedSpawn> {
  const anchor = crypto.randomUUID();
  const { kind, definition } = await unsignedDefinition(options, context, samples, anchor);
  return { kind, content: await contentOf(definition, context) };
}

/** The parts of the data item that a message becomes, nested messages in it. */
async function contentOf(message: Message, context: NodeContext): Promise<ItemContent> {
  const item = encodeAns104(
    await toTabm(message, { bundle: true, load: (link) => context.cache.load(link) }),
  );
  const tags = item.tags.map(({ name, value }) => {
    if (typeof name !== 'string' || typeof value !== 'string')
      throw new AoError('bad-tag', `The tag ${String(name)} is no text, so no wallet can sign it.`);
    return { name, value };
  });
  return { tags, data: item.data.slice() };
}

/**
 * The process that a signed item defines. @throws AoError `bad-signature`, `bad-item`, `not-a-process` (400),
 * `scheduled-elsewhere` (421)
 */
export async function takeDefinition(
  item: Uint8Array,
  context: NodeContext,
): Promise<{ definition: Message; id: string }> {
  const { message } = await decodeItem(item);
  if (textOf(message.get('type')) !== 'Process')
    throw new AoError('not-a-process', 'The signed item does not define a process.');
  if (textOf(message.get('scheduler')) !== context.identity.address)
    throw new AoError('scheduled-elsewhere', 'The signed item names another scheduler than this node.', {
      status: 421,
    });
  await context.cache.write(message);
  return { definition: message, id: await signedId(message, context) };
}

/** A signed item as a message to this process. @throws AoError `bad-signature`, `bad-item`, `wrong-target` (400) */
export async function takeMessage(
  process: string,
  item: Uint8Array,
  context: NodeContext,
): Promise<{ body: Message; id: string }> {
  const { message } = await decodeItem(item);
  const target = message.get('target');
  if (!isBinary(target) || textOf(target) !== process)
    throw new AoError('wrong-target', `The signed item is not for the process ${process}.`);
  return { body: message, id: await signedId(message, context) };
}
