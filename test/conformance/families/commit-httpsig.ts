/** `commit-httpsig`: messages that the reference signed with `httpsig@1.0`; each is signed anew with a key of ours. */
import { committed, SIGNED } from '../../../src/commitment/select.ts';
import { checkJson, defineFamily } from '../family.ts';
import { fromValue } from '../value.ts';
import { checkCommitCase, type CommitCase } from './support/commit-case.ts';

export default defineFamily<CommitCase>({
  family: 'commit-httpsig',
  async run({ data }) {
    const anew = await checkCommitCase(data);
    checkJson(data['committed-keys'], fromValue(committed(anew, SIGNED)), 'committed-keys anew');
  },
});
