/**
 * `commit-ans104`: messages that the reference committed with `ans104@1.0`: IDs, signers and keys agree, the bytes on
 * the wire and the JSON are the same message, and committing it anew covers the same.
 */
import { decodeAns104, encodeAns104 } from '../../../src/codec/ans104.ts';
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { decodeStructuredMessage, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { commitmentDevice } from '../../../src/commitment/devices.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { linkify, type Load, loadLinks } from '../../../src/commitment/link.ts';
import { committed, committers, SIGNED } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { fromBase64, toBase64Url } from '../../../src/base/bytes.ts';
import { Message } from '../../../src/message/message.ts';
import type { Value } from '../../../src/message/value.ts';
import { check, checkBytes, checkJson, checkRefused, defineFamily, Mismatch, type Json } from '../family.ts';
import { expectValue, fromValue, isError, toMessage } from '../value.ts';
import { testWallet } from './support/ans104.ts';
import { loader } from './support/links.ts';

interface CommitCase {
  message: Json;
  device: string;
  committed: Json;
  verify: boolean;
  'wire-verify': boolean;
  'committed-keys': Json;
  signers: Json;
  'id-all': string;
  'id-none': string;
  wire: Json;
  json: Json;
}

const linkId = (value: Value) => messageId(value, 'signed');

export default defineFamily<CommitCase>({
  family: 'commit-ans104',
  async run({ data }) {
    const device = commitmentDevice(data.device);
    if (!device) throw new Mismatch('a known commitment device', data.device);
    const message = toMessage(data.message);
    const load = loader(message);
    const options = { load, signer: await testWallet() };
    if (isError(data.committed)) {
      await checkRefused(() => device.commit(message, {}, options));
      return;
    }
    const signed = toMessage(data.committed);
    checkCommitted(signed, data);
    check(data.verify, await verifyMessage(signed, SIGNED, { load }), 'verify');

    if (data['wire-verify']) await checkWire(data, load);

    if (isError(data.json)) await checkRefused(async () => encodeJson(await loadLinks(signed, load)), 'json');
    else await checkJsonForm(data, load);

    const anew = await device.commit(message, {}, options);
    check(true, await verifyMessage(anew, SIGNED, { load }), 'verify anew');
    check(data['id-none'], messageId(anew, 'unsigned'), 'id-none anew');
    checkJson(fromValue(committed(signed, SIGNED)), fromValue(committed(anew, SIGNED)), 'committed anew');
    const content = fromValue(signed.without('commitments'));
    await expectValue(content, anew.without('commitments'), { where: 'anew', id: linkId });
  },
});

function checkCommitted(signed: Message, data: CommitCase): void {
  check(data['id-all'], messageId(signed, 'signed'), 'id-all');
  check(data['id-none'], messageId(signed, 'unsigned'), 'id-none');
  checkJson(data.signers, fromValue(committers(signed)), 'signers');
  checkJson(data['committed-keys'], fromValue(committed(signed, SIGNED)), 'committed-keys');
}

async function checkJsonForm(data: CommitCase, load: Load): Promise<void> {
  const json = decodeJson(data.json as string);
  if (!(json instanceof Message)) throw new Mismatch('a message', fromValue(json), 'json');
  check(data.verify, await verifyMessage(json, SIGNED, { load }), 'verify json');
  checkCommitted(json, data);
  await expectValue(data.committed, json, { where: 'json', id: linkId });
}

async function checkWire(data: CommitCase, load: Load): Promise<void> {
  const wire = data.wire as { bytes: string; id: string };
  const bytes = fromBase64(wire.bytes);
  const decoded = decodeStructuredMessage(decodeAns104(bytes) as Message);
  check(true, decoded.has('commitments'), 'wire commitments');
  check(true, await verifyMessage(decoded, SIGNED, { load }), 'verify wire');
  check(data['id-all'], messageId(decoded, 'signed'), 'id-all of wire');
  check(wire.id, messageId(decoded, 'signed'), 'wire id');
  await expectValue(data.committed, decoded, { where: 'wire', id: linkId });
  const again = encodeAns104(encodeStructuredMessage(linkify(decoded)));
  check(wire.id, toBase64Url(again.id), 'ID of the item');
  checkBytes(bytes, again.toBytes(), 'wire');
}
