// Light, dark, or as the system has it.

const NEXT = { system: "light", light: "dark", dark: "system" };
const KEY = "partyline-theme";

export function theme(button) {
  let now = "system";
  try {
    now = localStorage.getItem(KEY) ?? "system";
  } catch {
    // A browser that keeps nothing still has a theme.
  }
  const apply = () => {
    document.documentElement.dataset.theme = now;
    button.textContent = { system: "◐", light: "☀", dark: "☾" }[now];
    const words = `Theme: ${now}. Switch to ${NEXT[now]}`;
    button.setAttribute("aria-label", words);
    button.title = words;
  };
  button.addEventListener("click", () => {
    now = NEXT[now] ?? "system";
    try {
      localStorage.setItem(KEY, now);
    } catch {
      // As above.
    }
    apply();
  });
  apply();
}
