"""Experiments with an assistant and joined calls."""

from local.live_test.api import Reply, SurpriseError
from local.live_test.experiments.alone import CREATED, END_SECS, ENDED
from local.live_test.experiments.model import Experiment
from local.live_test.lab import Lab, show
from local.live_test.state import CallRecord
from local.live_test.webhooks import Webhook, of_type

OWN_PATH = "join on the guest's path"


def end_by_stop(lab: Lab) -> None:
    """Join a guest, stop the assistant, and start an assistant on the guest's call."""
    host, guest = lab.calls.answered(), lab.calls.answered()
    talk = lab.started(host)
    reply = lab.join_on(guest, guest, talk)
    lab.result.facts[OWN_PATH] = "accepted" if reply.ok else "refused"
    if not reply.ok and not lab.join_on(host, guest, talk).ok:
        raise SurpriseError(f"Telnyx refused to join a call: {reply}.")
    lab.calls.sleep(2)
    lab.stop(host)
    lab.calls.sleep(END_SECS)
    alive = lab.calls.is_alive(guest)
    text = f"is_alive of the guest's call is {alive}"
    lab.found("legs-after-stop", "stay" if alive else "hung-up", text)
    if alive:
        lab.accepted_or_refused("start-on-joined", lab.start(guest, "on the guest"))
    else:
        lab.leave_open("start-on-joined", "The stop hung up the guest's call.")
    lab.calls.sleep(3)
    of_guest, of_host = lab.calls.finish(guest), lab.calls.finish(host)
    _count_ends(lab, of_host, of_guest)


def _count_ends(lab: Lab, of_host: list[Webhook], of_guest: list[Webhook]) -> None:
    """Count the ends of the conversation with a guest, before a later start on the guest's call."""
    created = of_type(of_guest, CREATED)
    ends = [end for end in of_type(of_guest, ENDED) if not created or end.at < created[0].at]
    ends += of_type(of_host, ENDED)
    evidence = [show(end) for end in ends]
    answers = {1: "once", 2: "per-call"}
    if len(ends) in answers:
        lab.found("end-count", answers[len(ends)], *evidence)
    elif ends:
        lab.unlisted("end-count", *evidence)
    else:
        lab.leave_open("end-count", f"{ENDED} did not come.")


def end_by_hangup(lab: Lab) -> None:
    """Join a guest, repeat the join, and hang the host up."""
    host, guest = lab.calls.answered(), lab.calls.answered()
    history = [{"role": "user", "content": "An earlier sentence."}]
    reply = lab.start(host, "with history", message_history=history)
    if reply.ok:
        lab.found("message-history", "accepted", reply)
    elif "message_history" in reply.pointer:
        lab.found("message-history", "refused", reply)
    else:
        lab.unlisted("message-history", reply)
    talk = lab.conversation_id(host, reply) if reply.ok else lab.started(host)

    path, first = _join_on_host(lab, host, guest, talk)
    _repeat_join(lab, path, guest, talk, first)
    lab.calls.sleep(5)
    left = of_type(lab.calls.finish(host), "call.hangup")[0]
    lab.calls.sleep(END_SECS)
    alive = lab.calls.is_alive(guest)
    of_guest, of_host = lab.calls.finish(guest), lab.calls.webhooks(host)
    hangup = of_type(of_guest, "call.hangup")[0]
    ends = of_type([*of_host, *of_guest], ENDED)
    # A conversation that went on ends around the guest's hangup, more than ten seconds later.
    ends = [end for end in ends if not alive or end.at - left.at < hangup.at - end.at]

    text = f"is_alive of the guest's call is {alive}"
    evidence = [show(end) for end in ends]
    lab.found("host-hangup", "ends" if ends else "continues", text, *evidence)
    if ends:
        lab.found("legs-after-end", "stay" if alive else "hung-up", text)
        if lab.finding("end-count") is None:
            _count_ends(lab, of_host, of_guest)
    else:
        reason = "The host's hangup does not end the conversation."
        lab.leave_open("legs-after-end", reason)
    bridged = of_type([*of_host, *of_guest], "call.bridged")
    lab.found("join-bridged", "bridged" if bridged else "none", f"{len(bridged)} call.bridged")


def _join_on_host(
    lab: Lab, host: CallRecord, guest: CallRecord, talk: str
) -> tuple[CallRecord, Reply]:
    """Join a guest on the host's path, else on the guest's. Returns path and response."""
    by_host = lab.join_on(host, guest, talk)
    own = lab.fact(OWN_PATH)
    evidence = (f"{OWN_PATH}: {own}", f"join on the host's path: {by_host}")
    if own is None:
        lab.leave_open("join-path", "The join on the guest's path was not tried.", *evidence)
    elif own == "accepted":
        lab.found("join-path", "either" if by_host.ok else "guest", *evidence)
    else:
        lab.found("join-path", "host", *evidence)
    if by_host.ok:
        return host, by_host
    by_guest = lab.join_on(guest, guest, talk)
    if not by_guest.ok:
        raise SurpriseError(f"Telnyx refused to join a call: {by_guest}.")
    return guest, by_guest


def _repeat_join(lab: Lab, path: CallRecord, guest: CallRecord, talk: str, first: Reply) -> None:
    """Repeat a join with the same command_id, then with another."""
    lab.repeated("duplicate-join", first, lab.join_on(path, guest, talk), "conversation_id")
    lab.accepted_or_refused("second-join", lab.join_on(path, guest, talk, "second join"))


def two_guests(lab: Lab) -> None:
    """Join two guests."""
    host, first, second = (lab.calls.answered() for _ in range(3))
    talk = lab.started(host)
    lab.joined(host, first, talk)
    _, reply = lab.join(host, second, talk)
    if reply.status == 404:
        lab.unlisted("guest-limit", reply)
    else:
        lab.found("guest-limit", "many" if reply.ok else "one", f"the second guest: {reply}")


def other_connection(lab: Lab) -> None:
    """Join a call of a second application."""
    host = lab.calls.answered()
    guest = lab.calls.answered(connection_id=lab.setup.second_connection_id)
    talk = lab.started(host)
    _, reply = lab.join(host, guest, talk)
    lab.accepted_or_refused("join-other-connection", reply)


EXPERIMENTS = (
    Experiment(
        "a guest and a stop",
        ("legs-after-stop", "start-on-joined", "end-count", "join-path"),
        calls=2,
        minutes=2,
        play=end_by_stop,
    ),
    Experiment(
        "a guest and the host's hangup",
        (
            "message-history",
            "join-path",
            "duplicate-join",
            "second-join",
            "host-hangup",
            "legs-after-end",
            "end-count",
            "join-bridged",
        ),
        calls=2,
        minutes=2,
        play=end_by_hangup,
    ),
    Experiment("two guests", ("guest-limit",), calls=3, minutes=3, play=two_guests),
    Experiment(
        "a guest of another application",
        ("join-other-connection",),
        calls=2,
        minutes=2,
        play=other_connection,
        second_application=True,
    ),
)
