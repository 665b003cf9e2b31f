"""The limits of a new Telnyx account, as Telnyx documents the limits."""

LIMITS = (
    "A new account may have 2 calls at once, 10 after account level 2: a host and one guest fit, "
    "the next call is refused (403, channel limit exceeded).",
    "An unverified (paid) account may make 10 calls out an hour and 100 a day, and machine voices, "
    "the assistant's too, begin with a spoken notice of Telnyx's: verify the account.",
    "Calls out: 30 a second, judged over 5 seconds; beyond it Telnyx answers 429.",
)
