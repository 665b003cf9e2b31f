// The user's choices, kept in the browser's storage.

const PREFIX = "partyline-";

/** The kept value of a choice, else `otherwise`. */
export function preference(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise; // without storage a choice lasts as long as the page
  }
}

/** The kept state of this window, which a reload keeps and another window does not have. */
export function remembered(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Without storage a reload begins anew.
  }
}

export function keepPreference(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // As above.
  }
}
