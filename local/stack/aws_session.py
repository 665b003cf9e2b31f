"""The only AWS session that local code uses: made-up credentials, nothing of the user's own."""

import os

import boto3
import botocore.session

from local.stack.intrinsics import REGION

# Name of a setting to (name in a config file, environment variable, default, conversion).
_NOTHING_FROM_THE_USER = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def made_up_session() -> boto3.Session:
    """Return a session that reads no profile; who makes a client of it passes `endpoint_url`."""
    return boto3.Session(
        "local",
        "local",
        region_name=REGION,
        botocore_session=botocore.session.Session(_NOTHING_FROM_THE_USER),
    )
