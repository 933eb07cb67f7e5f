// The gateway's side of a history: a process of build/tests/histories/driver, one JSON line in, one out.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";

/** Stores and archives lie in memory: nothing here is about what a disk does.  What a driver that was ended leaves goes with the run. */
const place = mkdtempSync(`${existsSync("/dev/shm") ? "/dev/shm" : tmpdir()}/quittance-histories-`);
process.on("exit", () => rmSync(place, { recursive: true, force: true }));

const ANSWERS_MS = 180_000; // of one that hangs none come: then the history is told like any other that failed

export class Driver {
  constructor(file) {
    this.process = spawn(file, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, TMPDIR: place } });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Several commands at a time: they wait in the pipe, not for each other. */
  async tell(commands) {
    this.process.stdin.write(commands.map((command) => `${JSON.stringify(command)}\n`).join(""));
    const answers = [], hangs = setTimeout(() => this.process.kill("SIGKILL"), ANSWERS_MS);
    try {
      for (const command of commands) {
        const { value, done } = await this.lines.next();
        if (done) throw new Error(`the driver ended, or was ended after ${ANSWERS_MS / 1000} s, at ${JSON.stringify(command)}`);
        answers.push(JSON.parse(value));
      }
      return answers;
    } finally {
      clearTimeout(hangs);
    }
  }

  async do(command) { return (await this.tell([command]))[0]; }
  end() { this.process.stdin.end(); }
}
