// One real server on a port that the kernel picks, for tests.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = resolve(ROOT, process.env.ARKA_BUILD_DIR ?? 'build/release', 'arka');
const QUICK = { 'durability.s3_upload_interval': '20ms', 'durability.iceberg_commit_interval': '200ms' };

export class ArkaServer {
  #directory = mkdtempSync(join(tmpdir(), 'arka-javascript-'));
  #settings;
  #process;
  #port = 0;
  log = '';

  constructor(settings) {
    this.#settings = { 'server.data_dir': join(this.#directory, 'data'), ...QUICK, ...settings };
  }

  /** Starts it, again on the same port and data where it was started before. */
  async start() {
    const settings = Object.entries({ 'server.listen': `127.0.0.1:${this.#port}`, ...this.#settings })
      .flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    this.#process = spawn(PROGRAM, ['serve', ...settings], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stderr.on('data', (text) => { this.log += text; });
    for await (const line of createInterface({ input: this.#process.stdout })) {
      this.log += `${line}\n`;
      const ready = /^arka \S+ ready on \S+:(\d+)/.exec(line);
      if (ready) {
        this.#port = Number(ready[1]);
        this.#process.stdout.resume();
        return this;
      }
    }
    throw new Error(`the server did not start; it said:\n${this.log}`);
  }

  get url() { return `grpc://127.0.0.1:${this.#port}`; }
  get port() { return this.#port; }

  signal(name) { this.#process.kill(name); }

  /** kill -9. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  async stop() {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A server for one test. */
export async function serve(t, settings) {
  const server = new ArkaServer(settings);
  t.after(() => server.stop());
  return server.start();
}
