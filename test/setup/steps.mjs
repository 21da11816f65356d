/** Small things that the set-up scripts share. Node builtins only: they run before anything is installed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** True where the script at `url` is what Node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1];
}

/** Ends each command that runs now; a signal to us is for all of them. */
const running = new Set();
const SIGNALS = ['SIGINT', 'SIGTERM'];

function endAll(signal) {
  for (const end of running) end(signal);
  process.exit(1);
}

/**
 * Runs a command in the project's root and answers its exit code, its output passed on as it comes
 * (`quiet` keeps it to itself and shows it only when the command fails, `silent` hands it to `onOutput` alone).
 * `limit`: milliseconds after which it is killed.
 */
export function run(command, args, { quiet = false, silent = false, limit = 0, env = {}, onOutput } = {}) {
  return new Promise((resolve) => {
    const piped = quiet || onOutput;
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', piped ? 'pipe' : 'inherit', piped ? 'pipe' : 'inherit'],
      detached: process.platform !== 'win32',
    });
    let held = '';
    const take = (chunk) => {
      const text = String(chunk);
      onOutput?.(text);
      if (quiet) held += text;
      else if (!silent) process.stdout.write(text);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    const end = (signal) => {
      try {
        if (process.platform === 'win32') child.kill(signal);
        else process.kill(-child.pid, signal);
      } catch {
        // It has ended already.
      }
    };
    const timer = limit
      ? setTimeout(() => {
          take(`${command} ${args.join(' ')}: stopped after ${limit / 1000} s\n`);
          end('SIGKILL');
        }, limit)
      : undefined;
    if (running.size === 0) for (const signal of SIGNALS) process.once(signal, endAll);
    running.add(end);
    const finish = (code, reason) => {
      clearTimeout(timer);
      running.delete(end);
      if (running.size === 0) for (const signal of SIGNALS) process.off(signal, endAll);
      if (quiet && code !== 0) process.stdout.write(held + (reason ?? ''));
      resolve(code);
    };
    child.once('error', (error) => finish(127, `${error.message}\n`));
    child.once('close', (code) => finish(code ?? 1));
  });
}

/** npm as it runs us, or as the shell finds it. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  return cli && cli.endsWith('.js')
    ? run(process.execPath, [cli, ...args], options)
    : run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
}
