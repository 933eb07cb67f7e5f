// Asking the service: one place that knows of sessions, CSRF tokens, problems (RFC 9457) and lists.

export class Problem extends Error {
  constructor(status, body, method) {
    super(body?.detail ?? `The service answered ${status}.`);
    Object.assign(this, { status, code: body?.code, errors: body?.errors, body, method });
  }

  /** What became of what was meant: the first thing anybody wants to know. */
  get kept() {
    if (this.method === "GET") return "";
    if (this.status >= 400 && this.status < 500) return "Nothing was changed.";
    return "It is not known whether this was done. Look before you try again.";
  }
}

// Where single jobs are for their parties only: a header that says who reads (api/access.h); "" is nobody.
let reader = "";
export const readAs = (header) => (reader = header);

let session = null;
const watchers = new Set();

export const currentSession = () => session;
export const onSession = (watch) => (watchers.add(watch), () => watchers.delete(watch));
function setSession(next) {
  session = next;
  for (const watch of watchers) watch(session);
}

async function read(response, method) {
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
  const body = isJson && text ? JSON.parse(text) : undefined;
  if (response.ok || response.status === 300) return body;
  if (response.status === 401 && session) setSession(null);
  throw new Problem(response.status, body, method);
}

export async function ask(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(reader ? { "quittance-auth": reader } : {}),
        ...(method !== "GET" && session?.csrf ? { "x-csrf-token": session.csrf } : {}), ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, { detail: "The service cannot be reached. What is shown here is what it said last." }, method);
  }
  return read(response, method);
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}, headers) => ask("POST", path, body, headers);
export const path = (parts, ...values) => parts.reduce((text, part, i) => text + encodeURIComponent(values[i - 1]) + part);

/** Whoever has a session that still stands is signed in; asked once, when the page is loaded. */
export async function resume() {
  const answer = await get("/admin/v1/session");
  setSession(answer.csrf ? answer : null);
}

export const signIn = async (credentials) => setSession(await post("/admin/v1/session", credentials));
export async function signOut() {
  await ask("DELETE", "/admin/v1/session");
  setSession(null);
}

const ROLES = ["viewer", "operator", "admin"];
export const may = (role) => ROLES.indexOf(session?.role) >= ROLES.indexOf(role);

/** All of a list, page by page, up to `most` rows. */
export async function all(listPath, most = 10_000) {
  const items = [], join = listPath.includes("?") ? "&" : "?";
  let next = null;
  do {
    const page = await get(`${listPath}${join}limit=1000${next ? `&cursor=${encodeURIComponent(next)}` : ""}`);
    items.push(...page.items);
    next = page.next;
  } while (next && items.length < most);
  return items;
}
