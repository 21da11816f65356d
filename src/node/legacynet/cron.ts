/** Processes that ask to be evaluated by the clock (`Cron-Interval`): what this node does not do is said, not left out. */
import { AoError } from '../../base/errors.ts';
import type { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import { messageJson } from './items.ts';

/** @throws AoError `no-cron` (501) */
export async function refuseCron(definition: Message, context: Context): Promise<void> {
  const { tags } = await messageJson(definition, context);
  if (tags.some(({ name }) => name === 'Cron-Interval'))
    throw new AoError(
      'no-cron',
      'This node does not evaluate Cron-Interval; schedule messages with ~cron@1.0 instead.',
      { status: 501 },
    );
}
