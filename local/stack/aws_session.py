"""The only AWS session of local code: made-up credentials and none of the user's settings."""

import os
from functools import cache

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader

from local.stack.intrinsics import REGION

# A setting's name to (name in a config file, environment variable, default, conversion).
_NO_USER_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def made_up_session(token: str | None = None) -> boto3.Session:
    """Return a session that reads no profile. Pass `endpoint_url` to each of its clients.

    `token` is the session token of a run of the embedded AWS.
    """
    session = botocore.session.Session(_NO_USER_SETTINGS)
    loader = _loader()
    session.register_component("data_loader", loader)
    made_up = boto3.Session("local", "local", token, region_name=REGION, botocore_session=session)
    # Each session adds boto3's own folder to the folders of the loader.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return made_up


@cache
def _loader() -> Loader:
    """The loader of all sessions: the descriptions of AWS's services take 0.2 s to read."""
    return create_loader()
