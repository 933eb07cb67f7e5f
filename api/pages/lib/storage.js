// What a visitor chose stays with this browser, or with this tab, where pages may keep anything; else it is gone with the page.
function keeper(of) {
  const use = (run) => {
    try {
      return run(of()) ?? undefined;
    } catch {
      return undefined; // storage is turned off: reading it throws
    }
  };
  return [(name) => use((kept) => kept.getItem(name)), (name, value) => use((kept) => (value === undefined ? kept.removeItem(name) : kept.setItem(name, value)))];
}

export const [recall, remember] = keeper(() => localStorage);
export const [recallHere, rememberHere] = keeper(() => sessionStorage);
