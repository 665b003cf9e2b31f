// The theme: light, dark, or the system's theme.

const NEXT = { system: "light", light: "dark", dark: "system" };
const KEY = "partyline-theme";

export function theme(button) {
  let now = "system";
  try {
    now = localStorage.getItem(KEY) ?? "system";
  } catch {
    // Without storage the theme lasts as long as the page.
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
