"""What a conversation is and what follows from what happens to it.

Pure: nothing here reads a clock, a network or a database, and nothing of ours is imported but this
package. `decide.decide` is the way in.
"""
