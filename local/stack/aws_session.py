"""The only AWS session of local code: made-up credentials and none of the user's settings."""

import os

import boto3
import botocore.session

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
    return boto3.Session(
        "local",
        "local",
        token,
        region_name=REGION,
        botocore_session=botocore.session.Session(_NO_USER_SETTINGS),
    )
