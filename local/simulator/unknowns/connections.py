"""Unknowns of people who are connected to each other without an assistant."""

from local.simulator.unknowns.model import Answer, Unknown

_COMMANDS = "https://developers.telnyx.com/api-reference/call-commands"
_BRIDGE = f"{_COMMANDS}/bridge-calls"
_STOP = f"{_COMMANDS}/stop-ai-assistant"
_CONFERENCES = "https://developers.telnyx.com/api-reference/conference-commands"
_CREATE = f"{_CONFERENCES}/create-conference"
_LEAVE = f"{_CONFERENCES}/leave-a-conference"

UNKNOWNS = (
    Unknown(
        id="legs-after-stop",
        question="Does a stop of the assistant hang up the joined calls?",
        answers=(
            Answer(
                "stay",
                "All calls stay up.",
                "The people are connected to each other.",
                {"stop_hangs_up_guests": False},
            ),
            Answer(
                "hung-up",
                "The joined calls are hung up.",
                "The guests have left, and the assistant returns to the host.",
                {"stop_hangs_up_guests": True},
            ),
        ),
        assumed="stay",
        confidence="documented",
        sources=(_STOP,),
        evidence="Join a guest, stop the assistant, and retrieve the guest's call 5 s later: "
        "is_alive.",
    ),
    Unknown(
        id="connect-after-stop",
        question="Can calls be bridged or meet in a conference after their assistant was stopped?",
        answers=(
            Answer(
                "accepted",
                "As any other calls.",
                "The people are connected to each other.",
                {"connects_after_stop": True},
            ),
            Answer(
                "refused",
                "422 with code 10015.",
                "The assistant returns at once and says so.",
                {"connects_after_stop": False},
            ),
        ),
        assumed="accepted",
        confidence="unknown",
        sources=(_STOP, _BRIDGE),
        evidence="Join a guest, stop the assistant, and bridge the two calls: status.",
    ),
    Unknown(
        id="bridge-end",
        question="What becomes of the second call of a bridge when the first leaves the bridge?",
        answers=(
            Answer(
                "hung-up",
                "The call is hung up, because only the call of the path is parked.",
                "Partyline bridges two people only if the first ends the conversation by leaving.",
                {"unbridged_call": "hung_up"},
            ),
            Answer(
                "parked",
                "The call stays up.",
                "The assistant returns to the person who is left.",
                {"unbridged_call": "parked"},
            ),
        ),
        assumed="hung-up",
        confidence="documented",
        sources=(_BRIDGE,),
        evidence="Bridge two calls with park_after_unbridge self, hang the first up, and retrieve "
        "the second 5 s later: is_alive.",
    ),
    Unknown(
        id="start-on-bridged",
        question="Can an assistant start on a call that is bridged?",
        answers=(
            Answer(
                "refused",
                "422 with code 10015.",
                "Partyline moves the second call into a conference first, which parks the first.",
                {"start_on_bridged": False},
            ),
            Answer(
                "accepted",
                "The start ends the bridge.",
                "The same: no start is sent to a call that is known to be bridged.",
                {"start_on_bridged": True},
            ),
        ),
        assumed="refused",
        confidence="unknown",
        sources=(_BRIDGE, _LEAVE),
        evidence="Bridge two calls, and start an assistant on the first: status.",
    ),
    Unknown(
        id="conference-events",
        question="Do the webhooks of a conference come to the URL of our calls?",
        answers=(
            Answer(
                "sent",
                "conference.created, participant.joined, participant.left and ended.",
                "A webhook takes the place of a lost answer to a command.",
                {"sends_conference_events": True},
            ),
            Answer(
                "none",
                "No webhook.",
                "The answers to the commands count.",
                {"sends_conference_events": False},
            ),
        ),
        assumed="sent",
        confidence="documented",
        sources=(_CREATE,),
        evidence="Make a conference with a call, and list the deliveries of its connection.",
    ),
    Unknown(
        id="conference-bridged",
        question="Does call.bridged come for a call that joins a conference?",
        answers=(
            Answer(
                "none",
                "No.",
                "Nothing is to be told apart.",
                {"conference_sends_bridged": False},
            ),
            Answer(
                "sent",
                "For each call.",
                "The call is looked at, and no transfer is found.",
                {"conference_sends_bridged": True},
            ),
        ),
        assumed="none",
        confidence="unknown",
        sources=(_CREATE,),
        evidence="Put a call into a conference, and wait 5 s for call.bridged.",
    ),
)
