/** `hashpath`: results, IDs and hashpaths of every step of a resolution (vectors README, resolver.md §5). */
import {
  appendHashpath,
  hashpath,
  hashpathOf,
  type HashpathAlgorithm,
} from '../../../src/commitment/hashpath.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, isBinary, type Value } from '../../../src/message/value.ts';
import { numbered } from '../../../src/resolver/force-message.ts';
import { check, defineFamily, type Json } from '../family.ts';
import { testNode } from '../node.ts';
import { expectValue, toMessage } from '../value.ts';

interface Step {
  request: Json;
  'request-id': string;
  'hashpath-of-pair': string;
  status: string;
  result: Json;
  'result-hashpath': string | null;
  'result-id': string | null;
  'hashpath-of-result': string | null;
}

interface HashpathCase {
  algorithm: HashpathAlgorithm;
  base?: Json;
  'base-id'?: string;
  'base-unsigned-id'?: string;
  'base-hashpath'?: string;
  steps?: Step[];
  ids?: string[];
  hashpaths?: string[];
}

export default defineFamily<HashpathCase>({
  family: 'hashpath',
  async run({ data }) {
    if (data.ids) checkChain(data.ids, data.hashpaths ?? [], data.algorithm);
    if (data.base !== undefined) await checkSteps(data, data.base);
  },
});

/** A chain of references alone, without a resolver. */
function checkChain(
  ids: readonly string[],
  hashpaths: readonly string[],
  algorithm: HashpathAlgorithm,
): void {
  let path = ids[0]!;
  for (const [index, expected] of hashpaths.entries()) {
    path = appendHashpath(path, ids[index + 1]!, algorithm);
    check(expected, path, `hashpaths/${index}`);
  }
  check(ids.length - 1, hashpaths.length, 'hashpaths');
}

async function checkSteps(data: HashpathCase, json: Json): Promise<void> {
  const context = await testNode();
  let base: Value = toMessage(json);
  check(data['base-id'], messageId(base, 'signed'), 'base-id');
  check(data['base-unsigned-id'], messageId(base), 'base-unsigned-id');
  check(data['base-hashpath'], hashpathOf(base), 'base-hashpath');
  for (const [index, step] of (data.steps ?? []).entries()) {
    const at = `steps/${index}`;
    const request = toMessage(step.request);
    check(step['request-id'], messageId(request, 'signed'), `${at}/request-id`);
    if (base instanceof Message)
      check(step['hashpath-of-pair'], hashpath(base, request), `${at}/hashpath-of-pair`);
    const { status, value } = await context.resolve(base, request);
    check(step.status, status, `${at}/status`);
    const id = (one: Value) => messageId(one, 'signed');
    // Recorded results are shown without commitments; their IDs say whether there are any.
    const ignore = (path: readonly string[]) => path.includes('commitments');
    await expectValue(step.result, value, { id, ignore, where: `${at}/result` });
    const linked = value instanceof Message ? (value.private.hashpath ?? null) : null;
    check(step['result-hashpath'], linked, `${at}/result-hashpath`);
    if (step['result-id'] !== null)
      check(step['result-id'], messageId(withoutPrivate(value), 'signed'), `${at}/result-id`);
    if (step['hashpath-of-result'] !== null)
      check(step['hashpath-of-result'], pathOf(value), `${at}/hashpath-of-result`);
    base = value;
  }
}

function withoutPrivate(value: Value): Value {
  return value instanceof Message ? value.withoutPrivate() : value;
}

function pathOf(value: Value): string | null {
  if (Array.isArray(value)) return messageId(numbered(value as readonly Value[]), 'every');
  return value instanceof Atom && !isBinary(value) ? null : hashpathOf(value);
}
