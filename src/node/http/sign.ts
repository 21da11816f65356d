/**
 * The node's signature on a reply (resolver.md §7.4, step 7). A signature takes milliseconds, so the last ones are
 * kept with what they were written as: a reply with the same content, hashpath and codec is the same reply.
 */
import { hashpathOf } from '../../commitment/hashpath.ts';
import { commitmentDevice } from '../../commitment/devices.ts';
import type { HttpForm } from '../../commitment/http.ts';
import { contentId } from '../../commitment/id.ts';
import { committers } from '../../commitment/select.ts';
import type { Message } from '../../message/message.ts';
import type { Link } from '../../message/value.ts';
import type { NodeContext } from '../../resolver/node-context.ts';

/** Signed replies that are kept for each node, and the largest that are kept as they are written, in bytes. */
const KEPT = 512;
const MAX_FORM = 65_536;

interface Kept {
  readonly signed: Promise<Message>;
  /** As fields and body: nested messages whole, or by their IDs. */
  readonly forms: Map<boolean, HttpForm>;
}

/** Private key of a reply: its entry among those that are kept. */
const ENTRY = 'kept-reply';

/** The reply committed by the node, unless somebody signed it already. */
export async function signReply(reply: Message, codec: string, context: NodeContext): Promise<Message> {
  if (committers(reply).length > 0) return reply;
  if (reply.has('commitments')) return commit(reply, codec, context);
  const kept = context.memory('signed-replies', () => new Map<string, Kept>());
  const hashpath = reply.private.hashpath === undefined ? '' : hashpathOf(reply);
  const name = `${codec} ${contentId(reply)} ${hashpath}`;
  let entry = kept.get(name);
  if (entry) kept.delete(name);
  else {
    entry = { signed: commit(reply, codec, context), forms: new Map() };
    entry.signed.catch(() => kept.delete(name));
  }
  kept.set(name, entry);
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
  const signed = await entry.signed;
  // As a data item the message is what the item says it is; it holds nothing that is linked.
  if (codec === 'ans104@1.0') return signed.withPrivate({ [ENTRY]: entry });
  // An equal reply may hold whole what the kept one holds as a link: it gets the signature, not the content.
  return reply.with({ commitments: signed.get('commitments')! }).withPrivate({ [ENTRY]: entry });
}

/** A reply that was signed here in its written form, made once for all equal replies. */
export async function writtenForm(
  reply: Message,
  bundle: boolean,
  write: () => Promise<HttpForm>,
): Promise<HttpForm> {
  const entry = reply.private[ENTRY] as Kept | undefined;
  const known = entry?.forms.get(bundle);
  if (known) return known;
  const form = await write();
  if ((form.body?.length ?? 0) <= MAX_FORM) entry?.forms.set(bundle, form);
  return form;
}

async function commit(reply: Message, codec: string, context: NodeContext): Promise<Message> {
  const device = commitmentDevice(codec) ?? commitmentDevice('httpsig@1.0')!;
  const load = (link: Link) => context.cache.load(link);
  return device.commit(reply, {}, { signer: context.identity, load });
}
