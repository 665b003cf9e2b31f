"""The domain: what a conversation is, and what follows from each input.

Pure: this package reads no clock, network or database and imports nothing else of Partyline.
`decide.decide` is the entry.
"""
