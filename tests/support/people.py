"""The people of the test labs, and short names for people and for Telnyx's actions."""

HOST, DANA, LEE, KIM = (f"+131255501{nth}" for nth in (11, 12, 13, 14))
OUR_NUMBER, CALLER = "+13125550100", "+13125550120"

DESK = "sip:dana@pbx.example.com"

NAMES = {HOST: "host", DANA: "Dana", LEE: "Lee", KIM: "Kim", CALLER: "caller", DESK: "Dana's desk"}
NAMES |= {f"+131255501{nth}": f"phone {nth}" for nth in (15, 16, 17, 18, 19, 21)}  # of the demo

ACTION_WORDS = {
    "dial": "dial",
    "answer": "answer",
    "hangup": "hang up",
    "gather_using_speak": "screen",
    "speak": "speak to",
    "playback_start": "play to",
    "playback_stop": "stop the voice to",
    "ai_assistant_start": "start",
    "ai_assistant_join": "join",
    "ai_assistant_stop": "stop",
    "ai_assistant_add_messages": "tell",
    "bridge": "bridge",
    "conference_create": "confer",
    "conference_join": "add",
    "conference_leave": "part",
}
"""Short words for Telnyx's actions."""
