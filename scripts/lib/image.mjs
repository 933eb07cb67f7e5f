// scripts/check-image, in a network of its own: the mounted image from `quittance init` to SIGTERM.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { startDevchain } from "./devchain.mjs";
import { Gateway } from "./gateway.mjs";
import { deal, makeJobs, makePlayers, post, sign } from "./players.mjs";
import { firstLine, run, start, until } from "./process.mjs";

const [root, folder, receipts] = process.argv.slice(2);
const { Docker: { config: image } } = JSON.parse(fs.readFileSync(path.join(folder, "image.json")));
const IN_IMAGE = new URL("in-image", import.meta.url).pathname;
const USER = 10001; // of gateway/deploy/compose.yaml and kubernetes.yaml
const DRAIN_MS = 60_000; // their grace after SIGTERM
const ONE = 10n ** 18n;

const see = (text) => console.log(`   ${text}`);

/** Arguments of in-image for a command with the image's environment, and `env` beside it. */
function confined(command, env = {}) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [root, path.join(folder, "volumes"), String(USER), ...Object.keys(image.Volumes), "--",
    "env", "--ignore-environment", `--chdir=${image.WorkingDir}`, ...image.Env, ...variables, ...command];
}

async function succeed(command, env) {
  const { code, signal, stdout, stderr } = await run(IN_IMAGE, confined(command, env));
  assert.equal(code, 0, `${command.join(" ")} ended with ${code ?? signal}: ${stderr}`);
  return stdout.trim();
}

/** The gateway of the image, where its entry point looks for it. */
class ImageGateway extends Gateway {
  async command(args) {
    return JSON.parse((await succeed([...image.Entrypoint, ...args], this.env)).split("\n").at(-1));
  }

  async init() {
    ({ apiKey: this.apiKey, address: this.address } = await this.command(["init", "gateway"]));
  }

  async serve() {
    this.process = start(IN_IMAGE, confined([...image.Entrypoint, ...image.Cmd], this.env));
    const ready = JSON.parse(await firstLine(this.process));
    assert.equal(ready.pid, 1, "serve is not process 1");
    const port = (listen) => listen.split(":").at(-1);
    this.url = `http://127.0.0.1:${port(ready.listen)}`;
    this.adminUrl = `http://127.0.0.1:${port(ready.admin_listen)}`;
    return ready;
  }

  /** Signals process 1: who started it and waits for it takes none. */
  async terminate() {
    const { pid } = this.process.child;
    const [first] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    const from = Date.now(), late = setTimeout(() => process.kill(Number(first), "SIGKILL"), DRAIN_MS);
    process.kill(Number(first), "SIGTERM");
    const { code, signal } = await this.process.ended;
    clearTimeout(late);
    assert.equal(code, 0, `serve ended with ${code ?? signal} after SIGTERM: ${this.process.log()}`);
    return Date.now() - from;
  }
}

/** New volumes have owner and mode of the image's folders. */
function makeVolumes() {
  for (const volume of Object.keys(image.Volumes)) {
    const { uid, gid, mode } = fs.statSync(path.join(root, volume)), made = path.join(folder, "volumes", volume);
    fs.mkdirSync(made, { recursive: true });
    fs.chownSync(made, uid, gid);
    fs.chmodSync(made, mode);
  }
}

async function checkConfinement() {
  assert.equal(await succeed(["id", "-u", image.User]), String(USER));
  assert.equal(await succeed(["id", "-g", image.User]), String(USER), "a volume is of another group than its gateway");
  const seen = await succeed(["sh", "-c", "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; for f in / /tmp /etc; do ! touch $f/probe 2>/dev/null || echo writes $f; done"]);
  assert.match(seen, /CapEff:\s0+\n/);
  assert.match(seen, /CapBnd:\s0+\n/);
  assert.doesNotMatch(seen, /writes/);
  await succeed(["sh", "-ec", Object.keys(image.Volumes).map((volume) => `touch ${volume}/probe && rm ${volume}/probe`).join("; ")]);
  see(`user ${image.User} (${USER}:${USER}), no capabilities, root read-only, writes ${Object.keys(image.Volumes).join(" ")}`);
}

const isHealthy = async () => (await run(IN_IMAGE, confined(image.Healthcheck.Test.slice(1)))).code === 0;

async function main() {
  makeVolumes();
  await checkConfinement();
  const chain = await startDevchain({ blockTime: 1 });
  const gateway = new ImageGateway(image.WorkingDir, { CHAIN_RPC: chain.url });
  await gateway.init();
  await chain.fund(gateway.address, 100n * ONE);
  const deployed = await gateway.command(["deploy", "--dev-token"]);
  see(`init, deploy: contract ${deployed.contract}`);

  assert.equal(await isHealthy(), false, "healthy before it serves");
  see(`serve: ${JSON.stringify(await gateway.serve())}`);
  await until(isHealthy, "the image's health check", 20_000);
  see(`healthy: ${image.Healthcheck.Test.slice(1).join(" ")}`);

  const { nodes, models } = await makePlayers(gateway, deployed, folder);
  const hands = deal(await makeJobs(models, ["--count", receipts]), nodes);
  let accepted = 0;
  for (let i = 0; i < nodes.length; i++) accepted += (await post(gateway.url, await sign(gateway.url, nodes[i], hands[i]))).accepted;
  assert.equal(accepted, Number(receipts));
  see(`${accepted} receipts accepted`);
  see(`settle: ${JSON.stringify(await gateway.command(["settle", "--wait"]))}`);
  see(`audit: ${JSON.stringify(await gateway.command(["audit", gateway.url]))}`);
  see(`SIGTERM: ended with 0 after ${await gateway.terminate()} ms`);
  assert.equal(await isHealthy(), false, "healthy after its end");
  await chain.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`check-image: ${error.message}`);
  process.exit(1);
}
