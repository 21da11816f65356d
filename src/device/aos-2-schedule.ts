/** A schedule as `application/aos-2` (process.md §2.5): the JSON that compute units and old clients read. */
import { writeJson } from '../codec/json-text.ts';
import { Message } from '../message/message.ts';
import { Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { messageStruct } from './json-struct.ts';
import type { StoredAssignment } from './schedule-records.ts';
import type { Block } from './schedules.ts';

export interface About {
  readonly process: string;
  readonly continues: boolean;
  readonly block: Block;
}

/** The text of a page of a schedule. Its structs carry no signatures, so it proves nothing by itself. */
export async function scheduleJson(
  { process, continues, block }: About,
  found: readonly StoredAssignment[],
  context: Context,
): Promise<string> {
  const edges: Message[] = [];
  for (const { slot, assignment } of found) edges.push(await edgeOf(slot, assignment, context));
  return writeJson(
    Message.of({
      page_info: {
        process,
        has_next_page: continues,
        timestamp: block.timestamp.toString(),
        'block-height': block.height.toString(),
        'block-hash': block.hash,
      },
      edges,
    }),
  );
}

export async function edgeOf(slot: number, assignment: Message, context: Context): Promise<Message> {
  let body = assignment.get('body');
  if (body instanceof Link) body = await context.cache.load(body);
  return Message.of({
    cursor: BigInt(slot),
    node: {
      // Tags are shown without the body; the ID is that of the whole, which its commitments name.
      assignment: await messageStruct(assignment.without('body'), context),
      message: await messageStruct(body instanceof Message ? body : Message.empty, context),
    },
  });
}
