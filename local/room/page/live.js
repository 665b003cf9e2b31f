// The live stream. When the server is away, the page says so and connects again and again.

const AGAIN_MS = 1000;

const KINDS = [
  "api", "assistant", "command", "crash", "kept", "leg", "log", "lost", "own", "person", "played", "poll", "published",
  "queued", "request", "row", "scheduled", "stories", "transaction", "trouble", "view", "violations", "webhook",
];

/**
 * Listen: first `hello(greeting, anew)`, with `anew` after another start of the server; then
 * `fact(kind, key, value)` for each fact; `ready()` after the past facts; `away()` without a server.
 */
export function listen({ hello, fact, ready, away }) {
  let last = "";
  let boot = null;
  let paused = false;
  let stream = null;
  let isConsole = false;

  function connect() {
    stream = new EventSource(`/room/live?since=${encodeURIComponent(last)}`);
    stream.addEventListener("hello", (event) => {
      const greeting = JSON.parse(event.data);
      const anew = boot !== greeting.boot;
      boot = greeting.boot;
      isConsole = greeting.mode === "console";
      hello(greeting, anew);
    });
    stream.addEventListener("ready", ready);
    for (const kind of KINDS) {
      stream.addEventListener(kind, (event) => {
        last = event.lastEventId;
        const { key, value } = JSON.parse(event.data);
        fact(kind, key, value);
      });
    }
    stream.onerror = () => {
      stream.close();
      away();
      setTimeout(() => paused || connect(), AGAIN_MS);
    };
  }

  // A hidden console does not watch: its server then asks the deployed stack nothing.
  document.addEventListener("visibilitychange", () => {
    if (!isConsole || paused === document.hidden) return;
    paused = document.hidden;
    if (paused) stream.close();
    else connect();
  });
  connect();
}
