/**
 * The node's signature on a reply (resolver.md §7.4, step 7). A signature takes milliseconds, so the last ones are
 * kept: a reply with the same content, hashpath and codec is the same reply.
 */
import { hashpathOf } from '../../commitment/hashpath.ts';
import { commitmentDevice } from '../../commitment/devices.ts';
import { contentId } from '../../commitment/id.ts';
import { committers } from '../../commitment/select.ts';
import type { Message } from '../../message/message.ts';
import type { Link } from '../../message/value.ts';
import type { NodeContext } from '../../resolver/node-context.ts';

/** Signed replies that are kept for each node. */
const KEPT = 512;

/** The reply committed by the node, unless somebody signed it already. */
export async function signReply(reply: Message, codec: string, context: NodeContext): Promise<Message> {
  if (committers(reply).length > 0) return reply;
  if (reply.has('commitments')) return commit(reply, codec, context);
  const kept = context.memory('signed-replies', () => new Map<string, Promise<Message>>());
  const name = `${codec} ${contentId(reply)} ${reply.private.hashpath === undefined ? '' : hashpathOf(reply)}`;
  const known = kept.get(name);
  if (known) {
    kept.delete(name);
    kept.set(name, known);
    return sameAnswer(reply, await known);
  }
  const signing = commit(reply, codec, context);
  kept.set(name, signing);
  signing.catch(() => kept.delete(name));
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
  return signing;
}

/** The signature of an equal reply on this one, which may hold whole what that one holds as a link. */
function sameAnswer(reply: Message, signed: Message): Message {
  const commitments = signed.get('commitments');
  return commitments === undefined ? signed : reply.with({ commitments });
}

async function commit(reply: Message, codec: string, context: NodeContext): Promise<Message> {
  const device = commitmentDevice(codec) ?? commitmentDevice('httpsig@1.0')!;
  const load = (link: Link) => context.cache.load(link);
  return device.commit(reply, {}, { signer: context.identity, load });
}
