// Which page a path means.

/** pages: [[path, View, ...]], with ":name" for any one segment.  {View, params}, or {} where there is none. */
export function find(pages, pathname) {
  for (const [path, View] of pages) {
    const names = [], test = new RegExp(`^${path.replace(/:(\w+)/g, (_, name) => (names.push(name), "([^/]+)"))}$`).exec(pathname);
    if (test) return { View, params: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(test[i + 1])])) };
  }
  return {};
}
