// scripts/check-manifests: gateway/deploy/{compose,kubernetes}.yaml against their schemas, and against themselves.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { BINARY } from "./gateway.mjs";
import { run } from "./process.mjs";

const home = path.resolve(process.argv[2]);
const require = createRequire(path.join(home, "package.json"));
const { parse, parseAllDocuments } = require("yaml");
const Ajv = require("ajv");
const read = (name) => fs.readFileSync(new URL(`../../gateway/deploy/${name}`, import.meta.url), "utf8");

/** Every environment variable is a setting that the gateway knows, with a value that it takes. */
async function checkSettings(env) {
  const dir = fs.mkdtempSync("/tmp/quittance-manifests-"), conf = path.join(dir, "quittance.conf");
  fs.writeFileSync(conf, "[chain]\nchain_id = 1\n");
  try {
    for (const what of ["check", "print"]) {
      const { code, stdout, stderr } = await run(BINARY, ["-c", conf, "config", what], { env: { ...env, QUITTANCE_CONFIG: conf } });
      assert.equal(code, 0, stderr);
      if (what === "check") continue;
      const known = Object.entries(JSON.parse(stdout)).flatMap(([section, keys]) => Object.keys(keys).map((key) => `QUITTANCE_${section}_${key}`.toUpperCase()));
      assert.deepEqual(Object.keys(env).filter((name) => name !== "QUITTANCE_CONFIG" && !known.includes(name)), [], "no such settings");
    }
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

// ---- Compose ----

async function checkCompose() {
  // Names of its parts, in the words of an older draft: `$ref` finds them by their place.
  const schema = JSON.parse(fs.readFileSync(path.join(home, "debian/usr/lib/python3/dist-packages/compose/config/compose_spec.json")),
    (key, value) => key === "id" && typeof value === "string" ? undefined : value);
  const compose = parse(read("compose.yaml"), { merge: true });
  const validate = new Ajv({ strict: false, validateFormats: false }).compile({ ...schema, $schema: "http://json-schema.org/draft-07/schema#" });
  assert.ok(validate(compose), JSON.stringify(validate.errors, null, 2));
  const { services, secrets, configs, volumes, networks } = compose;
  for (const [name, service] of Object.entries(services)) {
    for (const secret of service.secrets ?? []) assert.ok(secret in secrets, `${name}: no secret ${secret}`);
    for (const { source } of service.configs ?? []) assert.ok(source in configs, `${name}: no config ${source}`);
    for (const volume of service.volumes ?? []) assert.ok(volume.split(":")[0] in volumes, `${name}: no volume ${volume}`);
    for (const network of Array.isArray(service.networks) ? service.networks : Object.keys(service.networks))
      assert.ok(network in networks, `${name}: no network ${network}`);
    for (const needed of Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {}))
      assert.ok(needed in services, `${name}: no service ${needed}`);
    assert.ok(service.read_only && service.user && !service.user.startsWith("0"), `${name} may write its root, or is root`);
    assert.ok(service.deploy.resources.limits.memory && service.deploy.resources.limits.cpus, `${name} has no limits`);
  }
  const addresses = new Set(Object.values(services).map((service) => service.networks.inside?.ipv4_address));
  for (const [variable, target] of Object.entries(services.haproxy.environment))
    if (variable.startsWith("GATEWAY_")) assert.ok(addresses.has(target.split(":")[0]), `${variable}: no service has ${target}`);
  await checkSettings(services["gateway-1"].environment);
  console.log(`compose.yaml: ${Object.keys(services).length} services`);
}

// ---- Kubernetes ----

const GROUPS = { v1: "Core", "apps/v1": "Apps", "batch/v1": "Batch", "policy/v1": "Policy", "networking.k8s.io/v1": "Networking" };

/** The validators look at every member that they know, and pass over all others: a name that nobody looked at is misspelt. */
function watched(value, where, unseen) {
  if (value === null || typeof value !== "object") return value;
  const members = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, watched(member, `${where}.${key}`, unseen)]));
  for (const key of Object.keys(value)) if (!Array.isArray(value)) unseen.add(`${where}.${key}`);
  return new Proxy(value, {
    get(target, key) {
      unseen.delete(`${where}.${String(key)}`);
      return Object.hasOwn(members, key) ? members[key] : target[key];
    },
    ownKeys(target) { // a map: all names are good
      for (const key of Object.keys(target)) unseen.delete(`${where}.${key}`);
      return Reflect.ownKeys(target);
    },
  });
}

