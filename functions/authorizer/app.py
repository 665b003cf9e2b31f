"""The authorizer of the HTTP API: identifies the bearer key of a request."""

from partyline.entrypoints.authorizer import authorizer

handler = authorizer()
