"""Clients of the AWS services of a deployed stack, for the commands that operate the stack.

Account, user and region are those of the AWS SDK's settings: environment, `AWS_PROFILE`, files.
"""

import os
from typing import Any

import boto3


def aws_client(service: str) -> Any:
    """Return a client of an AWS service.

    The AWS CLI reads the region from `AWS_REGION` first. boto3 reads `AWS_DEFAULT_REGION` and the
    profile only, so `AWS_REGION` is passed on.
    """
    region = os.environ.get("AWS_REGION") or None
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]