function checkSchema(object) {
  const { validate } = require(`${home}/node_modules/kubernetes-models/_schemas/IoK8sApi${GROUPS[object.apiVersion]}V1${object.kind}.js`);
  const unseen = new Set();
  assert.ok(validate(watched(object, `${object.kind} ${object.metadata.name}`, unseen)), JSON.stringify(validate.errors));
  assert.deepEqual([...unseen], [], "no such members");
}

function checkPod(name, pod, kinds) {
  const { spec } = pod;
  assert.ok(spec.securityContext.runAsNonRoot && spec.automountServiceAccountToken === false, name);
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name).concat(kinds.claims ?? []));
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const { securityContext: confined, resources, volumeMounts = [] } = container;
    assert.ok(confined.readOnlyRootFilesystem && confined.allowPrivilegeEscalation === false && confined.capabilities.drop.includes("ALL"), `${name}: ${container.name}`);
    assert.ok(resources.limits.cpu && resources.limits.memory && resources.requests, `${name}: ${container.name} has no limits`);
    for (const mount of volumeMounts) assert.ok(volumes.has(mount.name), `${name}: no volume ${mount.name}`);
    const ports = new Set((container.ports ?? []).map((port) => port.name));
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      const port = container[probe]?.httpGet?.port ?? container[probe]?.tcpSocket?.port;
      if (port !== undefined) assert.ok(ports.has(port), `${name}: ${probe} asks port ${port}`);
    }
  }
  for (const { configMap, persistentVolumeClaim } of spec.volumes ?? []) {
    if (configMap) assert.ok(kinds.ConfigMap.has(configMap.name), `${name}: no ConfigMap ${configMap.name}`);
    if (persistentVolumeClaim) assert.ok(kinds.PersistentVolumeClaim.has(persistentVolumeClaim.claimName), name);
  }
}

const matches = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);

async function checkKubernetes() {
  const objects = parseAllDocuments(read("kubernetes.yaml")).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
  const kinds = {}, pods = [];
  for (const object of objects) {
    checkSchema(object);
    (kinds[object.kind] ??= new Map()).set(object.metadata.name, object);
    assert.ok(object.kind === "Namespace" || kinds.Namespace.has(object.metadata.namespace), object.metadata.name);
  }
  for (const object of objects) {
    const pod = object.spec?.template ?? object.spec?.jobTemplate?.spec.template;
    if (!pod) continue;
    pods.push(pod);
    checkPod(object.metadata.name, pod, { ...kinds, claims: (object.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name) });
    if (object.spec.selector) assert.ok(matches(object.spec.selector.matchLabels, pod.metadata.labels), object.metadata.name);
  }
  const selected = (selector) => pods.find((pod) => matches(selector, pod.metadata.labels));
  for (const service of kinds.Service.values()) {
    const ports = selected(service.spec.selector)?.spec.containers.flatMap((container) => container.ports.map((port) => port.name));
    for (const { targetPort } of service.spec.ports) assert.ok(ports?.includes(targetPort), `${service.metadata.name}: nobody has port ${targetPort}`);
  }
  for (const budget of kinds.PodDisruptionBudget.values()) assert.ok(selected(budget.spec.selector.matchLabels));
  for (const line of read("pool.ini").split("\n").filter((text) => /^\w+ = /.test(text)))
    assert.ok(kinds.ConfigMap.get("pgbouncer").data["pgbouncer.ini"].includes(line), `pgbouncer.ini lacks "${line}" of pool.ini`);
  const { env, volumeMounts } = kinds.Deployment.get("gateway").spec.template.spec.containers[0];
  assert.ok(volumeMounts.some(({ mountPath }) => mountPath === "/var/tmp"), "a large batch is sorted in /var/tmp");
  await checkSettings(Object.fromEntries(env.map(({ name, value }) => [name, value])));
  console.log(`kubernetes.yaml: ${objects.length} objects`);
}

assert.ok(fs.existsSync(BINARY), `${BINARY} is not there: run make first`);
await checkCompose();
await checkKubernetes();
