/** Blobs around an attestation report: certificate tables and firmware images. */
import { fromHex, toBytes } from '../../../src/base/bytes.ts';
import { parseCertificateTable } from '../../../src/attestation/certificate-table.ts';
import { guidBytes, parseOvmf } from '../../../src/attestation/ovmf.ts';
import { attemptAll } from '../attempt.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

const VCEK = '63da758d-e664-4564-adc5-f4b93be8accd';

function table(): Uint8Array {
  const out = new Uint8Array(96);
  const view = new DataView(out.buffer);
  out.set(fromHex(VCEK.replaceAll('-', '')));
  view.setUint32(16, 48, true);
  view.setUint32(20, 16, true);
  return out;
}

/** The end of an image: metadata, then a footer with three entries, then 32 octets. */
function image(): Uint8Array {
  const sections = new Uint8Array(16 + 24);
  const head = new DataView(sections.buffer);
  [0x56455341, 40, 1, 2, 0x800000, 0x9000, 1, 0x80a000, 0x3000, 2].forEach((value, index) =>
    head.setUint32(4 * index, value, true),
  );
  const entry = (guid: string, data: number[]) => {
    const out = new Uint8Array(4 * data.length + 18);
    const view = new DataView(out.buffer);
    data.forEach((value, index) => view.setUint32(4 * index, value, true));
    view.setUint16(4 * data.length, out.length, true);
    out.set(guidBytes(guid), 4 * data.length + 2);
    return out;
  };
  const entries = [
    entry('7255371f-3a3b-4b04-927b-1da6efa8d454', [0x80d000, 0x1000]),
    entry('00f771de-1a7e-4fcb-890e-68c77e2fb44e', [0x80b004]),
    entry('dc886566-984a-4798-a75e-5585a7bf67cc', [0]),
  ];
  const body = entries.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(sections.length + body + 18 + 32);
  out.set(sections);
  let at = sections.length;
  for (const part of entries) {
    out.set(part, at);
    at += part.length;
  }
  const view = new DataView(out.buffer);
  view.setUint32(at - 22, out.length, true);
  view.setUint16(at, body + 18, true);
  out.set(guidBytes('96b582de-1fb2-45f7-baea-a366c55a082d'), at + 2);
  return out;
}

export default defineTarget({
  seeds: () => few([table(), image(), toBytes('')]),
  run(input) {
    attemptAll(
      () => parseCertificateTable(input),
      () => parseOvmf(input),
    );
  },
});
