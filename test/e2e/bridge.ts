/** `npm run bridge`, started for a test on a free port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export class Bridge {
  readonly #child: ChildProcess;
  /** The node's address. */
  readonly node: string;
  readonly url: string;

  private constructor(child: ChildProcess, node: string, url: string) {
    this.#child = child;
    this.node = node;
    this.url = url;
  }

  /** @param profile directory in which the node keeps what it stores */
  static async start(profile: string): Promise<Bridge> {
    const command = join('node_modules', 'tsx', 'dist', 'cli.mjs');
    const child = spawn(process.execPath, [
      command,
      'src/command/bridge.ts',
      '--port',
      '0',
      '--profile',
      profile,
    ]);
    let said = '';
    child.stderr.on('data', (part) => (said += String(part)));
    for await (const part of child.stdout) {
      said += String(part);
      const ready = /The node (\S{43}) answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
      if (ready) return new Bridge(child, ready[1]!, ready[2]!);
    }
    throw new Error(`The bridge ended: ${said}`);
  }

  /** Code it ended with; null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
