/**
 * `npm run verify` with each of its options, against nodes that these tests serve themselves; and evidence of every kind,
 * checked by the command and by the app.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, fromBase64 } from '../../src/base/bytes.ts';
import { uncommitted } from '../../src/commitment/commitment.ts';
import { contentId } from '../../src/commitment/id.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { Message } from '../../src/message/message.ts';
import type { HttpResponse, Transport } from '../../src/resolver/context.ts';
import { decodeReply } from '../../src/resolver/reply.ts';
import { makeCheckpoint, readCheckpoint } from '../../src/verify/checkpoint.ts';
import { EVIDENCE_KINDS, evidenceText, type Evidence, type EvidenceKind } from '../../src/verify/evidence.ts';
import type { Report } from '../../src/verify/report.ts';
import { verify, type VerifyOptions } from '../../src/verify/verify.ts';
import { LEDGER, SchedulingPeer, httpOf, type Keys } from '../browser/verify/scheduling-peer.ts';
import { enginesHere } from '../conformance/families/support/process-case.ts';
import { testNode } from '../conformance/node.ts';
import { AttestedGuest, PROGRAM } from '../setup/attested-guest.ts';
import { expect, openApp, test } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'beamlet-verify-options-'));
const tsx = join('node_modules', 'tsx', 'dist', 'cli.mjs');
const servers: Server[] = [];
let keys: Keys;
let guest: AttestedGuest;
let peer: SchedulingPeer;
/** The node, one that says the same under a key of its own, and one that says something else. */
let node = '';
let second = '';
let liar = '';

test.beforeAll(async () => {
  test.setTimeout(120_000);
  const [scheduler, author, stranger, made] = await Promise.all([
    RsaWallet.generate(),
    RsaWallet.generate(),
    RsaWallet.generate(),
    AttestedGuest.make(),
  ]);
  keys = { scheduler, author, stranger };
  guest = made;
  peer = await SchedulingPeer.open(keys);
  const bound = concatBytes(fromBase64(scheduler.address), fromBase64(contentId(Message.of({ port: 1n }))));
  const report = Message.of({ report: await guest.report(bound), 'node-message': { port: 1n } });
  peer.instead(/snp@1\.0/, () => peer.reply(report));
  node = await serve(peer);
  second = await serve(said((message) => message));
  liar = await serve(said((message) => (message.has('balances') ? message : message.with({ body: '7' }))));
});

test.afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** What the node computed, said again under the key of somebody else. */
function said(change: (message: Message) => Message): Transport {
  return {
    async request(request) {
      const answer = await peer.request(request);
      if (answer.status !== 200 || !request.target.includes('/compute')) return answer;
      return peer.reply(change(uncommitted(decodeReply(answer))), { by: keys.stranger });
    },
  };
}

async function serve(transport: Transport): Promise<string> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = Object.entries(request.headers).filter(([name]) => /^accept/.test(name)) as [
      string,
      string,
    ][];
    const body = new Uint8Array(0);
    const got = await transport.request({ method: 'GET', target: request.url!, headers, body });
    for (const [name, value] of got.headers) response.setHeader(name, value);
    response.writeHead(got.status).end(got.body);
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function run(command: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [tsx, `src/command/${command}`, ...args]);
  let said = '';
  child.stdout.on('data', (part) => (said += String(part)));
  child.stderr.on('data', (part) => (said += String(part)));
  await once(child, 'close');
  return { code: child.exitCode, said };
}

let runs = 0;

