"""The authorizer: whose bearer key this is, if it is anybody's."""

from partyline.entrypoints.authorizer import authorizer

handler = authorizer()
