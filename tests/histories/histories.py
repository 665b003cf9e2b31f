"""A generated history: people and the assistant talk, and webhooks with messages go wrong.

Each history is made from its number. Webhooks at turns are lost, doubled, late and overtaken, the
end too; the assistant is restarted, or leaves and returns; a Telnyx of each answer sends the
messages. The simulator knows what was said.
"""

import json
from random import Random
from typing import Any

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Delivery, SimulatedConversation
from local.simulator.settings import Settings
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID
from tests.faults.lab import FaultLab
from tests.support.exports import replayed_difference
from tests.support.people import DANA, HOST, LEE

HISTORY, ADDED = "call.ai_gather.message_history_updated", "call.conversation.messages_added"
ENDED = "call.conversation.ended"

SENTENCES = (
    "Hello",
    "Yes",
    "Yes",
    "Is Dana there, please?",
    "Tell me your hours again, please",
    "No, wait",
)
SCRIPT = (
    ("please", "One moment, I will see what I can do for you."),
    ("yes", "Good."),
    ("hello", "Hello, I am the assistant, and I have a lot to say to you today."),
)

Said = tuple[str, str]


class History:
    """The history of a number, over the real handlers and a simulated Telnyx."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.violations: list[str] = []
        self.live = self.random.random() < 0.8
        self.lab = FaultLab([], self._settings())
        self.lab.telnyx.deliverer.settings |= self._deliveries()

    def run(self) -> list[str]:
        """Run the history; returns what is wrong."""
        self.lab.start_conversation(
            to=HOST,
            on_host_hangup="continue_conversation",
            participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
            live_transcript=self.live,
        )
        self.lab.run(self.random.choice([3, 6, 12]))
        for _ in range(self.random.randrange(2, 14)):
            self._act()
            self._check_live()
        for leg in self.lab.telnyx.legs:
            self.lab.telnyx.hang_up(leg.call_control_id)
            self.lab.run(self.random.choice([0, 0.2, 5]))
        self.lab.run(60)
        self.lab.settle()
        self._check_final()
        return self.violations

    def _settings(self) -> Settings:
        choose = self.random.choice
        return Settings(
            accepts_conversation_keys=True,
            script=SCRIPT,
            sends_messages_added=choose([True, False]),
            messages_added_rows=choose(["new", "all"]),
            ended_messages=choose(["all", "all", "of_people", "none"]),
            ended_full_history=choose([True, False]),
            messages_newest_first=choose([True, False]),
            end_names_conversation=choose([True, True, False]),
            ended_once_per_leg=choose([True, False]),
            end_before_hangup=choose([True, False]),
            redelivery_id=choose(["same", "new"]),
        )

    def _deliveries(self) -> dict[str, DeliverySettings]:
        choose = self.random.choice
        self.lost = choose([0.0, 0.0, 0.3, 0.7, 1.0])
        late = choose([(0.0, 0.0), (0.0, 3.0), (0.0, 9.0)])
        doubled, overtaken = choose([0, 0, 1, 2]), choose([True, False])
        turns = DeliverySettings(late, doubled, self.lost, overtaken)
        end = DeliverySettings(choose([(0.0, 0.0), (0.0, 9.0)]), choose([0, 1]), choose([0, 0, 1]))
        return {HISTORY: turns, ADDED: turns, ENDED: end}

    def _act(self) -> None:
        lab, random = self.lab, self.random
        action = random.choice(["say"] * 8 + ["wait", "host goes", "away", "speaking"])
        talk = lab.telnyx.conversations[-1] if lab.telnyx.conversations else None
        if action == "say" and talk and talk.status == "active":
            present = [
                leg for leg in lab.telnyx.legs if leg.conversation_id == talk.conversation_id
            ]
            if present:
                speaker = random.choice(present).call_control_id
                words, interrupts = random.choice(SENTENCES), random.random() < 0.3
                lab.telnyx.say(speaker, words, interrupts=interrupts)
        elif action == "host goes" and random.random() < 0.3:
            lab.hang_up(HOST)
        elif action in ("away", "speaking"):
            lab.request("POST", "/assistant", {"mode": action})
        lab.run(random.choice([0, 0.1, 1, 1.5, 3, 20]))

    def _check_live(self) -> None:
        """The messages of the running assistant are those of the newest webhook that has come."""
        talk = self.lab.telnyx.conversations[-1] if self.lab.telnyx.conversations else None
        stored = self.lab.stored.load(self.lab.conversation_id)
        if not talk or not stored or stored.telnyx_conversation_id != talk.conversation_id:
            return
        said = self._stored_runs().get(stored.restarts, [])
        if not self.live and said and stored.transcript.runs[stored.restarts].is_live:
            self.violations.append("messages were stored without `live_transcript`")
        come = [item for item in map(self._snapshot_of(talk), self._delivered()) if item]
        run = stored.transcript.runs.get(stored.restarts)
        by_history = run is not None and run.source == "history"
        if not come or talk.status != "active" or not by_history:
            return
        newest = max(come, key=lambda item: (item[0], len(item[1])))[1]
        if said != newest:
            self.violations.append(f"live: {said}, and the newest webhook has {newest}")

    def _delivered(self) -> list[Delivery]:
        attempts = self.lab.telnyx.deliverer.attempts
        return [item for item in attempts if item.event_type == HISTORY and item.status == 200]

    def _snapshot_of(self, talk: SimulatedConversation) -> Any:
        began = talk.started_at

        def read(delivery: Delivery) -> tuple[str, list[Said]] | None:
            data = json.loads(delivery.body)["data"]
            at, payload = data["occurred_at"], data["payload"]
            if (
                payload["call_control_id"] != talk.starting_call
                or at < f"{began:%Y-%m-%dT%H:%M:%S.%f}"
            ):
                return None
            return at, [(row["role"], row["content"]) for row in payload["message_history"]]

        return read

    def _stored_runs(self) -> dict[int, list[Said]]:
        runs = dict[int, list[Said]]()
        for item in self.lab.stored.transcript(self.lab.conversation_id):
            if item.message.is_spoken:
                said = (item.message.role, str(item.message.text))
                runs.setdefault(item.run, []).append(said)
        return runs

    def _check_final(self) -> None:
        lab = self.lab
        stored = lab.stored.load(lab.conversation_id)
        assert stored is not None
        ids = [*stored.previous_telnyx_ids, stored.telnyx_conversation_id]
        known = [id_ for id_ in ids if id_ and id_ != UNKNOWN_CONVERSATION_ID]
        if sorted(known) != sorted(talk.conversation_id for talk in lab.telnyx.conversations):
            self.violations.append(f"the runs are {ids}")
        runs, truth = self._stored_runs(), self._truth()
        for run, telnyx_id in enumerate(ids):
            if telnyx_id in truth and runs.get(run, []) != truth[telnyx_id]:
                said = f"{runs.get(run, [])}, and Telnyx has {truth[telnyx_id]}"
                self.violations.append(f"run {run} is {said}")
        events = lab.stored.timeline(lab.conversation_id).items
        ready = [event.data for event in events if event.type == "transcript.ready"]
        complete = all(talk.messages for talk in lab.telnyx.conversations)
        if [event["complete"] for event in ready] != [complete] or not stored.transcript_is_final:
            self.violations.append(f"transcript.ready came as {ready}")
        difference = replayed_difference(lab, lab.conversation_id)
        if difference:
            self.violations.append(f"decided differently: {difference}")

    def _truth(self) -> dict[str, list[Said]]:
        return {
            talk.conversation_id: [
                (message.role, message.content)
                for message in talk.messages
                if message.role in ("user", "assistant")
            ]
            for talk in self.lab.telnyx.conversations
        }