async function verified(path: string, ...args: string[]) {
  const json = join(folder, `${runs++}.json`);
  const { code, said } = await run(
    'verify.ts',
    `${node}/${peer.process}~process@1.0/${path}`,
    ...args,
    '--json',
    json,
  );
  return { code, said, json, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('attests a node, and asks others whether they agree', async () => {
  test.setTimeout(120_000);
  const trust = file('trust.json', JSON.stringify({ programs: [PROGRAM], roots: [guest.trusted] }));
  const vek = file('chain.pem', guest.pem);
  const [attested, differs] = await Promise.all([
    verified('now/count', '--level', 'agreed', '--peer', second, '--trust', trust, '--vek', vek),
    verified('compute&slot=4/count', '--level', 'agreed', '--peer', liar),
  ]);
  expect(attested.said).toContain(`root: ${guest.trusted.name}`);
  expect(attested.report).toMatchObject({
    level: 'agreed',
    reached: ['claimed', 'signed', 'attested', 'agreed'],
  });
  expect(attested.report.facts.attested).toMatchObject({ address: keys.scheduler.address, bound: 'full' });
  expect(attested.report.facts.agreed).toMatchObject({ k: 2, n: 2 });
  expect(attested.code).toBe(0);

  expect(differs.report.level).toBe('contradicted');
  const problem = differs.report.problems.find(({ code }) => code === 'peers-differ');
  expect(problem).toMatchObject({ slot: 4, said: '5', right: '7' });
  expect(readFileSync(`${differs.json}.${problem!.evidence}.evidence.json`, 'utf8')).toContain(
    'disagreement',
  );
  expect(differs.code).toBe(1);
});

test('computes from a checkpoint, with a program that the node does not hand out', async () => {
  test.setTimeout(120_000);
  const context = await testNode({
    identity: keys.author,
    capabilities: { engines: enginesHere, http: peer },
  });
  await verify(peer.url('compute&slot=3'), {}, context);
  const checkpoint = file('checkpoint', await makeCheckpoint(peer.process, context));
  const { id } = await readCheckpoint(readFileSync(checkpoint));
  const trust = file('signers.json', JSON.stringify({ checkpointSigners: [keys.author.address] }));
  const before = peer.answer;
  peer.instead(/^\/[\w-]{43}$/, () => Promise.resolve({ status: 404, headers: [], body: new Uint8Array(0) }));
  try {
    const [without, from] = await Promise.all([
      verified('now/count'),
      verified(
        'now/count',
        ...['--module', file('ledger.lua', LEDGER), '--checkpoint', checkpoint],
        ...['--trust', trust, '--from', id, '--sample', '1'],
      ),
    ]);
    expect(without.report.problems.map(({ code }) => code)).toContain('no-module');
    expect(without.report.level).toBe('audited');
    expect(without.code).toBe(1);
    expect(from.report.problems).toEqual([]);
    expect(from.report.facts.replayed).toMatchObject({ from: 4, to: 5, checkpoint: { id, slot: 3 } });
    expect(from.report.facts.sampled).toMatchObject({ stretches: 1, slots: 4 });
    expect(from.code).toBe(0);
  } finally {
    peer.answer = before;
  }
});

/** A lie of every kind, told to a node that keeps evidence of it. */
async function evidenceOfAllKinds(): Promise<Map<EvidenceKind, string>> {
  const found = new Map<EvidenceKind, string>();
  const honest = peer.answer;
  const all = await peer.assignments();
  const body = await peer.message({ action: 'credit', to: 'mallory', quantity: '1' });
  const other = await peer.resign(all[3]!, { body, 'hash-chain': peer.chain(all[2]!, body) });
  const later = await peer.resign(all[2]!, { epoch: '1' });
  const head = (current: bigint, timestamp: bigint) => {
    peer.instead(/slot\/current/, () => peer.reply(current));
    peer.instead(/\/slot$/, () => peer.reply(Message.of({ process: peer.process, current, timestamp })));
  };
  const changed = (sign: boolean) => async (truth: () => Promise<HttpResponse>) => {
    const message = uncommitted(decodeReply(await truth())).with({ count: 7n });
    return sign ? peer.reply(message) : httpOf(message);
  };
  const bare = new Uint8Array(1184);
  for (const [at, octet] of [
    [0, 2],
    [0x0a, 3],
    [0x34, 1],
  ] as const)
    bare[at] = octet;
  const tell = async (
    lie: () => void,
    { path = 'compute&slot=5', first, ...options }: VerifyOptions & { path?: string; first?: () => void },
  ) => {
    const transport: Transport = {
      request: (request) =>
        request.target.startsWith('https://second.example')
          ? said((message) => message.with({ count: 9n })).request({
              ...request,
              target: request.target.replace('second', 'ledger'),
            })
          : peer.request(request),
    };
    const context = await testNode({
      identity: keys.stranger,
      capabilities: { engines: enginesHere, http: transport },
    });
    if (first) {
      first();
      await verify(peer.url(path === 'now' ? 'compute&slot=3' : path), { level: 'audited' }, context);
    }
    lie();
    await verify(peer.url(path), options, context);
    peer.answer = honest;
    for (const { value } of await context.store.range<Evidence>('evidence'))
      found.set(value.kind, evidenceText(value));
  };
  const nothing = () => undefined;
  await tell(() => peer.instead(/compute&slot=5/, changed(true)), {});
  await tell(() => peer.instead(/compute&slot=5/, changed(false)), {});
  await tell(() => peer.instead(/compute&slot=5/, changed(true)), { level: 'signed', first: nothing });
  await tell(nothing, { level: 'agreed', peers: ['https://second.example'] });
  await tell(() => peer.shows([...all.slice(0, 3), other, ...all.slice(4)]), {
    level: 'audited',
    path: 'now',
    first: nothing,
  });
  await tell(() => peer.shows([...all.slice(0, 2), later, ...all.slice(3)]), { level: 'audited' });
  await tell(() => head(3n, 1060n), { level: 'signed', path: 'now', first: () => head(5n, 1000n) });
  const attestation = Message.of({ report: Buffer.from(bare).toString('base64') });
  await tell(() => peer.instead(/snp@1\.0/, () => peer.reply(attestation)), {
    level: 'attested',
    attest: { trust: [] },
  });
  return found;
}

test('evidence of every kind is checked without a network, by the command and by the app', async ({
  page,
}) => {
  test.setTimeout(180_000);
  const found = await evidenceOfAllKinds();
  expect([...found.keys()].sort()).toEqual([...EVIDENCE_KINDS].sort());
  const files = [...found].map(([kind, text]) => file(`${kind}.json`, text));
  const forged = file('forged.json', found.get('wrong-answer')!.replace('"slot": 5', '"slot": 4'));

  const [all, wrong] = await Promise.all([
    run('verify-evidence.ts', ...files),
    run('verify-evidence.ts', files[0]!, forged),
  ]);
  for (const kind of EVIDENCE_KINDS) expect(all.said).toContain(`The file proves: ${kind}.`);
  expect(all.code).toBe(0);
  expect(wrong.said).toContain('bad-evidence');
  expect(wrong.code).toBe(1);

  await openApp(page, '/verify');
  await page.context().setOffline(true);
  const region = page.getByRole('region', { name: 'Evidence' });
  for (const path of files) {
    await region.getByLabel('Check an evidence file').setInputFiles(path);
    await expect(region.getByText('It proves it', { exact: true })).toBeVisible();
    await expect(region).toContainText(path.split('/').at(-1)!);
  }
  await region.getByLabel('Check an evidence file').setInputFiles(forged);
  await expect(region.getByRole('alert')).toContainText('was changed after it was made');
});
