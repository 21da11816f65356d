/** A bridge of our own for a test file: `npm run bridge` on a free port and a profile that is gone at the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RunningBridge {
  /** Address of the node. */
  readonly node: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws Error with what the bridge said, if it ends before it is ready */
export async function startBridge(): Promise<RunningBridge> {
  const profile = mkdtempSync(join(tmpdir(), 'beamlet-bridge-'));
  const command = join('node_modules', 'tsx', 'dist', 'cli.mjs');
  const options = ['src/command/bridge.ts', '--port', '0', '--profile', profile];
  const bridge = spawn(process.execPath, [command, ...options]);
  async function stop(): Promise<void> {
    if (bridge.exitCode === null) {
      const ended = once(bridge, 'exit');
      bridge.kill('SIGTERM');
      await ended;
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  let said = '';
  bridge.stderr.on('data', (part) => (said += String(part)));
  for await (const part of bridge.stdout) {
    said += String(part);
    const ready = /The node (\S{43}) answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
    if (ready) return { node: ready[1]!, url: ready[2]!, stop };
  }
  await stop();
  throw new Error(`The bridge ended: ${said}`);
}
