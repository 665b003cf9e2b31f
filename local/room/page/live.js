// The live stream. When the server is away, the page says so and connects again and again.

const AGAIN_MS = 1000;

const KINDS = [
  "api", "assistant", "command", "leg", "log", "lost", "person", "played", "published",
  "queued", "request", "stories", "transaction", "trouble", "view", "violations", "webhook",
];

/**
 * Listen: first `hello(greeting, anew)`, with `anew` after another start of the server; then
 * `fact(kind, key, value)` for each fact; `ready()` after the past facts; `away()` without a server.
 */
export function listen({ hello, fact, ready, away }) {
  let last = "";
  let boot = null;

  function connect() {
    const stream = new EventSource(`/room/live?since=${encodeURIComponent(last)}`);
    stream.addEventListener("hello", (event) => {
      const greeting = JSON.parse(event.data);
      const anew = boot !== greeting.boot;
      boot = greeting.boot;
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
      setTimeout(connect, AGAIN_MS);
    };
  }

  connect();
}
