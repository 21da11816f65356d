/** Large bodies through the Service Worker: in, out, and not at all. */
import { createHash } from 'node:crypto';
import { toBase64 } from '../../src/base/bytes.ts';
import { createItem, rsaSigner } from '../../src/commitment/ans104-sign.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { controlled, expect, openApp, test } from './app.ts';

const SIZE = 50 * 1024 * 1024;

/** Octets that are no text and repeat nowhere near; the page makes the same ones. */
function octets(size: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(size / 4);
  for (let at = 0, state = 1; at < words.length; at++)
    words[at] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return new Uint8Array(words.buffer);
}

test('a value of 50 MB is written by POST and read back as it was', async ({ page }) => {
  test.setTimeout(180_000);
  const data = octets(SIZE);
  const sha256 = createHash('sha256').update(data).digest('hex');
  const item = await createItem({ data }, rsaSigner(await RsaWallet.generate()));
  const bytes = item.toBytes();
  const head = toBase64(bytes.subarray(0, bytes.length - SIZE));
  await openApp(page);
  await controlled(page);
  const found = await page.evaluate(
    async ({ source, size, start, id }) => {
      const make = new Function(`return ${source}`)() as typeof octets;
      const body = new Blob([Uint8Array.from(atob(start), (char) => char.charCodeAt(0)), make(size)]);
      const written = await fetch('/~message@1.0&written=yes/written', {
        method: 'POST',
        headers: { 'codec-device': 'ans104@1.0', 'content-type': 'application/ans104' },
        body,
      });
      const read = await fetch(`/${id}/data`, { headers: { 'accept-bundle': 'true' } });
      let pieces = 0;
      let length = 0;
      const parts: Uint8Array<ArrayBuffer>[] = [];
      const reader = read.body!.getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        pieces++;
        length += piece.value.length;
        parts.push(piece.value);
      }
      const hash = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
      return {
        status: [written.status, read.status],
        written: await written.text(),
        length,
        pieces,
        sha256: [...new Uint8Array(hash)].map((octet) => octet.toString(16).padStart(2, '0')).join(''),
      };
    },
    { source: octets.toString(), size: SIZE, start: head, id: item.idText },
  );
  expect(found).toMatchObject({ status: [200, 200], length: SIZE, sha256 });
  expect(found.pieces).toBeGreaterThan(10);
});

test('a body that is too large is refused while it is being sent', async ({ page }) => {
  await openApp(page);
  await controlled(page);
  const found = await page.evaluate(async () => {
    const piece = new Uint8Array(1024 * 1024).fill(1);
    let sent = 0;
    let stopped = false;
    // It never ends by itself.
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve));
        sent += piece.length;
        controller.enqueue(piece.slice());
      },
      cancel() {
        stopped = true;
      },
    });
    const init = { method: 'POST', body: endless, duplex: 'half' } as RequestInit;
    const response = await fetch('/~message@1.0/body', init);
    const answer = (await response.json()) as { code: string };
    const end = Date.now() + 10_000;
    while (!stopped && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    const next = await fetch('/~meta@1.0/info/address');
    return { status: response.status, code: answer.code, sent, stopped, next: next.status };
  });
  expect(found).toMatchObject({ status: 413, code: 'body-too-large', stopped: true, next: 200 });
  expect(found.sent).toBeGreaterThan(64 * 1024 * 1024);
  expect(found.sent).toBeLessThan(96 * 1024 * 1024);
});
