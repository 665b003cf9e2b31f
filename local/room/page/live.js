// The live stream. When the server goes away the page says so, and asks until it is back.

const AGAIN_MS = 1000;

const KINDS = [
  "api", "assistant", "command", "leg", "log", "lost", "person", "played", "published",
  "queued", "request", "stories", "transaction", "trouble", "view", "violations", "webhook",
];

/**
 * Listen: `hello(given, anew)` first, with `anew` when all that was known is of another server's
 * life; `fact(kind, key, value)` for each; `ready()` once the past is told; `away()` when it goes.
 */
export function listen({ hello, fact, ready, away }) {
  let last = "";
  let boot = null;

  function connect() {
    const stream = new EventSource(`/room/live?since=${encodeURIComponent(last)}`);
    stream.addEventListener("hello", (event) => {
      const given = JSON.parse(event.data);
      const anew = boot !== given.boot;
      boot = given.boot;
      hello(given, anew);
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
