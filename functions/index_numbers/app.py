"""Writes the index of people for the conversations with new numbers."""

from partyline.entrypoints.index_numbers import index_numbers

handler = index_numbers()
