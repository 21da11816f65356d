/**
 * `tally@1.0`, the example of docs/writing-a-device.md: counts votes. Its state is the message itself, so every
 * result can be stored, linked, signed and checked like any other.
 */
import type { DeviceModule, KeyFunction } from '../../../src/node/device-module.ts';

const tally: DeviceModule = ({ Message, error, ok }) => {
  /** `Tally(vote {for}) -> Tally`: one more vote. */
  const vote: KeyFunction = async (base, request, context) => {
    const choice = request.text('for');
    if (!choice) return error(Message.of({ status: 400n, body: 'A vote needs a choice in `for`.' }));
    const before = await context.get(`votes/${choice}`, base);
    const count = typeof before === 'bigint' ? before : 0n;
    return ok(await context.set(base, { [`votes/${choice}`]: count + 1n }));
  };

  /** `Tally(winner) -> text`: the choice with most votes; of equals the first in the alphabet. */
  const winner: KeyFunction = (base) => {
    const votes = [...(base.message('votes') ?? Message.empty)].filter(
      ([, count]) => typeof count === 'bigint',
    );
    votes.sort(([a, one], [b, other]) =>
      one === other ? (a < b ? -1 : 1) : (one as bigint) > (other as bigint) ? -1 : 1,
    );
    return votes[0]?.[0] ?? error('Nobody has voted.');
  };

  return {
    name: 'tally@1.0',
    // Nothing but base and request decides what comes out, so results may be kept.
    info: { pure: ['vote', 'winner'] },
    keys: { vote, winner },
  };
};

export default tally;
