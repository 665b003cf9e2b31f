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

export function keepPreference(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // As above.
  }
}
