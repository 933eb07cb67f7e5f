// Light, dark, or as the system has it; kept in this browser.
import { useEffect, useState } from "preact/hooks";
import { recall, remember } from "./storage.js";

const THEMES = ["system", "light", "dark"];
const show = (theme) => {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
};
export const startTheme = () => show(recall("theme"));

export function Theme() {
  const [theme, setTheme] = useState(() => (THEMES.includes(recall("theme")) ? recall("theme") : "system"));
  useEffect(() => {
    remember("theme", theme);
    show(theme);
  }, [theme]);
  return <button type="button" class="quiet" onClick={() => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % 3])}>Theme: {theme}</button>;
}
