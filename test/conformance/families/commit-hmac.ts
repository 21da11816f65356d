/** `commit-hmac`: messages that the reference committed with an HMAC; committing them anew gives the same bytes. */
import { defineFamily, type Json } from '../family.ts';
import { expectValue } from '../value.ts';
import { checkCommitCase, type CommitCase, linkId } from './support/commit-case.ts';

export default defineFamily<CommitCase>({
  family: 'commit-hmac',
  async run({ data }) {
    const anew = await checkCommitCase(data);
    const { commitments } = data.committed as Record<string, Json>;
    await expectValue(commitments!, anew.get('commitments'), { where: 'commitments anew' });
    await expectValue(data.committed, anew, { where: 'anew', id: linkId });
  },
});
