"""Events out: rows of the timeline become plain JSON, on their way from the table to the bus."""

from partyline.entrypoints.outbox import outbox

handler = outbox()
