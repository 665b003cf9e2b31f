"""The domain: conversations, and the consequences of each input.

Pure: this package reads no clock, network or database and imports no other package of ours.
`decide.decide` is the entry.
"""
